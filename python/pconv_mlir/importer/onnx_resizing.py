# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What Resize and Upsample of ONNX mean in the pattern dialect."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import shape_of
from pconv_mlir.importer.onnx_node import Node
from pconv_mlir.importer.resizing import Positions, resize_bilinear, resize_nearest


def resize(emitter: Emitter, node: Node) -> ir.Value:
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
