# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each ONNX op means in the pattern dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import Constant, shape_of
from pconv_mlir.importer.operands import Operands
from pconv_mlir.importer.resizing import Positions, resize_bilinear, resize_nearest

FLOAT = 1  # TensorProto.FLOAT, as an attribute of Cast


@dataclass
class Node(Operands):
    """An op of the model.

    Args:
        attributes: Those that the model gives.
        opset: Version of the operator set.
    """

    attributes: dict[str, Any]
    opset: int

    def integers(self, attribute: str, index: int) -> list[int] | None:
        """Numbers that older operator sets keep in an attribute, newer ones in an input."""
        if attribute in self.attributes:
            value = self.attributes[attribute]
            return value if isinstance(value, list) else [value]
        constant = self.optional_constant(index, attribute)
        return None if constant is None else [int(n) for n in constant.values.reshape(-1)]

    def get(self, attribute: str, default: Any) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(attribute, default)

    def require(self, attribute: str, default: Any, *allowed: Any) -> None:
        """Refuse other values of an attribute."""
        value = self.get(attribute, default)
        if value not in allowed:
            raise Unsupported(f"{attribute} = {value}: only {' or '.join(map(str, allowed))} works")


Layer = Callable[[Emitter, Node], ir.Value]


# --- Layers with weights ----------------------------------------------------------------------


