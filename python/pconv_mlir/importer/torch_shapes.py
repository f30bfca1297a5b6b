# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the ATen ops that only move values, or keep them, mean in the pattern dialect."""

from __future__ import annotations

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import shape_of
from pconv_mlir.importer.operands import Operands


def identity(emitter: Emitter, op: Operands) -> ir.Value:
    return op.value()


def view(emitter: Emitter, op: Operands) -> ir.Value:
    return emitter.reshape(op.value(), tuple(op.at(1)), layer=op.layer)


def squeeze(emitter: Emitter, op: Operands) -> ir.Value:
    shape = shape_of(op.value())
    axes = op.at(1)
    axes = range(len(shape)) if axes is None else [axes] if isinstance(axes, int) else axes
    gone = {axis % len(shape) for axis in axes if shape[axis] == 1}
    kept = tuple(n for axis, n in enumerate(shape) if axis not in gone)
    return emitter.reshape(op.value(), kept, layer=op.layer)


def unsqueeze(emitter: Emitter, op: Operands) -> ir.Value:
    shape = list(shape_of(op.value()))
    shape.insert(op.at(1) % (len(shape) + 1), 1)
    return emitter.reshape(op.value(), tuple(shape), layer=op.layer)


def permute(emitter: Emitter, op: Operands) -> ir.Value:
    shape = shape_of(op.value())
    order = [axis % len(shape) for axis in op.at(1)]
    moved = [axis for axis in order if shape[axis] > 1]
    if moved != sorted(moved):
        raise Unsupported(f"a transposition {order}: keep the order N, C, H, W")
    return emitter.reshape(op.value(), tuple(shape[axis] for axis in order), layer=op.layer)


def transpose(emitter: Emitter, op: Operands) -> ir.Value:
    order = list(range(len(shape_of(op.value()))))
    a, b = (op.at(1), op.at(2)) if len(op.inputs) > 1 else (0, -1)
    order[a], order[b] = order[b], order[a]
    return permute(emitter, Operands(op.op, op.layer, [op.value(), order], op.used))


def cat(emitter: Emitter, op: Operands) -> ir.Value:
    parts = Operands(op.op, op.layer, op.at(0), op.used)
    xs = [parts.value(index) for index in range(len(parts.inputs))]
    return emitter.concat(xs, op.at(1) or 0, layer=op.layer)


def slice(emitter: Emitter, op: Operands) -> ir.Value:
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


def pad(emitter: Emitter, op: Operands) -> ir.Value:
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
