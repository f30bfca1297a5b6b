# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One picture: the kernel patterns in use, and the bars of a comparison. Needs matplotlib."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import figure
from ..prune import FoundLibrary, find_library

_COLOURS = {"pconv": "#2a7f62", "pconv-dense": "#8fbcae"}
_OTHER = "#9a9a9a"
_KEPT, _REMOVED = "#2a7f62", "#f0f0f0"


@dataclass(frozen=True)
class Bars:
    """A group of bars: one network.

    Attributes:
        title: The network and how it was pruned.
        ms: Median milliseconds by engine.
    """

    title: str
    ms: Mapping[str, float]


def patterns_in_use(weights: Mapping[str, NDArray[Any]]) -> Counter[tuple[int, ...]]:
    """How many kernels of a network wear each pattern.

    Args:
        weights: By name; those that wear no compact library of patterns are passed over.
    """
    used: Counter[tuple[int, ...]] = Counter()
    for weight in weights.values():
        found = find_library(weight) if weight.ndim == 4 and min(weight.shape[2:]) > 1 else None
        if isinstance(found, FoundLibrary):
            counts = np.bincount(found.kernels.ravel().astype(int))
            for pattern, cells in enumerate(found.library.patterns, start=1):
                used[tuple(cells)] += int(counts[pattern]) if pattern < len(counts) else 0
    return used


def draw(
    path: str, used: Mapping[tuple[int, ...], int], groups: Sequence[Bars], size: int = 3
) -> None:
    """Writes a PNG: patterns above, one panel of bars for each network below.

    Args:
        path: The file.
        used: Kernels that wear each pattern (cells numbered row by row).
        groups: The comparisons.
        size: Height and width of the kernels.

    Raises:
        DependencyError: matplotlib is not installed.
        ArtefactError: The file cannot be written.
    """
    picture = figure.new(10, 6)
    above, below = picture.subfigures(2, 1, height_ratios=(1, 2))
    _draw_patterns(above, used, size)
    for axes, bars in zip(np.ravel(below.subplots(1, len(groups))), groups, strict=True):
        _draw_bars(axes, bars)
    figure.save(picture, path)


def _draw_patterns(panel: Any, used: Mapping[tuple[int, ...], int], size: int) -> None:
    from matplotlib.colors import ListedColormap

    shown = sorted(used.items(), key=lambda item: -item[1])[:12]
    panel.suptitle("Kernel patterns in use, and how many kernels wear them")
    for axes, (cells, count) in zip(
        np.ravel(panel.subplots(1, max(len(shown), 1))), shown, strict=False
    ):
        kept = np.isin(np.arange(size * size), cells).reshape(size, size)
        axes.pcolormesh(
            kept[::-1], cmap=ListedColormap([_REMOVED, _KEPT]), vmin=0, vmax=1, edgecolors="white"
        )
        axes.set(aspect="equal", xticks=[], yticks=[], xlabel=str(count))
        axes.spines[:].set_visible(False)


def _draw_bars(axes: Any, bars: Bars) -> None:
    names = list(bars.ms)
    values = list(bars.ms.values())
    places = axes.barh(names, values, color=[_COLOURS.get(name, _OTHER) for name in names])
    fastest = bars.ms.get("pconv")
    labels = [
        f"{ms:.3g} ms" + (f"  ({ms / fastest:.1f}x)" if fastest and name != "pconv" else "")
        for name, ms in bars.ms.items()
    ]
    axes.bar_label(places, labels, padding=4)
    axes.set(title=bars.title, xlabel="median ms, one image", xlim=(0, max(values) * 1.35))
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