def _windows(node: Node, shape: Sequence[int], kernel: Sequence[int]) -> dict[str, list[int]]:
    """Strides, padding and dilations of a convolution or pooling over a plane."""
    if len(shape) != 4 or len(kernel) != 2:
        raise Unsupported(f"windows over rank {len(shape)}: only images [N, C, H, W] work")
    strides = node.get("strides", [1, 1])
    dilations = node.get("dilations", [1, 1])
    padding = node.get("pads", [0, 0, 0, 0])
    auto = node.get("auto_pad", "NOTSET")
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        total = [
            max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            for n, s, k, d in zip(shape[2:], strides, kernel, dilations, strict=True)
        ]
        small, large = [n // 2 for n in total], [n - n // 2 for n in total]
        padding = [*small, *large] if auto == "SAME_UPPER" else [*large, *small]
    elif auto == "VALID":
        padding = [0, 0, 0, 0]
    return {"strides": strides, "padding": padding, "dilations": dilations}


def _conv(emitter: Emitter, node: Node) -> ir.Value:
    x, weight = node.value(), node.constant(1, "weight")
    return emitter.conv2d(
        x,
        weight,
        node.optional_constant(2, "bias"),
        **_windows(node, shape_of(x), weight.values.shape[2:]),
        groups=node.get("group", 1),
        layer=node.layer,
    )


def _scaled(constant: Constant, factor: float) -> Constant:
    if factor == 1:
        return constant
    return Constant(constant.name, constant.values * np.float32(factor))


def _transposed(weight: Constant) -> Constant:
    if weight.values.ndim != 2:
        raise Unsupported(f"a matrix product with a constant of shape {weight.values.shape}")
    return Constant(weight.name, np.ascontiguousarray(weight.values.T))


def _gemm(emitter: Emitter, node: Node) -> ir.Value:
    node.require("transA", 0, 0)
    weight = _scaled(node.constant(1, "weight"), node.get("alpha", 1.0))
    if not node.get("transB", 0):
        weight = _transposed(weight)
    bias = node.optional_constant(2, "bias")
    if bias is not None:
        features = weight.values.shape[0]
        if bias.values.size not in (1, features):
            raise Unsupported(f"a bias of shape {bias.values.shape} for {features} features")
        values = np.broadcast_to(bias.values.reshape(-1), (features,))
        bias = _scaled(Constant(bias.name, values), node.get("beta", 1.0))
    return emitter.linear(node.value(), weight, bias, layer=node.layer)


def _matmul(emitter: Emitter, node: Node) -> ir.Value:
    weight = node.constant(1, "second factor")
    return emitter.linear(node.value(), _transposed(weight), layer=node.layer)


def _batch_norm(emitter: Emitter, node: Node) -> ir.Value:
    node.require("training_mode", 0, 0)
    node.require("spatial", 1, 1)
    names = ("scale", "shift", "mean", "variance")
    scale, shift, mean, variance = (node.constant(i, name) for i, name in enumerate(names, 1))
    epsilon = node.get("epsilon", 1e-5)
    return emitter.batch_norm(node.value(), scale, shift, mean, variance, epsilon, layer=node.layer)


# --- Activations ------------------------------------------------------------------------------


def _activation(function: str) -> Layer:
    return lambda emitter, node: emitter.activate(node.value(), function, layer=node.layer)


def _leaky_relu(emitter: Emitter, node: Node) -> ir.Value:
    return emitter.activate(node.value(), "leaky_relu", node.get("alpha", 0.01), layer=node.layer)


def _hard_sigmoid(emitter: Emitter, node: Node) -> ir.Value:
    alpha, beta = node.get("alpha", 0.2), node.get("beta", 0.5)
    if abs(alpha - 1 / 6) > 1e-6 or beta != 0.5:
        raise Unsupported(f"alpha = {alpha:g}, beta = {beta:g}: only 1/6 and 0.5 work")
    return emitter.activate(node.value(), "hardsigmoid", layer=node.layer)


def _swish(emitter: Emitter, node: Node) -> ir.Value:
    node.require("alpha", 1.0, 1.0)
    return emitter.activate(node.value(), "silu", layer=node.layer)


def _clip(emitter: Emitter, node: Node) -> ir.Value:
    limits = []
    for index, name, default in ((1, "min", -np.inf), (2, "max", np.inf)):
        constant = node.optional_constant(index, name)
        limits.append(node.get(name, default) if constant is None else float(constant.values))
    low, high = limits
    if low == 0 and high == 6:
        return emitter.activate(node.value(), "relu6", layer=node.layer)
    if low == 0 and high > np.finfo(np.float32).max / 2:
        return emitter.activate(node.value(), "relu", layer=node.layer)
    raise Unsupported(f"clipping to {low:g} .. {high:g}: only 0 .. 6 and 0 .. infinity work")


# --- Pooling ----------------------------------------------------------------------------------


def _max_pool(emitter: Emitter, node: Node) -> ir.Value:
    node.only_first_result("indices of the maxima")
    x, kernel = node.value(), node.get("kernel_shape", [])
    return emitter.max_pool2d(
        x,
        kernel,
        **_windows(node, shape_of(x), kernel),
        ceil_mode=bool(node.get("ceil_mode", 0)),
        layer=node.layer,
    )


def _average_pool(emitter: Emitter, node: Node) -> ir.Value:
    x, kernel = node.value(), node.get("kernel_shape", [])
    windows = _windows(node, shape_of(x), kernel)
    if windows.pop("dilations") != [1, 1]:
        raise Unsupported("average pooling with dilations")
    return emitter.avg_pool2d(
        x,
        kernel,
        **windows,
        ceil_mode=bool(node.get("ceil_mode", 0)),
        count_padding=bool(node.get("count_include_pad", 0)),
        layer=node.layer,
    )


def _global_average_pool(emitter: Emitter, node: Node) -> ir.Value:
    return emitter.global_avg_pool(node.value(), keep_axes=True, layer=node.layer)


def _global_max_pool(emitter: Emitter, node: Node) -> ir.Value:
    x = node.value()
    plane = shape_of(x)[2:]
    if len(plane) != 2:
        raise Unsupported(f"pooling of rank {2 + len(plane)}: only images [N, C, H, W] work")
    return emitter.max_pool2d(x, plane, strides=(1, 1), layer=node.layer)


def _reduce_mean(emitter: Emitter, node: Node) -> ir.Value:
    x, axes = node.value(), node.integers("axes", 1)
    rank = len(shape_of(x))
    if rank != 4 or axes is None or {axis % 4 for axis in axes} != {2, 3}:
        raise Unsupported(f"a mean over axes {axes} of rank {rank}: only over rows and columns")
    keep = bool(node.get("keepdims", 1))
    return emitter.global_avg_pool(x, keep_axes=keep, layer=node.layer)


# --- Arithmetic -------------------------------------------------------------------------------


def _add(emitter: Emitter, node: Node) -> ir.Value:
    a, b = _operands(node)
    if isinstance(b, Constant):
        return emitter.add_constant(a, b, layer=node.layer)
    return emitter.add(a, b, layer=node.layer)


def _mul(emitter: Emitter, node: Node) -> ir.Value:
    a, b = _operands(node)
    if isinstance(b, Constant):
        return emitter.multiply_constant(a, b, layer=node.layer)
    return emitter.mul(a, b, layer=node.layer)


def _sub(emitter: Emitter, node: Node) -> ir.Value:
    negative = _negated(node.constant(1, "subtrahend"))
    return emitter.add_constant(node.value(), negative, layer=node.layer)


def _div(emitter: Emitter, node: Node) -> ir.Value:
    divisor = node.constant(1, "divisor")
    if not divisor.values.all():
        raise Unsupported("a division by zero")
    inverse = Constant(divisor.name, np.float32(1) / divisor.values)
    return emitter.multiply_constant(node.value(), inverse, layer=node.layer)


def _sum(emitter: Emitter, node: Node) -> ir.Value:
    total = node.value()
    for index in range(1, len(node.inputs)):
        total = emitter.add(total, node.value(index), layer=node.layer)
    return total


def _operands(node: Node) -> tuple[ir.Value, ir.Value | Constant]:
    """The two inputs of a commutative op, the constant one last."""
    a, b = node.inputs
    if isinstance(a, Constant):
        return node.value(1), a
    return node.value(0), b if isinstance(b, Constant) else node.value(1)


def _negated(constant: Constant) -> Constant:
    return Constant(constant.name, -constant.values)


# --- Shapes -----------------------------------------------------------------------------------


def _identity(emitter: Emitter, node: Node) -> ir.Value:
    return node.value()


def _dropout(emitter: Emitter, node: Node) -> ir.Value:
    training = node.optional_constant(2, "training mode")
    if training is not None and training.values.any():
        raise Unsupported("dropout in training mode: export the model for inference")
    node.only_first_result("the mask of a dropout")
    return node.value()


def _cast(emitter: Emitter, node: Node) -> ir.Value:
    node.require("to", FLOAT, FLOAT)
    return node.value()


def _flatten(emitter: Emitter, node: Node) -> ir.Value:
    x = node.value()
    shape, axis = shape_of(x), node.get("axis", 1)
    axis += len(shape) if axis < 0 else 0
    sizes = int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))
    return emitter.reshape(x, sizes, layer=node.layer)


