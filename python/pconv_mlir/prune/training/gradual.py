# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Gradual magnitude pruning."""

from __future__ import annotations

import torch

from pconv_mlir.errors import OptionError
from pconv_mlir.prune.importance import Importance
from pconv_mlir.prune.training.ranked import RankedPruner


class GradualPruner(RankedPruner):
    """Masks more and more weights, the smallest first, until the scheme is reached.

    The sparsity follows the cubic schedule of Zhu and Gupta, To Prune, or Not to Prune (2017,
    arXiv 1710.01878), section 3: s(t) = s_f (1 - (1 - (t - begin) / (steps - begin))^3). It works
    for every scheme: at each update the weights are projected to it, and what the projection would
    remove goes smallest first. A masked weight counts as zero, and returns only where the scheme
    keeps it none the less.

    Args:
        steps: Steps until the scheme is reached and the masks are frozen.
        every: Steps from one update to the next; by default a twentieth of the way.
        begin: Steps before the first weight goes.
        importance: What ranks filters and input channels: `l2`, `geometric-median` or `taylor`.

    Raises:
        OptionError: `begin` does not lie before `steps`, a number is out of range, or an unknown
            importance.
    """

    def __init__(
        self,
        steps: int,
        *,
        every: int | None = None,
        begin: int = 0,
        importance: Importance = "l2",
    ) -> None:
        if not 0 <= begin < steps:
            raise OptionError(f"expected 0 <= begin < steps, got begin {begin} and steps {steps}")
        every = max(1, (steps - begin) // 20) if every is None else every
        super().__init__(steps, every, importance)
        self.begin = begin

    def share_at(self, step: int) -> float:
        """Share of the weights to be removed that are masked after a step."""
        progress = (step - self.begin) / (self.steps - self.begin)
        return 1 - (1 - min(max(progress, 0.0), 1.0)) ** 3

    def _update(self) -> None:
        share = self.share_at(self.steps_done)
        for layer in self._layers:
            weight = layer.weight
            target = layer.project(weight, self._scores(layer))
            layer.mask.copy_(_without_smallest(weight, target, share))


def _without_smallest(weight: torch.Tensor, target: torch.Tensor, share: float) -> torch.Tensor:
    """The mask that lacks a share of what `target` lacks: the smallest; ties lose the first."""
    going = (~target).flatten().nonzero().squeeze(1)
    order = weight.flatten()[going].abs().argsort(stable=True)
    mask = torch.ones_like(target).flatten()
    mask[going[order[: round(share * len(going))]]] = False
    return mask.view_as(target)
