# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Resizing by the many rules of the frameworks, where they come to the same as one of ours.

A rule says where each row and column of the result lies in the input. For the sizes at hand that is
a short table, so the tables are compared and not the rules.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import shape_of

Positions = NDArray[np.float64]  # of the rows or the columns of the result, in the input


def resize_nearest(
    emitter: Emitter, x: ir.Value, at: Sequence[Positions], *, layer: str
) -> ir.Value:
    """Take the rows and columns `at`, which are whole numbers."""
    olds, size = shape_of(x)[2:], [len(positions) for positions in at]
    ours = [np.arange(new) * old // new for old, new in zip(olds, size, strict=True)]
    if all(np.array_equal(a, b) for a, b in zip(at, ours, strict=True)):
        return emitter.resize(x, size, "nearest", layer=layer)
    raise Unsupported(
        f"nearest resizing from {list(olds)} to {size} that does not take the row "
        "floor(y rows / new rows): export with integer scales, or with that rule"
    )


def resize_bilinear(
    emitter: Emitter, x: ir.Value, at: Sequence[Positions], *, layer: str
) -> ir.Value:
    """Interpolate between the rows and columns around `at`, clamped to the plane."""
    olds, size = shape_of(x)[2:], [len(positions) for positions in at]
    at = [np.clip(positions, 0, old - 1) for positions, old in zip(at, olds, strict=True)]
    for align in (False, True):
        ours = [_positions(o, n, align) for o, n in zip(olds, size, strict=True)]
        if all(np.allclose(a, b, atol=1e-4) for a, b in zip(at, ours, strict=True)):
            return emitter.resize(x, size, "bilinear", align_corners=align, layer=layer)
    raise Unsupported(
        f"bilinear resizing from {list(olds)} to {size} by another rule than half_pixel or "
        "align_corners: export with one of these"
    )


def _positions(old: int, new: int, align_corners: bool) -> Positions:
    y = np.arange(new, dtype=np.float64)
    if align_corners:
        return y * ((old - 1) / (new - 1) if new > 1 else 0.0)
    return np.clip((y + 0.5) * old / new - 0.5, 0, old - 1)
