# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What each ONNX op means in the pattern dialect."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from pconv_mlir import ir
from pconv_mlir.importer import onnx_shapes as shapes
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import Constant, shape_of
from pconv_mlir.importer.onnx_node import Node
from pconv_mlir.importer.onnx_resizing import resize

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


LAYERS: dict[str, Layer] = {
    "Add": _add,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_norm,
    "Cast": shapes.cast,
    "Clip": _clip,
    "Concat": shapes.concat,
    "Conv": _conv,
    "Div": _div,
    "Dropout": shapes.dropout,
    "Flatten": shapes.flatten,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average_pool,
    "GlobalMaxPool": _global_max_pool,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _activation("hardswish"),
    "Identity": shapes.identity,
    "LeakyRelu": _leaky_relu,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _mul,
    "Pad": shapes.pad,
    "ReduceMean": _reduce_mean,
    "Relu": _activation("relu"),
    "Reshape": shapes.reshape,
    "Resize": resize,
    "Sigmoid": _activation("sigmoid"),
    "Slice": shapes.slice,
    "Softmax": _softmax,
    "Squeeze": shapes.squeeze,
    "Sub": _sub,
    "Sum": _sum,
    "Swish": _swish,
    "Transpose": shapes.transpose,
    "Unsqueeze": shapes.unsqueeze,
    "Upsample": resize,
}
