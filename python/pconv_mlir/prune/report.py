# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What pruning did, layer by layer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.prune.config import Choice, PruneConfig


@dataclass(frozen=True)
class LayerReport:
    """What pruning did to one layer.

    Attributes:
        name: The layer in the user's model.
        shape: Of its weight.
        scheme: What it was projected to, or `dense`.
        zeros: Share of its weights that are zero now.
        kept_norm: L2 norm that the mask left of the weight, over the norm before.
        empty_filters: Filters without a weight; their output is the bias alone.
        note: Why the layer was left alone.
        mined: The scheme with the patterns spelled out, where they were mined.
    """

    name: str
    shape: tuple[int, ...]
    scheme: str
    zeros: float
    kept_norm: float
    empty_filters: int
    note: str = ""
    mined: str = ""

    @property
    def lost_norm(self) -> float:
        """L2 norm of what the mask took away, over the norm before."""
        return math.sqrt(max(0.0, 1 - self.kept_norm**2))


@dataclass(frozen=True)
class PruneReport:
    """What pruning did; `str()` is a table.

    Attributes:
        layers: Every layer with a weight, in the order of the model.
        config: The config, bound to the network.
    """

    layers: tuple[LayerReport, ...]
    config: PruneConfig = field(default_factory=PruneConfig)

    def __str__(self) -> str:
        rows = [("layer", "shape", "zeros", "norm kept", "scheme")]
        for layer in self.layers:
            shape = "x".join(map(str, layer.shape))
            scheme = f"{layer.scheme} ({layer.note})" if layer.note else layer.scheme
            if layer.empty_filters:
                scheme += f", {layer.empty_filters} empty filters"
            rows.append((layer.name, shape, f"{layer.zeros:.1%}", f"{layer.kept_norm:.1%}", scheme))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)


def norm(weight: NDArray[Any]) -> float:
    """L2 norm, in float64."""
    return float(np.sqrt(np.square(weight, dtype=np.float64).sum()))


def describe(choice: Choice, kept_norm: float) -> LayerReport:
    """The row of a layer as it is now."""
    value = choice.layer.value
    return LayerReport(
        name=choice.layer.name,
        shape=tuple(value.shape),
        scheme="dense" if choice.note else str(choice.scheme),
        mined=str(choice.spelled_out) if choice.library and not choice.note else "",
        zeros=float(1 - np.count_nonzero(value) / value.size),
        kept_norm=kept_norm,
        empty_filters=int(np.count_nonzero(~value.any(axis=tuple(range(1, value.ndim))))),
        note=choice.note,
    )