def _reshape(emitter: Emitter, node: Node) -> ir.Value:
    x, sizes = node.value(), node.integers("shape", 1)
    if sizes is None:
        raise Unsupported("no shape")
    old = shape_of(x)
    if not node.get("allowzero", 0):  # 0: the size that the axis had
        sizes = [old[i] if n == 0 and i < len(old) else n for i, n in enumerate(sizes)]
    return emitter.reshape(x, tuple(sizes), layer=node.layer)


def _squeeze(emitter: Emitter, node: Node) -> ir.Value:
    x, axes = node.value(), node.integers("axes", 1)
    shape = shape_of(x)
    if axes is None:
        axes = [axis for axis, n in enumerate(shape) if n == 1]
    gone = {axis % len(shape) for axis in axes}
    kept = tuple(n for axis, n in enumerate(shape) if axis not in gone)
    return emitter.reshape(x, kept, layer=node.layer)


def _unsqueeze(emitter: Emitter, node: Node) -> ir.Value:
    x, axes = node.value(), node.integers("axes", 1) or []
    rank = len(shape_of(x)) + len(axes)
    new, old = {axis % rank for axis in axes}, iter(shape_of(x))
    shape = tuple(1 if axis in new else next(old) for axis in range(rank))
    return emitter.reshape(x, shape, layer=node.layer)


