# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the ONNX ops that only move values, or keep them, mean in the pattern dialect."""

from __future__ import annotations

import numpy as np

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import shape_of
from pconv_mlir.importer.onnx_node import Node

FLOAT = 1  # TensorProto.FLOAT, as an attribute of Cast


def identity(emitter: Emitter, node: Node) -> ir.Value:
    return node.value()


def dropout(emitter: Emitter, node: Node) -> ir.Value:
    training = node.optional_constant(2, "training mode")
    if training is not None and training.values.any():
        raise Unsupported("dropout in training mode: export the model for inference")
    node.only_first_result("the mask of a dropout")
    return node.value()


def cast(emitter: Emitter, node: Node) -> ir.Value:
    node.require("to", FLOAT, FLOAT)
    return node.value()


def flatten(emitter: Emitter, node: Node) -> ir.Value:
    x = node.value()
    shape, axis = shape_of(x), node.get("axis", 1)
    axis += len(shape) if axis < 0 else 0
    sizes = int(np.prod(shape[:axis])), int(np.prod(shape[axis:]))
    return emitter.reshape(x, sizes, layer=node.layer)


def reshape(emitter: Emitter, node: Node) -> ir.Value:
    x, sizes = node.value(), node.integers("shape", 1)
    if sizes is None:
        raise Unsupported("no shape")
    old = shape_of(x)
    if not node.get("allowzero", 0):  # 0: the size that the axis had
        sizes = [old[i] if n == 0 and i < len(old) else n for i, n in enumerate(sizes)]
    return emitter.reshape(x, tuple(sizes), layer=node.layer)


def squeeze(emitter: Emitter, node: Node) -> ir.Value:
    x, axes = node.value(), node.integers("axes", 1)
    shape = shape_of(x)
    if axes is None:
        axes = [axis for axis, n in enumerate(shape) if n == 1]
    gone = {axis % len(shape) for axis in axes}
    kept = tuple(n for axis, n in enumerate(shape) if axis not in gone)
    return emitter.reshape(x, kept, layer=node.layer)


def unsqueeze(emitter: Emitter, node: Node) -> ir.Value:
    x, axes = node.value(), node.integers("axes", 1) or []
    rank = len(shape_of(x)) + len(axes)
    new, old = {axis % rank for axis in axes}, iter(shape_of(x))
    shape = tuple(1 if axis in new else next(old) for axis in range(rank))
    return emitter.reshape(x, shape, layer=node.layer)


def transpose(emitter: Emitter, node: Node) -> ir.Value:
    x = node.value()
    shape = shape_of(x)
    order = node.get("perm", list(range(len(shape)))[::-1])
    moved = [axis for axis in order if shape[axis] > 1]
    if moved != sorted(moved):
        raise Unsupported(f"a transposition {order}: export the model in the order N, C, H, W")
    return emitter.reshape(x, tuple(shape[axis] for axis in order), layer=node.layer)


def concat(emitter: Emitter, node: Node) -> ir.Value:
    xs = [node.value(index) for index in range(len(node.inputs))]
    return emitter.concat(xs, node.get("axis", 1), layer=node.layer)


def slice(emitter: Emitter, node: Node) -> ir.Value:
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


def pad(emitter: Emitter, node: Node) -> ir.Value:
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
