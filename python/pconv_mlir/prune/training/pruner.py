# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What all pruners have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch.nn.parallel import DistributedDataParallel

from pconv_mlir.errors import ConfigError, OptionError, PruneError
from pconv_mlir.prune.config import Choice, PruneConfig
from pconv_mlir.prune.layers import Layer, find_layers, wrappers
from pconv_mlir.prune.ranges import is_integer
from pconv_mlir.prune.report import PruneReport, describe
from pconv_mlir.prune.schemes import Scheme, parse_scheme
from pconv_mlir.prune.training.masks import MaskedLayer

VERSION = 1


class Pruner:
    """Prunes a network while a training loop of the user's trains it.

        pruner.prepare(model, config)
        for inputs, targets in batches:
            loss = criterion(model(inputs), targets) + pruner.penalty()
            optimizer.zero_grad(); loss.backward(); optimizer.step()
            pruner.step()
        report = pruner.squash_mask()

    After `steps` steps the masks are frozen (hard pruning); the steps that follow retrain what is
    left. Prepare the model before it is wrapped in DDP, and make the optimizer then: masks change
    the order of the parameters, which the state of an optimizer relies on. To save a training, save
    `model.state_dict()` and `pruner.state_dict()` too; to go on, prepare a new model in the same
    way and load both.

    Args:
        steps: Steps until the masks are frozen.
        every: Steps from one update to the next.

    Raises:
        OptionError: `steps` is negative, or `every` not positive.
    """

    def __init__(self, steps: int, every: int) -> None:
        if not is_integer(steps) or not is_integer(every, 1):
            raise OptionError(f"expected steps >= 0 and every >= 1, got {steps} and {every}")
        self.steps = steps
        self.every = every
        self._clear()

    def _clear(self) -> None:
        self.steps_done = 0
        self.frozen = False
        #: The residuals of every layer after each update, and before the masks were frozen.
        self.history: list[dict[str, float]] = []
        self._config = PruneConfig()
        self._choices: list[Choice] = []
        self._layers: list[MaskedLayer] = []

    def check(
        self, model: torch.nn.Module, config: PruneConfig | Scheme | str | Mapping[str, Any]
    ) -> None:
        """Fail as `prepare` would, and change nothing.

        Args:
            model: As for `prepare`.
            config: As for `prepare`.

        Raises:
            PruneError: The pruner has a model already, or the model is in
                DistributedDataParallel, which loses sight of parameters that get a mask.
            ConfigError: The config does not fit the model.
            SchemeError: A scheme does not fit its layer, its rate would leave nothing of it, its
                weight is shared, or it is being pruned already.
            WeightsError: A weight is NaN or infinite, or wholly zero.
        """
        self._choose(model, PruneConfig.of(config))

    def prepare(
        self, model: torch.nn.Module, config: PruneConfig | Scheme | str | Mapping[str, Any]
    ) -> None:
        """Put masks that keep everything on the layers to be pruned; in one shot, prune them.

        Args:
            model: Changed in place.
            config: Which layer gets which scheme; or one scheme, as for `magnitude`.

        Raises:
            PruneError, ConfigError, SchemeError, WeightsError: As for `check`, before the model is
                touched.
        """
        config = PruneConfig.of(config)
        layers, self._choices = self._choose(model, config)
        self._config = config.made_for(layers)
        self._layers = [MaskedLayer(choice) for choice in self._choices if not choice.note]
        self._start()

    def _choose(
        self, model: torch.nn.Module, config: PruneConfig
    ) -> tuple[list[Layer], list[Choice]]:
        """All layers, and what becomes of each; raises what `check` does."""
        if self._choices:
            raise PruneError("this pruner has a model already: call squash_mask() first")
        if any(isinstance(module, DistributedDataParallel) for module in wrappers(model)):
            raise PruneError("prepare the network first, then wrap it in DistributedDataParallel")
        layers = find_layers(model)
        choices = self._select(config.choose(layers))
        for choice in choices:
            if not choice.note:
                choice.mask(choice.layer.value)
                self._check(choice)
        return layers, choices

    def penalty(self) -> torch.Tensor:
        """What to add to the loss: a scalar, zero once the masks are frozen."""
        self._follow_model()
        terms = [] if self.frozen else [self._penalty(layer) for layer in self._layers]
        device = self._layers[0].parameter.device if self._layers else None
        return sum(terms, torch.zeros((), device=device))

    def step(self) -> None:
        """Count one step of the optimizer; update what is due.

        Raises:
            PruneError: The method needs gradients, and there are none any more.
            WeightsError: A weight has become NaN or infinite.
        """
        self._follow_model()
        self.steps_done += 1
        if self.frozen:
            return
        self._observe()
        last = self.steps_done >= self.steps
        if last or self.steps_done % self.every == 0:
            self._update()
            self.history.append(self.residuals())
        if last or self._converged():
            self.freeze()

    def freeze(self) -> None:
        """Prune hard: fix the masks by the weights as they are now, if they are not fixed yet."""
        self._check_prepared()
        if not self.frozen:
            for layer in self._layers:
                layer.freeze(self._scores(layer))
            self.frozen = True

    def residuals(self) -> dict[str, float]:
        """How far each layer is from its constraint: ||W - Z|| / ||W||, Z the nearest point."""
        self._check_prepared()
        return {layer.name: self._residual(layer) for layer in self._layers}

    def squash_mask(self) -> PruneReport:
        """Write the zeros into the weights and remove the masks: the model is a plain one again.

        Prunes hard first, if that is still to be done. The pruner is then free for another model.
        """
        self.freeze()
        kept = {layer.name: layer.kept_norm for layer in self._layers}
        for layer in self._layers:
            layer.squash()
        rows = [describe(choice, kept.get(choice.layer.name, 1.0)) for choice in self._choices]
        config = self._config
        self._clear()
        return PruneReport(tuple(rows), config)

    def give_up(self) -> None:
        """Remove the masks without pruning any further, for a training that has failed.

        The model is a plain one with the weights that it has now, and the pruner is free.
        """
        for layer in self._layers:
            layer.remove()
        self._clear()

    @property
    def config(self) -> PruneConfig:
        """The config, bound to this network."""
        return self._config

    def state_dict(self) -> dict[str, Any]:
        """All state that is not in the model: plain values and tensors, without pickled code."""
        self._check_prepared()
        return {
            "version": VERSION,
            "method": type(self).__name__,
            "config": self._config.to_dict(),
            "libraries": {c.layer.name: str(c.spelled_out) for c in self._choices if c.library},
            "kept_norm": {layer.name: layer.kept_norm for layer in self._layers},
            "steps_done": self.steps_done,
            "frozen": self.frozen,
            "history": [dict(row) for row in self.history],
            "tensors": self._tensors(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another pruner of the same kind stopped, on the model that was its own.

        Mined pattern libraries come from the state, not from the model.

        Raises:
            PruneError: The state is of another kind of pruner, or of another version.
            ConfigError: It was saved with another network or config.
        """
        self._check_prepared()
        _check_state(state, type(self).__name__)
        if PruneConfig.of(state["config"]) != self._config:
            raise ConfigError("the state was saved with another network or config than this one")
        try:
            self._load(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise PruneError(f"the state is damaged: {type(error).__name__} {error}") from error

    def _load(self, state: Mapping[str, Any]) -> None:
        for layer in self._layers:
            layer.choice = _with_library(layer.choice, state["libraries"])
            layer.kept_norm = float(state["kept_norm"][layer.name])
        self._choices = [_with_library(choice, state["libraries"]) for choice in self._choices]
        self.steps_done = int(state["steps_done"])
        self.frozen = bool(state["frozen"])
        self.history = [dict(row) for row in state["history"]]
        for key, tensors in self._tensors().items():
            for name, tensor in tensors.items():
                tensor.copy_(state["tensors"][key][name])

    # What the methods differ in

    def _select(self, choices: list[Choice]) -> list[Choice]:
        """Leave more layers alone than the config does."""
        return choices

    def _check(self, choice: Choice) -> None:
        """Refuse a scheme that the method cannot reach."""

    def _start(self) -> None:
        """Set up the method's own state."""

    def _penalty(self, layer: MaskedLayer) -> torch.Tensor:
        return torch.zeros((), device=layer.parameter.device)

    def _observe(self) -> None:
        """Look at the gradients of a step."""

    def _scores(self, layer: MaskedLayer) -> NDArray[Any] | None:
        """What filters or channels are ranked by; None for their norm."""
        return None

    def _update(self) -> None:
        """Do what is due every `every` steps."""

    def _converged(self) -> bool:
        return False

    def _residual(self, layer: MaskedLayer) -> float:
        weight = layer.weight
        return float((weight * ~layer.project(weight, self._scores(layer))).norm() / weight.norm())

    def _tensors(self) -> dict[str, dict[str, torch.Tensor]]:
        """The method's own tensors by purpose and layer."""
        return {}

    def _follow_model(self) -> None:
        """Keep the method's tensors where the parameters are: a model may be moved at any time."""
        self._check_prepared()
        for tensors in self._tensors().values():
            for layer in self._layers:
                tensors[layer.name] = tensors[layer.name].to(layer.parameter)

    def _check_prepared(self) -> None:
        if not self._choices:
            raise PruneError("this pruner has no model: call prepare(model, config) first")


def _with_library(choice: Choice, libraries: Mapping[str, str]) -> Choice:
    if choice.library is None:
        return choice
    scheme = parse_scheme(libraries[choice.layer.name])
    return replace(choice, library=getattr(scheme, "fixed_library", None))


def _check_state(state: Mapping[str, Any], method: str) -> None:
    if state.get("method") != method or state.get("version") != VERSION:
        raise PruneError(
            f"expected the state of a {method}, version {VERSION}, got that of a "
            f"{state.get('method')}, version {state.get('version')}"
        )