def _transpose(emitter: Emitter, node: Node) -> ir.Value:
    x = node.value()
    shape = shape_of(x)
    order = node.get("perm", list(range(len(shape)))[::-1])
    moved = [axis for axis in order if shape[axis] > 1]
    if moved != sorted(moved):
        raise Unsupported(f"a transposition {order}: export the model in the order N, C, H, W")
    return emitter.reshape(x, tuple(shape[axis] for axis in order), layer=node.layer)


def _concat(emitter: Emitter, node: Node) -> ir.Value:
    xs = [node.value(index) for index in range(len(node.inputs))]
    return emitter.concat(xs, node.get("axis", 1), layer=node.layer)


def _slice(emitter: Emitter, node: Node) -> ir.Value:
    """Every n-th row and column, from the first to the last."""
    x = node.value()
    shape = shape_of(x)
    starts = node.integers("starts", 1) or []
    ends = node.integers("ends", 2) or []
    axes = node.integers("axes", 3) or list(range(len(starts)))
    steps = node.integers("steps", 4) or [1] * len(starts)
    strides = [1] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = shape[axis]
        whole = start in (0, -size) and end >= size and step >= 1
        if not whole or (step > 1 and axis % len(shape) < 2):
            raise Unsupported(
                f"a slice {start}:{end}:{step} of axis {axis}: only every n-th row and column of a "
                "whole plane works"
            )
        strides[axis] = step
    if all(step == 1 for step in strides):
        return x
    return emitter.subsample(x, strides[2:], layer=node.layer)


def _pad(emitter: Emitter, node: Node) -> ir.Value:
    node.require("mode", "constant", "constant")
    x, pads = node.value(), node.integers("pads", 1)
    fill = node.optional_constant(2, "padding value")
    if node.get("value", 0.0) != 0 or (fill is not None and fill.values.any()):
        raise Unsupported("padding with another value than zero")
    rank = len(shape_of(x))
    axes = node.integers("axes", 3) or list(range(rank))
    if pads is None or len(pads) != 2 * len(axes) or rank != 4:
        raise Unsupported(f"padding {pads} of rank {rank}: only images [N, C, H, W] work")
    sides = {axis % rank: (pads[i], pads[i + len(axes)]) for i, axis in enumerate(axes)}
    batch, channels, rows, columns = (sides.get(axis, (0, 0)) for axis in range(4))
    if any(batch):
        raise Unsupported("padding of the batch")
    border = [rows[0], columns[0], rows[1], columns[1]]
    if not any((*channels, *border)):
        return x
    return emitter.pad(x, channels, border, layer=node.layer)


def _softmax(emitter: Emitter, node: Node) -> ir.Value:
    x = node.value()
    shape = shape_of(x)
    if node.opset >= 13:
        return emitter.softmax(x, node.get("axis", -1), layer=node.layer)
    # Older operator sets: over all axes from this one on, together.
    axis = node.get("axis", 1) % len(shape)
    flat = (int(np.prod(shape[:axis])), int(np.prod(shape[axis:])))
    y = emitter.softmax(emitter.reshape(x, flat, layer=node.layer), 1, layer=node.layer)
    return emitter.reshape(y, shape, layer=node.layer)


# --- Resizing ---------------------------------------------------------------------------------


