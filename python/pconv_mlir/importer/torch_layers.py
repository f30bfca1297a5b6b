# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each ATen op means in the pattern dialect."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pconv_mlir import ir
from pconv_mlir.importer import torch_shapes as shapes
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import Constant, shape_of
from pconv_mlir.importer.operands import Operands
from pconv_mlir.importer.torch_resizing import upsample

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


def _softmax(emitter: Emitter, op: Operands) -> ir.Value:
    return emitter.softmax(op.value(), op.at(1), layer=op.layer)


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
    "aten.cat": shapes.cat,
    "aten.view": shapes.view,
    "aten.reshape": shapes.view,
    "aten._unsafe_view": shapes.view,
    "aten.squeeze": shapes.squeeze,
    "aten.squeeze.dim": shapes.squeeze,
    "aten.squeeze.dims": shapes.squeeze,
    "aten.unsqueeze": shapes.unsqueeze,
    "aten.permute": shapes.permute,
    "aten.t": shapes.transpose,
    "aten.transpose.int": shapes.transpose,
    "aten.clone": shapes.identity,
    "aten.alias": shapes.identity,
    "aten.detach": shapes.identity,
    "aten.softmax.int": _softmax,
    "aten._softmax": _softmax,
    "aten.slice.Tensor": shapes.slice,
    "aten.constant_pad_nd": shapes.pad,
    "aten.pad": shapes.pad,
    "aten.upsample_nearest2d": upsample("nearest", 2),
    "aten.upsample_nearest2d.vec": upsample("nearest", 2),
    "aten.upsample_bilinear2d": upsample("bilinear", 3),
    "aten.upsample_bilinear2d.vec": upsample("bilinear", 3),
}
