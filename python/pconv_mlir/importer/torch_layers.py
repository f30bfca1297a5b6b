# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each ATen op means in the pattern dialect."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import Constant, shape_of
from pconv_mlir.importer.operands import Operands
from pconv_mlir.importer.resizing import Positions, resize_bilinear, resize_nearest

Layer = Callable[[Emitter, Operands], ir.Value]


def _pair(given: Any) -> list[int]:
    """ATen lets one number stand for rows and columns."""
    numbers: list[int] = [given] if isinstance(given, int) else list(given)
    return numbers * 2 if len(numbers) == 1 else numbers


def _both_sides(padding: Any) -> list[int]:
    return _pair(padding) * 2


# --- Layers with weights ----------------------------------------------------------------------


def _conv2d(emitter: Emitter, op: Operands) -> ir.Value:
    strides, padding, dilations, groups = (op.at(index) for index in range(3, 7))
    weight = op.constant(1, "weight")
    if isinstance(padding, str):
        kernel = weight.values.shape[2:]
        total = [(k - 1) * d for k, d in zip(kernel, _pair(dilations), strict=True)]
        if padding == "valid":
            total = [0, 0]
        border = [n // 2 for n in total] + [n - n // 2 for n in total]
    else:
        border = _both_sides(padding)
    return emitter.conv2d(
        op.value(),
        weight,
        op.optional_constant(2, "bias"),
        strides=_pair(strides),
        padding=border,
        dilations=_pair(dilations),
        groups=groups,
        layer=op.layer,
    )


def _convolution(emitter: Emitter, op: Operands) -> ir.Value:
    *first, transposed, _, groups = op.inputs
    if transposed:
        raise Unsupported("a transposed convolution")
    if len(first[3]) != 2:
        raise Unsupported(f"a convolution over {len(first[3])} axes: only images [N, C, H, W] work")
    return _conv2d(emitter, Operands(op.op, op.layer, [*first, groups], op.used))


def _linear(emitter: Emitter, op: Operands) -> ir.Value:
    bias = op.optional_constant(2, "bias")
    return emitter.linear(op.value(), op.constant(1, "weight"), bias, layer=op.layer)


def _matmul(emitter: Emitter, op: Operands) -> ir.Value:
    weight = op.constant(1, "second factor")
    if weight.values.ndim != 2:
        raise Unsupported(f"a matrix product with a constant of shape {weight.values.shape}")
    return emitter.linear(op.value(), Constant(weight.name, weight.values.T), layer=op.layer)


def _addmm(emitter: Emitter, op: Operands) -> ir.Value:
    if op.inputs[3:5] not in ([], [1, 1], [1.0, 1.0]):
        raise Unsupported("a matrix product with factors")
    product = _matmul(emitter, Operands(op.op, op.layer, op.inputs[1:3], op.used))
    return emitter.add_constant(product, op.constant(0, "bias"), layer=op.layer)


def _batch_norm(emitter: Emitter, op: Operands) -> ir.Value:
    op.only_first_result("a statistic")
    x, channels = op.value(), shape_of(op.value())[1]
    scale = op.optional_constant(1, "scale")
    shift = op.optional_constant(2, "shift")
    return emitter.batch_norm(
        x,
        scale or Constant(f"{op.layer}.weight", np.ones(channels, np.float32)),
        shift or Constant(f"{op.layer}.bias", np.zeros(channels, np.float32)),
        op.constant(3, "mean"),
        op.constant(4, "variance"),
        op.at(6),
        layer=op.layer,
    )


# --- Activations ------------------------------------------------------------------------------


def _activation(function: str) -> Layer:
    return lambda emitter, op: emitter.activate(op.value(), function, layer=op.layer)


def _leaky_relu(emitter: Emitter, op: Operands) -> ir.Value:
    return emitter.activate(op.value(), "leaky_relu", op.at(1), layer=op.layer)


def _clamp(emitter: Emitter, op: Operands) -> ir.Value:
    low, high = op.at(1), op.at(2)
    if low == 0 and high == 6:
        return emitter.activate(op.value(), "relu6", layer=op.layer)
    if low == 0 and (high is None or high == math.inf):
        return emitter.activate(op.value(), "relu", layer=op.layer)
    raise Unsupported(f"clamping to {low} .. {high}: only 0 .. 6 and 0 .. infinity work")


# --- Pooling ----------------------------------------------------------------------------------


def _max_pool2d(emitter: Emitter, op: Operands) -> ir.Value:
    op.only_first_result("indices of the maxima")
    kernel = _pair(op.at(1))
    return emitter.max_pool2d(
        op.value(),
        kernel,
        strides=_pair(op.at(2) or kernel),
        padding=_both_sides(op.at(3) or 0),
        dilations=_pair(op.at(4) or 1),
        ceil_mode=bool(op.at(5)),
        layer=op.layer,
    )


def _avg_pool2d(emitter: Emitter, op: Operands) -> ir.Value:
    if op.at(6) is not None:
        raise Unsupported("average pooling with a divisor of its own")
    kernel = _pair(op.at(1))
    return emitter.avg_pool2d(
        op.value(),
        kernel,
        strides=_pair(op.at(2) or kernel),
        padding=_both_sides(op.at(3) or 0),
        ceil_mode=bool(op.at(4)),
        count_padding=op.at(5) is not False,
        layer=op.layer,
    )


def _adaptive_avg_pool2d(emitter: Emitter, op: Operands) -> ir.Value:
    return emitter.adaptive_avg_pool2d(op.value(), _pair(op.at(1)), layer=op.layer)


def _mean(emitter: Emitter, op: Operands) -> ir.Value:
    x, axes = op.value(), op.at(1)
    rank = len(shape_of(x))
    if rank != 4 or axes is None or {axis % 4 for axis in axes} != {2, 3}:
        raise Unsupported(f"a mean over axes {axes} of rank {rank}: only over rows and columns")
    return emitter.global_avg_pool(x, keep_axes=bool(op.at(2)), layer=op.layer)


# --- Arithmetic -------------------------------------------------------------------------------


def _operand(op: Operands, index: int) -> ir.Value | Constant:
    """A value, or a constant; numbers stand in the op itself."""
    value = op.at(index)
    if isinstance(value, (int, float)):
        return Constant(f"{op.layer}.number", np.asarray(value, np.float32))
    if isinstance(value, Constant):
        return value
    return op.value(index)


def _scaled(constant: Constant, factor: float) -> Constant:
    return Constant(constant.name, constant.values * np.float32(factor))


def _add(emitter: Emitter, op: Operands) -> ir.Value:
    a, b = _operand(op, 0), _operand(op, 1)
    factor = op.at(2)
    factor = 1 if factor is None else factor
    if op.op.startswith("aten.sub"):
        factor = -factor
    if isinstance(b, Constant):
        return emitter.add_constant(op.value(), _scaled(b, factor), layer=op.layer)
    if factor != 1:
        b = emitter.affine(b, np.full((), factor), np.zeros(()), layer=f"{op.layer}.factor")
    if isinstance(a, Constant):
        return emitter.add_constant(b, a, layer=op.layer)
    return emitter.add(a, b, layer=op.layer)


def _mul(emitter: Emitter, op: Operands) -> ir.Value:
    a, b = _operand(op, 0), _operand(op, 1)
    if isinstance(b, Constant):
        return emitter.multiply_constant(op.value(), b, layer=op.layer)
    if isinstance(a, Constant):
        return emitter.multiply_constant(b, a, layer=op.layer)
    return emitter.mul(a, b, layer=op.layer)


def _div(emitter: Emitter, op: Operands) -> ir.Value:
    divisor = _operand(op, 1)
    if not isinstance(divisor, Constant) or not divisor.values.all():
        raise Unsupported("a division by zero, or by what the network computes")
    inverse = Constant(divisor.name, np.float32(1) / divisor.values)
    return emitter.multiply_constant(op.value(), inverse, layer=op.layer)


# --- Shapes -----------------------------------------------------------------------------------


def _identity(emitter: Emitter, op: Operands) -> ir.Value:
    return op.value()


def _view(emitter: Emitter, op: Operands) -> ir.Value:
    return emitter.reshape(op.value(), tuple(op.at(1)), layer=op.layer)


def _squeeze(emitter: Emitter, op: Operands) -> ir.Value:
    shape = shape_of(op.value())
    axes = op.at(1)
    axes = range(len(shape)) if axes is None else [axes] if isinstance(axes, int) else axes
    gone = {axis % len(shape) for axis in axes if shape[axis] == 1}
    kept = tuple(n for axis, n in enumerate(shape) if axis not in gone)
    return emitter.reshape(op.value(), kept, layer=op.layer)


def _unsqueeze(emitter: Emitter, op: Operands) -> ir.Value:
    shape = list(shape_of(op.value()))
    shape.insert(op.at(1) % (len(shape) + 1), 1)
    return emitter.reshape(op.value(), tuple(shape), layer=op.layer)


def _permute(emitter: Emitter, op: Operands) -> ir.Value:
    shape = shape_of(op.value())
    order = [axis % len(shape) for axis in op.at(1)]
    moved = [axis for axis in order if shape[axis] > 1]
    if moved != sorted(moved):
        raise Unsupported(f"a transposition {order}: keep the order N, C, H, W")
    return emitter.reshape(op.value(), tuple(shape[axis] for axis in order), layer=op.layer)


def _transpose(emitter: Emitter, op: Operands) -> ir.Value:
    order = list(range(len(shape_of(op.value()))))
    a, b = (op.at(1), op.at(2)) if len(op.inputs) > 1 else (0, -1)
    order[a], order[b] = order[b], order[a]
    return _permute(emitter, Operands(op.op, op.layer, [op.value(), order], op.used))


def _cat(emitter: Emitter, op: Operands) -> ir.Value:
    parts = Operands(op.op, op.layer, op.at(0), op.used)
    xs = [parts.value(index) for index in range(len(parts.inputs))]
    return emitter.concat(xs, op.at(1) or 0, layer=op.layer)


def _softmax(emitter: Emitter, op: Operands) -> ir.Value:
    return emitter.softmax(op.value(), op.at(1), layer=op.layer)


def _slice(emitter: Emitter, op: Operands) -> ir.Value:
    """Every n-th row or column, from the first to the last."""
    x, axis = op.value(), op.at(1) or 0
    shape, start, end = shape_of(x), op.at(2) or 0, op.at(3)
    step = 1 if op.at(4) is None else op.at(4)
    axis %= len(shape)
    whole = start in (0, -shape[axis]) and (end is None or end >= shape[axis])
    if not whole or (step > 1 and (axis < 2 or len(shape) != 4)):
        raise Unsupported(
            f"a slice {start}:{end}:{step} of axis {axis}: only every n-th row and column of a "
            "whole plane works"
        )
    if step == 1:
        return x
    strides = (step, 1) if axis == 2 else (1, step)
    return emitter.subsample(x, strides, layer=op.layer)


def _pad(emitter: Emitter, op: Operands) -> ir.Value:
    if op.op == "aten.pad" and op.at(2) != "constant":
        raise Unsupported(f"padding of the kind {op.at(2)}: only constant works")
    if op.at(3 if op.op == "aten.pad" else 2):
        raise Unsupported("padding with another value than zero")
    pads, rank = list(op.at(1)), len(shape_of(op.value()))
    pads += [0] * (2 * rank - len(pads))
    if rank != 4 or any(pads[6:]):
        raise Unsupported(f"padding {pads} of rank {rank}: only images [N, C, H, W] work")
    left, right, top, bottom, before, after = pads[:6]
    if not any(pads):
        return op.value()
    border = [top, left, bottom, right]
    return emitter.pad(op.value(), (before, after), border, layer=op.layer)


# --- Resizing ---------------------------------------------------------------------------------


def _upsample(mode: str, first_scale: int) -> Layer:
    """Resizing to a size (argument 1), or by factors (from argument `first_scale` on)."""

    def layer(emitter: Emitter, op: Operands) -> ir.Value:
        x = op.value()
        olds = shape_of(x)[2:]
        if len(olds) != 2:
            raise Unsupported(f"resizing of rank {2 + len(olds)}: only images [N, C, H, W] work")
        size = op.at(1)
        factors: Any = op.at(first_scale)
        if not isinstance(factors, (list, tuple)):
            factors = [op.at(first_scale), op.at(first_scale + 1)]
        if size is None:
            size = [math.floor(old * f) for old, f in zip(olds, factors, strict=True)]
        steps = [
            old / new if factor is None else 1 / factor
            for old, new, factor in zip(olds, size, factors, strict=True)
        ]
        align = mode == "bilinear" and bool(op.at(2))
        at = [_at(old, new, s, mode, align) for old, new, s in zip(olds, size, steps, strict=True)]
        resize = resize_nearest if mode == "nearest" else resize_bilinear
        return resize(emitter, x, at, layer=op.layer)

    return layer


def _at(old: int, new: int, step: float, mode: str, align_corners: bool) -> Positions:
    """Where torch takes row or column y of the result from."""
    y = np.arange(new, dtype=np.float64)
    if mode == "nearest":
        return np.minimum(np.floor(y * step), old - 1)
    if align_corners:
        return y * ((old - 1) / (new - 1) if new > 1 else 0.0)
    return np.maximum((y + 0.5) * step - 0.5, 0)


# --- Constants --------------------------------------------------------------------------------


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


LAYERS: dict[str, Layer] = {
    "aten.conv2d": _conv2d,
    "aten.conv2d.padding": _conv2d,
    "aten.convolution": _convolution,
    "aten.linear": _linear,
    "aten.mm": _matmul,
    "aten.matmul": _matmul,
    "aten.addmm": _addmm,
    "aten._native_batch_norm_legit_no_training": _batch_norm,
    "aten.relu": _activation("relu"),
    "aten.relu6": _activation("relu6"),
    "aten.hardtanh": _clamp,
    "aten.clamp": _clamp,
    "aten.clamp_min": _clamp,
    "aten.leaky_relu": _leaky_relu,
    "aten.sigmoid": _activation("sigmoid"),
    "aten.silu": _activation("silu"),
    "aten.hardswish": _activation("hardswish"),
    "aten.hardsigmoid": _activation("hardsigmoid"),
    "aten.max_pool2d": _max_pool2d,
    "aten.max_pool2d_with_indices": _max_pool2d,
    "aten.avg_pool2d": _avg_pool2d,
    "aten.adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "aten._adaptive_avg_pool2d": _adaptive_avg_pool2d,
    "aten.mean.dim": _mean,
    "aten.add.Tensor": _add,
    "aten.add.Scalar": _add,
    "aten.sub.Tensor": _add,
    "aten.sub.Scalar": _add,
    "aten.mul.Tensor": _mul,
    "aten.mul.Scalar": _mul,
    "aten.div.Tensor": _div,
    "aten.div.Scalar": _div,
    "aten.cat": _cat,
    "aten.view": _view,
    "aten.reshape": _view,
    "aten._unsafe_view": _view,
    "aten.squeeze": _squeeze,
    "aten.squeeze.dim": _squeeze,
    "aten.squeeze.dims": _squeeze,
    "aten.unsqueeze": _unsqueeze,
    "aten.permute": _permute,
    "aten.t": _transpose,
    "aten.transpose.int": _transpose,
    "aten.clone": _identity,
    "aten.alias": _identity,
    "aten.detach": _identity,
    "aten.softmax.int": _softmax,
    "aten._softmax": _softmax,
    "aten.slice.Tensor": _slice,
    "aten.constant_pad_nd": _pad,
    "aten.pad": _pad,
    "aten.upsample_nearest2d": _upsample("nearest", 2),
    "aten.upsample_nearest2d.vec": _upsample("nearest", 2),
    "aten.upsample_bilinear2d": _upsample("bilinear", 3),
    "aten.upsample_bilinear2d.vec": _upsample("bilinear", 3),
}
