# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The names of the package, and what importing it costs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import pconv_mlir as pconv


@pytest.mark.parametrize("name", pconv.__all__)
def test_every_public_name_exists(name: str) -> None:
    assert getattr(pconv, name) is not None
    assert name in dir(pconv)


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'compil'"):
        pconv.compil  # noqa: B018


def test_importing_is_cheap() -> None:
    program = (
        "import sys, pconv_mlir\n"
        "heavy = {'torch', 'onnx', 'numpy', 'pconv_mlir.ir', 'pconv_mlir._mlir_libs'}\n"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=60)
