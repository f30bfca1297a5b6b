# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ADMM: pulls the weights towards the scheme while the network trains."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pconv_mlir.errors import OptionError
from pconv_mlir.prune.ranges import is_positive
from pconv_mlir.prune.training.masks import MaskedLayer
from pconv_mlir.prune.training.pruner import Pruner

#: How far the penalty of each stage pulls the weights from one update to the next, were it alone:
#: by the factor exp(-pull). docs/Rationale.md says why rho is not a constant.
PULLS = (0.5, 1.0, 2.0, 4.0)
UPDATES_PER_RHO = 3


class ADMMPruner(Pruner):
    """Minimises loss + sum over layers of rho/2 ||W - Z + U||^2 with Z in the set of the scheme.

    An update projects, Z = P(W + U), and adds up what is missing, U = U + W - Z (scaled dual form:
    Boyd et al., Distributed Optimization and Statistical Learning via ADMM, 2011, section 3.1.1;
    for pruning: Zhang et al., A Systematic DNN Weight Pruning Framework using ADMM, ECCV 2018,
    section 4). Kernel pattern and connectivity are one constraint, as in PCONV (AAAI 2020): kernels
    do not depend on each other, so choosing patterns first and then the kernels of largest
    remaining norm is the nearest point of both together, and one Z does for PatDNN's two.

    rho grows in equal stages; U shrinks as rho grows, since rho U is the unscaled dual variable.

    Args:
        steps: Steps until hard pruning.
        every: Steps from one update to the next; by default three updates in each stage.
        rhos: Penalty of each stage; by default such that the last one brings the weights to the
            scheme in the steps there are.
        rate: What the default of `rhos` counts with: the learning rate, for SGD with momentum over
            1 - momentum.
        tolerance: Prune hard as soon as no layer's ||W - Z|| / ||W|| is larger.

    Raises:
        OptionError: There are fewer updates than stages, or a number is out of range.
    """

    def __init__(
        self,
        steps: int,
        *,
        every: int | None = None,
        rhos: Sequence[float] | None = None,
        rate: float = 0.1,
        tolerance: float = 1e-2,
    ) -> None:
        stages = len(PULLS if rhos is None else rhos)
        if every is None:
            every = max(1, steps // (UPDATES_PER_RHO * max(1, stages)))
        super().__init__(steps, every)
        if not is_positive(rate):
            raise OptionError(f"expected a positive rate, got {rate}")
        rhos = [pull / (rate * every) for pull in PULLS] if rhos is None else rhos
        if not rhos or not all(map(is_positive, rhos)):
            raise OptionError(f"expected positive values of rho, got {list(rhos)}")
        if steps // every < len(rhos):
            raise OptionError(
                f"expected an update for each of {len(rhos)} values of rho, got {steps} steps with "
                f"an update every {every}"
            )
        self.rhos = tuple(rhos)
        self.tolerance = tolerance

    @property
    def rho(self) -> float:
        """The penalty of the present stage."""
        return self._rho_after(self.steps_done)

    def _rho_after(self, steps: int) -> float:
        updates = self.steps // self.every
        stage = steps // self.every * len(self.rhos) // updates
        return self.rhos[min(stage, len(self.rhos) - 1)]

    def _start(self) -> None:
        self._z = {layer.name: _projected(layer, layer.weight) for layer in self._layers}
        self._u = {name: torch.zeros_like(z) for name, z in self._z.items()}

    def _penalty(self, layer: MaskedLayer) -> torch.Tensor:
        missing = layer.parameter - self._z[layer.name] + self._u[layer.name]
        return missing.square().sum() * (self.rho / 2)

    def _update(self) -> None:
        shrink = self._rho_after(self.steps_done - 1) / self.rho
        for layer in self._layers:
            z, u = self._z[layer.name], self._u[layer.name]
            target = layer.weight + u
            z.copy_(_projected(layer, target))
            u.copy_((target - z) * shrink)

    def _converged(self) -> bool:
        return bool(self.history) and max(self.history[-1].values()) <= self.tolerance

    def _residual(self, layer: MaskedLayer) -> float:
        if self.frozen:
            return super()._residual(layer)
        weight = layer.weight
        return float((weight - self._z[layer.name]).norm() / weight.norm())

    def _tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        return {"z": self._z, "u": self._u}


def _projected(layer: MaskedLayer, weight: torch.Tensor) -> torch.Tensor:
    """The nearest point of the scheme's set."""
    return weight * layer.project(weight)
