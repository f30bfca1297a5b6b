# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A mask on the weight of a torch layer, as a parametrization.

The mask is a buffer, so state dicts, DDP, `torch.compile` and `copy.deepcopy` treat it like every
other state of the model. The parameter stays the same object, but comes after the bias for as long
as it is masked.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import parametrize

from pconv_mlir.prune.config import Choice
from pconv_mlir.prune.layers import TorchLayer, to_numpy


class Mask(nn.Module):  # type: ignore[misc]
    """Zeroes what the mask leaves out; a new mask keeps everything.

    Attributes:
        learns: Whether what the mask leaves out is trained all the same, as if it were used.
    """

    prunes = True
    mask: torch.Tensor
    learns = False

    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mask", torch.ones_like(weight, dtype=torch.bool))

    def forward(self, weight: torch.Tensor) -> torch.Tensor:
        masked = weight * self.mask
        return weight + (masked - weight).detach() if self.learns else masked


class MaskedLayer:
    """A layer whose weight wears a mask, from construction to `squash`."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self.kept_norm = 1.0
        assert isinstance(choice.layer, TorchLayer)
        self._module = choice.layer.module
        self._order = list(self._module._parameters)
        parametrize.register_parametrization(self._module, "weight", Mask(self._module.weight))

    @property
    def name(self) -> str:
        """The layer in the user's model."""
        return self.choice.layer.name

    @property
    def parameter(self) -> torch.Tensor:
        """What is trained."""
        return self._module.parametrizations.weight.original

    @property
    def mask(self) -> torch.Tensor:
        """Boolean, of the shape of the weight; changed in place."""
        return self._module.parametrizations.weight[0].mask

    @property
    def learns(self) -> bool:
        """Whether masked weights are trained too."""
        return bool(self._module.parametrizations.weight[0].learns)

    @learns.setter
    def learns(self, learns: bool) -> None:
        self._module.parametrizations.weight[0].learns = learns

    @property
    def weight(self) -> torch.Tensor:
        """What the layer computes with, detached."""
        return (self.parameter * self.mask).detach()

    def project(self, weight: torch.Tensor, scores: NDArray[Any] | None = None) -> torch.Tensor:
        """The mask of the layer's scheme that keeps most of a weight of its shape.

        Args:
            weight: What is projected.
            scores: What filters or channels are ranked by, instead of their norm.
        """
        mask = torch.from_numpy(self.choice.mask(to_numpy(weight), scores))
        return mask.to(weight.device)

    def freeze(self, scores: NDArray[Any] | None = None) -> None:
        """Mask what the projection of the present weight removes."""
        self.mask.copy_(self.project(self.weight, scores))
        before = self.parameter.detach()
        self.kept_norm = float((before * self.mask).norm() / before.norm())

    def squash(self) -> None:
        """Write the zeros into the parameter and remove the parametrization."""
        mask = self.mask.cpu().numpy()
        self.remove()
        self.choice.layer.apply(mask)

    def remove(self) -> None:
        """Remove the parametrization: the parameter is what the layer computed with."""
        parametrize.remove_parametrizations(self._module, "weight", leave_parametrized=True)
        parameters = self._module._parameters
        for name in self._order:  # the place of a parameter is its name in an optimizer's state
            parameters[name] = parameters.pop(name)
