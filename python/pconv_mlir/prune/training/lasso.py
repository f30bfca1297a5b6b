# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reweighted group lasso: shrinks the groups of weights that a scheme removes together."""

from __future__ import annotations

import torch
from torch.nn import functional

from pconv_mlir.errors import OptionError, SchemeError
from pconv_mlir.prune.config import Choice
from pconv_mlir.prune.ranges import is_positive
from pconv_mlir.prune.schemes import (
    Block,
    BlockPunched,
    Channel,
    Filter,
    Scheme,
    Unstructured,
)
from pconv_mlir.prune.training.masks import MaskedLayer
from pconv_mlir.prune.training.pruner import Pruner


class GroupLassoPruner(Pruner):
    """Minimises loss + strength * sum over groups g of c_g ||W_g||, then prunes hard.

    The weights c_g = 1 / (||W_g||^2 + epsilon) are refreshed at every update, so that large groups
    are left in peace and small ones pushed to zero. The norm is sqrt(||W_g||^2 + epsilon):
    a slope at zero would throw groups that are gone to and fro.

    Ma et al., BLK-REW: A Unified Block-based DNN Pruning Framework using Reweighted Regularization
    Method (2020, arXiv 2001.08357), after Candes et al., Enhancing Sparsity by Reweighted l1
    Minimization (2008).

    Groups: kernel positions of a block for `BlockPunched`, block columns for `Block`, whole filters
    or input channels, single weights for `Unstructured`.

    Args:
        steps: Steps until hard pruning.
        every: Steps from one refresh to the next; by default a tenth of the way.
        strength: Of the penalty: right when the residuals fall and the accuracy does not.
        epsilon: Squared norm below which a group counts as gone.

    Raises:
        OptionError: A number is out of range.

    Not handled: kernel patterns, whose sets overlap (use `ADMMPruner`).
    """

    def __init__(
        self,
        steps: int,
        *,
        every: int | None = None,
        strength: float = 1e-4,
        epsilon: float = 1e-3,
    ) -> None:
        super().__init__(steps, max(1, steps // 10) if every is None else every)
        if not is_positive(strength) or not is_positive(epsilon):
            raise OptionError(
                f"expected positive strength and epsilon, got {strength} and {epsilon}"
            )
        self.strength = strength
        self.epsilon = epsilon

    def _check(self, choice: Choice) -> None:
        if not isinstance(choice.scheme, (BlockPunched, Block, Filter, Channel, Unstructured)):
            raise SchemeError(
                f"the group lasso has no groups for {choice.scheme}: use ADMMPruner",
                layer=choice.layer.name,
            )

    def _start(self) -> None:
        self._c = {layer.name: self._reweight(layer) for layer in self._layers}

    def _reweight(self, layer: MaskedLayer) -> torch.Tensor:
        return 1 / (group_squares(layer.weight, layer.choice.scheme) + self.epsilon)

    def _penalty(self, layer: MaskedLayer) -> torch.Tensor:
        squares = group_squares(layer.parameter, layer.choice.scheme)
        return (self._c[layer.name] * (squares + self.epsilon).sqrt()).sum() * self.strength

    def _update(self) -> None:
        for layer in self._layers:
            self._c[layer.name].copy_(self._reweight(layer))

    def _tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        return {"c": self._c}


def group_squares(weight: torch.Tensor, scheme: Scheme) -> torch.Tensor:
    """Squared L2 norm of every group of weights that a scheme keeps or removes together."""
    return unit_sums(weight.square(), scheme)


def unit_sums(values: torch.Tensor, scheme: Scheme) -> torch.Tensor:
    """Sum over every group of weights that a scheme keeps or removes together."""
    match scheme:
        case BlockPunched(filters, channels):
            return _block_sum(_block_sum(values, filters, 0), channels, 1)
        case Block(rows):
            return _block_sum(values.flatten(1), rows, 0)
        case Filter():
            return values.flatten(1).sum(1)
        case Channel():
            return values.transpose(0, 1).flatten(1).sum(1)
    return values


def _block_sum(values: torch.Tensor, size: int, axis: int) -> torch.Tensor:
    """Sum over runs of `size` along an axis; the last run may be short."""
    rows = values.movedim(axis, 0)
    shape = rows.shape[1:]
    padded = functional.pad(rows.flatten(1), (0, 0, 0, -len(rows) % size))
    return padded.unflatten(0, (-1, size)).sum(1).unflatten(1, shape).movedim(0, axis)
