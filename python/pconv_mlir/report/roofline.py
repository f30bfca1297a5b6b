# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The picture of the performance model: the roofline, and speed-up against sparsity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import figure
from ..errors import OptionError

if TYPE_CHECKING:
    from ..performance.model import LayerModel
    from ..performance.prediction import Row, WhatIf

MOST_CURVES = 8
_ROOF = "#9a9a9a"


def draw(path: str, title: str, result: WhatIf) -> None:
    """Writes a PNG: layers under the roofs of this machine, and what sparsity brings to each.

    Left, what the layers reach, in operations that are left, over operations for each byte: hollow
    dense, filled pruned as predicted, a cross as measured. Right, the predicted speed-up over the
    share of kept weights, between the useful bounds; the dot is the scheme.

    Args:
        path: The file.
        title: The network and the scheme.
        result: What `what_if` found.

    Raises:
        DependencyError: matplotlib is not installed.
        OptionError: There is no layer with weights.
        ArtefactError: The file cannot be written.
    """
    picture = figure.new(12, 5)
    rows = distinct(result)
    if not rows:
        raise OptionError("there is nothing to draw: no layer has weights")
    picture.suptitle(title)
    left, right = picture.subplots(1, 2)
    colours = [f"C{number}" for number in range(len(rows))]
    _draw_roof(left, [row.model for row in rows if row.model])
    for row, colour in zip(rows, colours, strict=True):
        _draw_points(left, row, colour)
        _draw_speedup(right, row, colour)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="operations a byte",
        ylabel="GFLOP/s of what is left",
    )
    right.axhline(1, color=_ROOF, linewidth=1)
    right.set(
        xscale="log",
        yscale="log",
        xlabel="share of weights kept",
        ylabel="predicted speed-up over dense",
    )
    right.legend(fontsize="small")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.save(picture, path)


def distinct(result: WhatIf) -> list[Row]:
    """The layers to show: of those with one curve the first, sparse ones first, longest first."""
    found: dict[Any, Row] = {}
    for row in result.rows:
        if row.model is not None:
            key = (row.sparse, row.model.flops, row.model.weight_bytes, row.model.activation_bytes)
            found.setdefault(key, row)
    rows = sorted(found.values(), key=lambda row: (not row.sparse, -row.dense_ms))
    return rows[:MOST_CURVES]


def _draw_roof(axes: Any, models: list[LayerModel]) -> None:
    """A roof for the slowest and the fastest memory that the layers see."""
    peak = models[0].peak
    intensities = np.geomspace(0.5, 1000, 100)
    for bandwidth in sorted({min(m.bandwidth for m in models), max(m.bandwidth for m in models)}):
        roof = np.minimum(peak, bandwidth * intensities) / 1e9
        axes.plot(intensities, roof, color=_ROOF, linewidth=1)
        axes.annotate(
            f"{bandwidth / 1e9:.0f} GB/s", (intensities[0], roof[0]), fontsize="small", color=_ROOF
        )
    axes.annotate(
        f"{peak / 1e9:.0f} GFLOP/s",
        (intensities[-1], peak / 1e9),
        ha="right",
        va="bottom",
        fontsize="small",
        color=_ROOF,
    )


def _draw_points(axes: Any, row: Row, colour: str) -> None:
    model, kept = row.model, row.kept
    assert model is not None and kept is not None
    dense = model.flops / model.dense_seconds / 1e9
    axes.plot(model.intensity, dense, "o", color=colour, fillstyle="none")
    intensity = model.sparse_intensity(kept) if row.sparse else model.intensity
    flops = model.flops * (kept if row.sparse else 1)
    if row.sparse:
        axes.plot(intensity, flops / row.predicted_ms / 1e6, "o", color=colour)
    if row.measured_ms:
        axes.plot(intensity, flops / row.measured_ms / 1e6, "x", color=colour)


def _draw_speedup(axes: Any, row: Row, colour: str) -> None:
    model, kept = row.model, row.kept
    assert model is not None and kept is not None
    label = f"{row.name} ({row.scheme}{'' if row.sparse else ', runs dense'})"
    if not row.sparse:
        axes.plot([], [], color=colour, linestyle=":", label=label)
        return
    shares = np.geomspace(min(model.x_lo, kept) / 2, 1, 200)
    axes.plot(shares, [model.speedup(x) for x in shares], color=colour, linewidth=0.8, alpha=0.6)
    if model.x_lo < model.x_hi:
        useful = np.geomspace(model.x_lo, model.x_hi, 100)
        axes.plot(useful, [model.speedup(x) for x in useful], color=colour, label=label)
    axes.plot(kept, model.speedup(kept), "o", color=colour)
