# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Computes the ATen ops on constants alone, which make the weight of a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import ir
from pconv_mlir.importer.graph import Constant
from pconv_mlir.importer.operands import Operands


def fold(op: Operands) -> Constant | None:
    """The result of an op on constants alone, or None where that is not known here.

    Such ops make the weight of a layer: `weight_orig * weight_mask` of torch's pruning, scales,
    transpositions. The result is called like the weight that it is made from.
    """
    constants = [value for value in op.inputs if isinstance(value, Constant)]
    if not constants or any(isinstance(value, (ir.Value, list)) for value in op.inputs[:1]):
        return None
    compute = _FOLDS.get(op.op)
    if compute is None or any(isinstance(value, ir.Value) for value in op.inputs):
        return None
    arrays = [value.values if isinstance(value, Constant) else value for value in op.inputs]
    return Constant(_plain_name(constants), np.asarray(compute(*arrays)))


def _plain_name(constants: list[Constant]) -> str:
    """The name before torch's pruning or parametrization changed it."""
    names = [constant.name for constant in constants]
    original = next((name for name in names if name.endswith(("_orig", ".original"))), names[0])
    original = original.removesuffix("_orig").removesuffix(".original")
    return str(original.replace(".parametrizations.", "."))


def _swap(x: NDArray[Any], a: int = 0, b: int = -1) -> NDArray[Any]:
    return np.swapaxes(x, a, b)


def _same(x: NDArray[Any], *_: Any) -> NDArray[Any]:
    return x


_FOLDS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(["aten.mul.Tensor", "aten.mul.Scalar"], lambda a, b: a * _float32(b)),
    **dict.fromkeys(["aten.div.Tensor", "aten.div.Scalar"], lambda a, b: a / _float32(b)),
    **dict.fromkeys(
        ["aten.add.Tensor", "aten.add.Scalar"], lambda a, b, f=1: a + _float32(b) * _float32(f)
    ),
    **dict.fromkeys(
        ["aten.sub.Tensor", "aten.sub.Scalar"], lambda a, b, f=1: a - _float32(b) * _float32(f)
    ),
    **dict.fromkeys(["aten.view", "aten.reshape", "aten._unsafe_view"], np.reshape),
    **dict.fromkeys(["aten.clone", "aten.alias", "aten.detach", "aten.lift_fresh_copy"], _same),
    "aten.permute": np.transpose,
    "aten.t": _swap,
    "aten.transpose.int": _swap,
    "aten.unsqueeze": np.expand_dims,
}


def _float32(value: Any) -> Any:
    """Numbers in the source must not widen the weights."""
    return value if isinstance(value, np.ndarray) else np.float32(value)
