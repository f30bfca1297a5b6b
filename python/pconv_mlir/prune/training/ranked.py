# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruners that project: magnitude in one shot, and what it shares with gradual pruning."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray

from pconv_mlir.errors import OptionError, PruneError
from pconv_mlir.prune.config import Choice
from pconv_mlir.prune.importance import (
    Importance,
    check_importance,
    check_ranked,
    geometric_median,
)
from pconv_mlir.prune.layers import to_numpy
from pconv_mlir.prune.schemes import Channel, Filter
from pconv_mlir.prune.training.lasso import unit_sums
from pconv_mlir.prune.training.masks import MaskedLayer
from pconv_mlir.prune.training.pruner import Pruner


class RankedPruner(Pruner):
    """Ranks filters and input channels by their norm, or otherwise.

    `taylor` sums, over the steps, the squared first-order change of the loss if the filter went,
    (sum of gradient x weight)^2: Molchanov et al., Importance Estimation for Neural Network
    Pruning (CVPR 2019, arXiv 1906.10771), section 3.1. It reads the gradients in `step()`, which
    has to come before `zero_grad()`.
    """

    def __init__(self, steps: int, every: int, importance: Importance) -> None:
        super().__init__(steps, every)
        check_importance(importance)
        self.importance = importance

    def _check(self, choice: Choice) -> None:
        check_ranked(choice, self.importance)

    def _start(self) -> None:
        self._taylor: dict[str, torch.Tensor] = {}
        if self.importance == "taylor":
            self._taylor = {
                layer.name: torch.zeros_like(_first_order(layer, layer.weight))
                for layer in self._layers
            }

    def _observe(self) -> None:
        for layer in self._layers if self._taylor else []:
            gradient = layer.parameter.grad
            if gradient is None:
                raise PruneError(
                    f"there is no gradient of {layer.name!r} to rank by: call step() after "
                    "backward() and before zero_grad()"
                )
            self._taylor[layer.name] += _first_order(layer, gradient)

    def _scores(self, layer: MaskedLayer) -> NDArray[Any] | None:
        scheme = layer.choice.scheme
        if self.importance == "taylor":
            return to_numpy(self._taylor[layer.name])
        if self.importance == "geometric-median" and isinstance(scheme, (Filter, Channel)):
            return geometric_median(to_numpy(layer.parameter), scheme)
        return None

    def _tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        return {"taylor": self._taylor} if self._taylor else {}


class MagnitudePruner(RankedPruner):
    """One shot: the masks are frozen at once, and every step retrains what is left.

    Han et al., Learning both Weights and Connections for Efficient Neural Networks (NeurIPS 2015),
    section 3, with one round.

    Args:
        steps: Steps until the masks are frozen; without any, `prepare` does it.
        importance: What ranks filters and input channels: `l2`, `geometric-median`, or `taylor`,
            which needs some steps to observe gradients.

    Raises:
        OptionError: An unknown importance, or `taylor` without steps.
    """

    def __init__(self, steps: int = 0, *, importance: Importance = "l2") -> None:
        super().__init__(steps, max(1, steps), importance)
        if importance == "taylor" and not steps:
            raise OptionError("expected steps >= 1 to observe gradients for taylor importance")

    def _start(self) -> None:
        super()._start()
        if not self.steps:
            self.freeze()


def _first_order(layer: MaskedLayer, gradient: torch.Tensor) -> torch.Tensor:
    """Squared change of the loss, to first order, without each filter or input channel."""
    return unit_sums(gradient * layer.weight, layer.choice.scheme).square()
