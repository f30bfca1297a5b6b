# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether a `Module` that a user brings is what it claims to be, before it is compiled."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import ir
from .errors import ModelError, WeightsError
from .module import Module, TensorSpec
from .parsing import main_function

_PATTERN = re.compile(r"\[([\d, ]+)\]")


def check_module(parsed: ir.Module, module: Module) -> None:
    """Compares the IR of a module with its specs and weights.

    Args:
        parsed: The IR of the module, verified.
        module: The module.

    Raises:
        ModelError: There is no function `@main`, or it takes or gives something else than the
            module says.
        WeightsError: A weight is missing, has another shape or type than its symbol, is NaN or
            infinite, or is not zero where its kernel pattern says so.
    """
    main = main_function(parsed)
    kind = ir.FunctionType(ir.TypeAttr(main.attributes["function_type"]).value)
    _check_specs("input", module.inputs, kind.inputs)
    _check_specs("output", module.outputs, kind.results)
    for op in parsed.body.operations:
        if op.operation.name == "pattern.weights" and "batch_norm" not in op.attributes:
            _check_values(op, check_shape(op, module.weights))


def check_shape(op: Any, weights: Mapping[str, object]) -> NDArray[np.float32]:
    """The values of a `pattern.weights`.

    Raises:
        WeightsError: They are missing, or no contiguous float32 array of its shape.
    """
    name = op.attributes["sym_name"].value
    shape = tuple(ir.RankedTensorType(ir.TypeAttr(op.attributes["type"]).value).shape)
    if name not in weights:
        raise WeightsError(f"the weight {name!r} is missing")
    values = weights[name]
    if not isinstance(values, np.ndarray):
        raise WeightsError(f"expected the weight {name!r} as an array, got {type(values).__name__}")
    if values.shape != shape or values.dtype != np.float32 or not values.flags.c_contiguous:
        raise WeightsError(
            f"expected the weight {name!r} as contiguous float32 {shape}, got {values.dtype} "
            f"{values.shape}"
        )
    return values


def is_finite(values: NDArray[np.float32]) -> bool:
    """Whether there is neither NaN nor infinity; without a temporary array."""
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def _check_values(op: Any, values: NDArray[np.float32]) -> None:
    name = op.attributes["sym_name"].value
    if not is_finite(values):
        raise WeightsError(
            f"the weight {name!r} holds NaN or infinity: repair or retrain the network"
        )
    if "kernels" in op.attributes and _loses_weights(op, values):
        raise WeightsError(
            f"the weight {name!r} is not zero outside of its kernel patterns: after a change of "
            "weights, find the patterns anew with import_model(module)"
        )


def _loses_weights(op: Any, values: NDArray[np.float32]) -> bool:
    """Whether the patterns of a weight leave out a value that is not zero."""
    kernels = np.array(ir.DenseElementsAttr(op.attributes["kernels"]))
    patterns = _PATTERN.findall(str(op.attributes["scheme"]))
    dropped = np.ones((len(patterns) + 1, math.prod(values.shape[2:])), np.bool_)
    for row, pattern in zip(dropped[1:], patterns, strict=True):
        row[[int(cell) for cell in pattern.split(",")]] = False
    return bool((values.reshape(*kernels.shape, -1)[dropped[kernels]] != 0).any())


def _check_specs(what: str, specs: Sequence[TensorSpec], types: Sequence[ir.Type]) -> None:
    stated = [(tuple(spec.shape), spec.dtype) for spec in specs]
    shapes = [tuple(t.shape) for t in types if isinstance(t, ir.RankedTensorType)]
    if stated != [(shape, "float32") for shape in shapes] or len(shapes) != len(types):
        described = ", ".join(map(str, types)) or "nothing"
        raise ModelError(
            f"the {what}s of the module ({specs}) are not those of @main in its IR ({described})"
        )
