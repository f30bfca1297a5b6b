# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Guided sparsity learning: single weights go only where that makes the network faster."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import torch

from pconv_mlir.errors import ConfigError, OptionError, PruneError, SchemeError
from pconv_mlir.prune.config import Choice
from pconv_mlir.prune.ranges import is_positive
from pconv_mlir.prune.report import PruneReport
from pconv_mlir.prune.schemes import Unstructured
from pconv_mlir.prune.training.masks import MaskedLayer
from pconv_mlir.prune.training.pruner import Pruner

if TYPE_CHECKING:
    from pconv_mlir.performance.model import LayerModel

STABLE_CHECKS = 3
STABLE_CHANGE = 0.005  # of the share of zeros
RETURN_DECAY = 1e-4  # of the probability that a mask changes
LOWER, UPPER = 0.9, 1.1  # of the threshold: between them a weight stays what it is


class GuidedPruner(Pruner, ABC):
    """Prunes single weights of the layers in which a performance model promises speed.

    A layer for which it promises none is left dense from the start. Of the others, at every check,
    one that is as sparse as is useful (1 - `x_lo`, or the rate of its scheme) keeps its mask from
    then on. One whose sparsity has come to rest where dense would be faster (up to 1 - `x_hi`) is
    dropped: the weights that it had in `prepare` come back, and it goes on training as a dense
    layer. In the end the masks are frozen, and every further step retrains.

    Park et al., Faster CNNs with Direct Sparse Convolutions and Guided Pruning (SkimCaffe, ICLR
    2017, arXiv 1608.01409), section 2.3. The paper leaves open when sparsity is at rest: here, when
    it has changed by less than half a per cent over three checks.

    Args:
        steps: Steps until the masks are frozen.
        models: The performance model of every layer to be pruned, by name, as
            `pconv_mlir.performance.layer_models` measures them.
        every: Steps from one check to the next; by default a twentieth of the way.
        begin: Steps before a layer may be dropped; by default half of the way.

    Raises:
        OptionError: A number is out of range.

    Not handled: schemes other than `Unstructured`, whose rate is the most that a layer is pruned.
    """

    #: Whether masked weights are trained too, and may come back.
    shadow_weights = False

    def __init__(
        self,
        steps: int,
        models: Mapping[str, LayerModel],
        *,
        every: int | None = None,
        begin: int | None = None,
    ) -> None:
        super().__init__(steps, max(1, steps // 20) if every is None else every)
        self.begin = steps // 2 if begin is None else begin
        if not 0 <= self.begin <= steps:
            raise OptionError(f"expected 0 <= begin <= steps, got {begin} and {steps} steps")
        self.models = dict(models)

    def _select(self, choices: list[Choice]) -> list[Choice]:
        chosen = [choice if choice.note else self._gated(choice) for choice in choices]
        reasons = [
            f"{after.layer.name}: {after.note}"
            for before, after in zip(choices, chosen, strict=True)
            if after.note and not before.note
        ]
        if reasons and all(choice.note for choice in chosen):
            raise SchemeError(
                f"the performance model promises no speed in any layer ({'; '.join(reasons)}): "
                "choose layers with more work for each byte, or give a model of another machine"
            )
        return chosen

    def _gated(self, choice: Choice) -> Choice:
        """Left dense where the model promises nothing."""
        name = choice.layer.name
        if not isinstance(choice.scheme, Unstructured):
            raise SchemeError(
                f"guided sparsity learning prunes single weights, got {choice.scheme}: use "
                "unstructured@RATE, or another pruner",
                layer=name,
            )
        if name not in self.models:
            near = get_close_matches(name, self.models, n=3)
            raise ConfigError(
                "there is no performance model of it"
                + (f", but of {' and '.join(near)}" if near else "")
                + ": make one with performance.layer_models, or leave the layer dense",
                layer=name,
            )
        model = self.models[name]
        useless = model.useless
        if not useless and 1 / choice.scheme.rate >= model.x_hi:
            useless = (
                f"{choice.scheme} keeps {1 / choice.scheme.rate:.1%}, and dense is slower only "
                f"where less than {model.x_hi:.1%} is kept"
            )
        return replace(choice, note=f"not worth it: {useless}") if useless else choice

    def _start(self) -> None:
        #: Why a layer was dropped, or nothing for one whose mask is settled; not there while it
        #: learns.
        self._outcomes: dict[str, str] = {}
        self._zeros: dict[str, list[float]] = {layer.name: [] for layer in self._layers}
        self._dense = {layer.name: layer.parameter.detach().clone() for layer in self._layers}
        for layer in self._layers:
            layer.learns = self.shadow_weights

    @property
    def _learning(self) -> list[MaskedLayer]:
        return [layer for layer in self._layers if layer.name not in self._outcomes]

    def _observe(self) -> None:
        for layer in self._learning:
            weight = layer.parameter if self.shadow_weights else layer.weight
            layer.mask.copy_(_at_least(self._kept(layer), self._mask(layer), weight))

    @abstractmethod
    def _mask(self, layer: MaskedLayer) -> torch.Tensor:
        """The mask that the method would choose now."""

    def _kept(self, layer: MaskedLayer) -> int:
        """The fewest weights that are worth keeping."""
        scheme = layer.choice.scheme
        assert isinstance(scheme, Unstructured)
        share = max(self.models[layer.name].x_lo, 1 / scheme.rate)
        return max(1, math.ceil(share * int(layer.mask.numel())))

    def _update(self) -> None:
        for layer in self._learning:
            zeros = self._zeros[layer.name]
            zeros.append(_zeros(layer))
            recent = zeros[-STABLE_CHECKS - 1 :]
            at_rest = len(recent) > STABLE_CHECKS and max(recent) - min(recent) < STABLE_CHANGE
            if int(layer.mask.sum()) <= self._kept(layer):
                self._settle(layer)
            elif at_rest and self.steps_done >= self.begin and self._is_slow(layer):
                self._drop(layer)

    def _is_slow(self, layer: MaskedLayer) -> bool:
        """Whether dense would be faster."""
        return _zeros(layer) <= 1 - self.models[layer.name].x_hi

    def _settle(self, layer: MaskedLayer) -> None:
        self._outcomes[layer.name] = ""
        layer.learns = False
        weight = layer.parameter.detach()
        layer.kept_norm = float((weight * layer.mask).norm() / weight.norm())

    def _drop(self, layer: MaskedLayer) -> None:
        """Bring back the dense weights."""
        needed = 1 - self.models[layer.name].x_hi
        self._outcomes[layer.name] = (
            f"not worth it: {_zeros(layer):.1%} zeros, and dense is faster up to {needed:.1%}"
        )
        layer.learns = False
        layer.mask.fill_(True)
        with torch.no_grad():
            layer.parameter.copy_(self._dense[layer.name])

    def freeze(self) -> None:
        """Settle all layers that still learn, or drop them: the masks stay as they are now."""
        self._check_prepared()
        if not self.frozen:
            for layer in self._learning:
                (self._drop if self._is_slow(layer) else self._settle)(layer)
            self.frozen = True

    def squash_mask(self) -> PruneReport:
        """As for every pruner; the report has the rate that each layer has reached."""
        self.freeze()
        reached = {layer.name: _zeros(layer) for layer in self._layers}
        self._choices = [self._reported(choice, reached) for choice in self._choices]
        return super().squash_mask()

    def _reported(self, choice: Choice, zeros: Mapping[str, float]) -> Choice:
        name = choice.layer.name
        if note := self._outcomes.get(name):
            return replace(choice, note=note)
        if name not in zeros:
            return choice
        return replace(choice, scheme=Unstructured(round(1 / (1 - zeros[name]), 2)))

    def _converged(self) -> bool:
        return not self._learning

    def _residual(self, layer: MaskedLayer) -> float:
        if self.frozen or layer.name in self._outcomes:
            return 0.0
        weight = layer.parameter.detach()
        return float((weight * ~layer.mask).norm() / weight.norm())

    def _tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        return {"dense": self._dense}

    def state_dict(self) -> dict[str, Any]:
        """As for every pruner."""
        state = super().state_dict()
        zeros = {name: list(row) for name, row in self._zeros.items()}
        return {**state, "outcomes": dict(self._outcomes), "zeros": zeros}

    def _load(self, state: Mapping[str, Any]) -> None:
        if set(state["zeros"]) != set(self._zeros):
            raise PruneError(
                "the state was saved with another performance model: it prunes "
                f"{', '.join(state['zeros'])}, this one {', '.join(self._zeros)}"
            )
        super()._load(state)
        self._outcomes = {str(name): str(note) for name, note in state["outcomes"].items()}
        self._zeros = {name: [float(x) for x in row] for name, row in state["zeros"].items()}
        for layer in self._layers:
            layer.learns = self.shadow_weights and layer.name not in self._outcomes


class GESLPruner(GuidedPruner):
    """Guided element-wise sparsity learning: minimises loss + strength * sum |w|.

    Weights whose magnitude falls to the threshold are masked for good.

    Args:
        steps, models, every, begin: As for `GuidedPruner`.
        strength: Of the lasso: right when zeros grow and the accuracy does not fall. The paper's
            5e-5 is for some 450,000 steps; with fewer, more is needed.
        threshold: Magnitude that counts as zero.

    Raises:
        OptionError: A number is out of range.
    """

    def __init__(
        self,
        steps: int,
        models: Mapping[str, LayerModel],
        *,
        every: int | None = None,
        begin: int | None = None,
        strength: float = 5e-5,
        threshold: float = 1e-4,
    ) -> None:
        super().__init__(steps, models, every=every, begin=begin)
        if not is_positive(strength) or not is_positive(threshold):
            raise OptionError(
                f"expected positive strength and threshold, got {strength} and {threshold}"
            )
        self.strength = strength
        self.threshold = threshold

    def _penalty(self, layer: MaskedLayer) -> torch.Tensor:
        if layer.name in self._outcomes:
            return super()._penalty(layer)
        return (layer.parameter * layer.mask).abs().sum() * self.strength

    def _mask(self, layer: MaskedLayer) -> torch.Tensor:
        return layer.mask & (layer.parameter.detach().abs() > self.threshold)


class GDNSPruner(GuidedPruner):
    """Guided dynamic network surgery: masked weights go on learning, and may come back.

    With t = mean + spread * std of a layer's magnitudes, weights below 0.9 t are masked and those
    above 1.1 t are not; between them nothing changes. Masks change at a step with probability
    1 / (1 + 1e-4 steps). Guo et al., Dynamic Network Surgery for Efficient DNNs (NeurIPS 2016,
    arXiv 1608.04493), sections 3.2 and 3.3.

    Args:
        steps, models, every, begin: As for `GuidedPruner`.
        spread: How many standard deviations the threshold lies above the mean: with normal weights,
            0 masks some 58 % of them, 1 some 84 %, 2 some 95 %.
        seed: Of when masks change.

    Raises:
        OptionError: A number is out of range.
    """

    shadow_weights = True

    def __init__(
        self,
        steps: int,
        models: Mapping[str, LayerModel],
        *,
        every: int | None = None,
        begin: int | None = None,
        spread: float = 1.0,
        seed: int = 0,
    ) -> None:
        super().__init__(steps, models, every=every, begin=begin)
        if not math.isfinite(spread):
            raise OptionError(f"expected a finite spread, got {spread}")
        self.spread = spread
        self.seed = seed

    def _observe(self) -> None:
        # Seeded by the step, so that an interrupted run goes on with the same draws.
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.steps_done)
        if torch.rand((), generator=generator) < 1 / (1 + RETURN_DECAY * self.steps_done):
            super()._observe()

    def _mask(self, layer: MaskedLayer) -> torch.Tensor:
        size = layer.parameter.detach().abs()
        threshold = (size.mean() + self.spread * size.std()).clamp(min=0)
        return (layer.mask & (size >= LOWER * threshold)) | (size > UPPER * threshold)


def _zeros(layer: MaskedLayer) -> float:
    """Share of the weights that are masked."""
    return 1 - int(layer.mask.sum()) / int(layer.mask.numel())


def _at_least(keep: int, mask: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """The mask, or the largest weights where it would keep too few; ties keep the first."""
    if int(mask.sum()) >= keep:
        return mask
    order = weight.detach().abs().flatten().argsort(descending=True, stable=True)
    fuller = torch.zeros_like(mask).flatten()
    fuller[order[:keep]] = True
    return fuller.view_as(mask)
