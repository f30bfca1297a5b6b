# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks for AArch64, run under an emulator: right on the oldest processor that they are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import native
import pytest
import test_convolutions
import test_layers
from nets import Net, assert_close, inputs_of

from pconv_mlir import artefact, compiler, reference
from pconv_mlir.artefact import Artefact
from pconv_mlir.module import Module

TARGET = "aarch64-linux-gnu"
# Of the covering of convolutions, those that were chosen for these vectors.
ROWS = [n for n, row in enumerate(test_convolutions.ROWS) if row["target"] == "neon"][:6]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if missing := native.AARCH64.missing():
        pytest.skip(f"needs {', '.join(missing)} to run code for AArch64")
    return tmp_path_factory.mktemp("aarch64")


Run = Callable[[Artefact, Sequence[native.Floats], Path], list[native.Floats]]


def check(module: Module, shop: Path, run: Run = native.AARCH64.run) -> None:
    """Compiles, saves and opens a network; fails unless its results are right."""
    path = shop / "network.pconv"
    artefact.save(compiler.build(module, target=TARGET), path)
    inputs = inputs_of(module)
    assert_close(run(artefact.load(path), inputs, shop), reference.run(module, *inputs))


@pytest.mark.parametrize("run", [native.AARCH64.run, native.AARCH64.load], ids=["linked", "loaded"])
@pytest.mark.parametrize("name", test_layers.JOINT)
def test_a_network(name: str, run: Run, shop: Path) -> None:
    net = Net()
    check(net.module(*test_layers.JOINT[name](net)), shop, run)


@pytest.mark.parametrize("number", ROWS)
def test_a_convolution(number: int, shop: Path) -> None:
    check(test_convolutions.network(test_convolutions.ROWS[number], number), shop)
