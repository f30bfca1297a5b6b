# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the upsampling ops of ATen mean in the pattern dialect."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import shape_of
from pconv_mlir.importer.operands import Operands
from pconv_mlir.importer.resizing import Positions, resize_bilinear, resize_nearest


def upsample(mode: str, first_scale: int) -> Callable[[Emitter, Operands], ir.Value]:
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