def _resize(emitter: Emitter, node: Node) -> ir.Value:
    x, mode = node.value(), node.get("mode", "nearest")
    node.require("antialias", 0, 0)
    node.require("keep_aspect_ratio_policy", "stretch", "stretch")
    if mode not in ("nearest", "linear"):
        raise Unsupported(f"mode = {mode}: only nearest and linear work")
    shape = shape_of(x)
    if len(shape) != 4:
        raise Unsupported(f"resizing of rank {len(shape)}: only images [N, C, H, W] work")
    size, scales = _new_size(node, shape)
    # Operator set 10 and Upsample have one rule each; Resize has them as attributes since 11.
    rule, rounding = "asymmetric", "floor"
    if node.op == "Resize" and node.opset >= 11:
        rule = node.get("coordinate_transformation_mode", "half_pixel")
        rounding = node.get("nearest_mode", "round_prefer_floor")
    at = [
        _coordinates(rule, old, new, scale)
        for old, new, scale in zip(shape[2:], size, scales, strict=True)
    ]
    if mode == "nearest":
        return resize_nearest(emitter, x, [_rounded(p, rounding) for p in at], layer=node.layer)
    return resize_bilinear(emitter, x, at, layer=node.layer)


def _new_size(node: Node, shape: Sequence[int]) -> tuple[list[int], list[float]]:
    """Rows and columns of the result, and the scales."""
    last = len(node.inputs) - 1
    sizes = node.optional_constant(3, "size") if last >= 3 else None
    index = 2 if node.op == "Resize" and node.opset >= 11 else 1
    scales = node.get("scales", None)
    constant = node.optional_constant(index, "scale") if last >= index else None
    if constant is not None:
        scales = constant.values.tolist()
    axes = [axis % 4 for axis in node.get("axes", range(4))]
    if sizes is not None and sizes.values.size:
        new = dict(zip(axes, (int(n) for n in sizes.values.reshape(-1)), strict=True))
        full = [new.get(axis, n) for axis, n in enumerate(shape)]
        factors = [n / old for n, old in zip(full, shape, strict=True)]
    elif scales:
        by_axis = dict(zip(axes, scales, strict=True))
        factors = [by_axis.get(axis, 1.0) for axis in range(4)]
        full = [int(np.floor(n * factor)) for n, factor in zip(shape, factors, strict=True)]
    else:
        raise Unsupported("no size")
    if full[:2] != list(shape[:2]):
        raise Unsupported("resizing of the batch or the channels")
    return full[2:], factors[2:]


def _coordinates(rule: str, old: int, new: int, scale: float) -> Positions:
    """Where the result's cells lie in the input, by the formulas of the ONNX specification."""
    y = np.arange(new, dtype=np.float64)
    match rule:
        case "half_pixel":
            return (y + 0.5) / scale - 0.5
        case "pytorch_half_pixel":
            return (y + 0.5) / scale - 0.5 if new > 1 else np.zeros(new)
        case "align_corners":
            return y * (old - 1) / (new - 1) if new > 1 else np.zeros(new)
        case "asymmetric":
            return y / scale
        case "half_pixel_symmetric":
            ratio = new / (scale * old)
            return old / 2 * (1 - ratio) + (y + 0.5) / scale - 0.5
    raise Unsupported(f"resizing by the rule {rule}")


def _rounded(at: Positions, rounding: str) -> Positions:
    match rounding:
        case "floor":
            return np.floor(at)
        case "ceil":
            return np.ceil(at)
        case "round_prefer_floor":
            return np.maximum(np.ceil(at - 0.5), 0)
        case _:
            return np.maximum(np.floor(at + 0.5), 0)


LAYERS: dict[str, Layer] = {
    "Add": _add,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": _cast,
    "Clip": _clip,
    "Concat": _concat,
    "Conv": _conv,
    "Div": _div,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average_pool,
    "GlobalMaxPool": _global_max_pool,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _activation("hardswish"),
    "Identity": _identity,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _mul,
    "Pad": _pad,
    "ReduceMean": _reduce_mean,
    "Relu": _activation("relu"),
    "Reshape": _reshape,
    "Resize": _resize,
    "Sigmoid": _activation("sigmoid"),
    "Slice": _slice,
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Sub": _sub,
    "Sum": _sum,
    "Swish": _swish,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Upsample": _resize,
}
