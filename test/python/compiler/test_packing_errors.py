# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What `packing.pack` says to IR and weights that do not fit each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pconv_mlir as pconv
from pconv_mlir import ir, packing, parsing, passes
from pconv_mlir.errors import CompileError, ModelError, WeightsError

TEXT = (Path(__file__).parents[1] / "Inputs" / "packed-forms.mlir").read_text()
SHAPES = {"w": (3, 3, 3, 3), "d": (3, 3, 3, 3), "s": (3,), "fc": (5, 3), "fc.bias": (5,)}


@pytest.fixture(scope="module")
def packed() -> str:
    """The IR of a network at stage `packed`."""
    return passes.pack_weights(pconv.Module(TEXT, {}, [], [])).ir


def weights() -> dict[str, Any]:
    return {name: np.ones(shape, np.float32) for name, shape in SHAPES.items()}


def pack(text: str, values: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    with ir.Context():
        return packing.pack(parsing.parse(text), values)


def replaced(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


def test_values_follow_each_other(packed: str) -> None:
    values, indices = pack(packed, weights())
    assert len(values) == 212 and len(indices) == 74
    assert (values[:18] == 1).all()


@pytest.mark.parametrize(("name", "size"), [("values", 212), ("indices", 74)])
def test_blob_that_is_too_small(packed: str, name: str, size: int) -> None:
    text = replaced(packed, f"{name} = {size} : i64", f"{name} = 20 : i64")
    with pytest.raises(CompileError, match="packed numbers below 20, got them at") as caught:
        pack(text, weights())
    assert caught.value.layer in ("w.packed", "w.packed2")


@pytest.mark.parametrize("name", ["values", "indices"])
def test_network_that_is_not_packed(packed: str, name: str) -> None:
    with pytest.raises(CompileError, match=f"stage packed or placed, .* how many {name} it has"):
        pack(replaced(packed, f"{name} = ", "arena = "), weights())


def test_network_without_memory() -> None:
    with pytest.raises(CompileError, match="expected a network at stage packed or placed"):
        pack(TEXT, weights())


@pytest.mark.parametrize("shape", [(3, 3, 3), (2, 3, 3, 3), (3, 27, 3)])
def test_weights_of_another_shape(packed: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(WeightsError, match=r"expected shape \(3, 3, 3, 3\), got") as caught:
        pack(packed, {**weights(), "w": np.ones(shape, np.float32)})
    assert caught.value.layer == "w"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gather = dense<[0,", "gather = dense<[81,", r"expected gather in -1\.\.80, got 81"),
        ("filter_block = 8", "filter_block = 16", "expected 48 values in panels of 16"),
        ("count = 6 ", "count = 7 ", "expected 6 values for 3 channels"),
    ],
)
def test_plans_that_contradict_their_weights(packed: str, old: str, new: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        pack(replaced(packed, old, new), weights())


def test_weights_that_fill_the_memory(packed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(packing.np, "zeros", full)
    with pytest.raises(CompileError, match="do not fit into memory"):
        pack(packed, weights())


def test_packed_weights_of_an_earlier_stage_are_forgotten(packed: str) -> None:
    """Else they would be written over the numbers of the layers, or beside them."""
    stray = """pattern.packed @stray weights(@s) form = #pattern.form<runs> values = 0 count = 1
        indices = 0 {gather = dense<0> : tensor<1xi32>, index = dense<99> : tensor<64xi32>}
      func.func @main"""
    text = replaced(TEXT, "func.func @main", stray)
    assert passes.pack_weights(pconv.Module(text, {}, [], [])).ir == packed
