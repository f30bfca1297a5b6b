# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A training loop around a pruner, for those who have none of their own."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from pconv_mlir.errors import OptionError, WeightsError
from pconv_mlir.prune.config import PruneConfig
from pconv_mlir.prune.report import PruneReport
from pconv_mlir.prune.schemes import Scheme
from pconv_mlir.prune.training.admm import ADMMPruner
from pconv_mlir.prune.training.batch_norm import recalibrate_batch_norm
from pconv_mlir.prune.training.gradual import GradualPruner
from pconv_mlir.prune.training.lasso import GroupLassoPruner
from pconv_mlir.prune.training.pruner import Pruner
from pconv_mlir.prune.training.ranked import MagnitudePruner

METHODS: dict[str, Callable[[int], Pruner]] = {
    "magnitude": lambda steps: MagnitudePruner(),
    "gradual": GradualPruner,
    "admm": ADMMPruner,
    "group-lasso": GroupLassoPruner,
}
TEMPERATURE = 4.0  # of distillation

Loss = Callable[[Any, Any], Any]
Optimizer = Callable[[Any, float], torch.optim.Optimizer]


def sgd(parameters: Any, lr: float) -> torch.optim.Optimizer:
    """The optimizer of `fit` unless another is given."""
    return torch.optim.SGD(parameters, lr, momentum=0.9, weight_decay=5e-4)


@dataclass(frozen=True)
class FitReport:
    """What `fit` did.

    Attributes:
        layers: What was pruned.
        losses: Mean loss of each epoch, with the pruner's penalty.
        residuals: Each layer's ||W - Z|| / ||W|| after each update of the pruner.
        scores: What `evaluate` said `before`, at the `hard` prune and `after`; empty without it.
    """

    layers: PruneReport
    losses: tuple[float, ...]
    residuals: tuple[dict[str, float], ...]
    scores: dict[str, float]


def fit(
    model: torch.nn.Module,
    config: PruneConfig | Scheme | str | Mapping[str, Any],
    data: Any,
    *,
    method: str | Pruner = "admm",
    epochs: int = 20,
    retrain_epochs: int = 20,
    lr: float = 0.01,
    retrain_lr: float | None = None,
    optimizer: Optimizer = sgd,
    loss: Loss = functional.cross_entropy,
    evaluate: Callable[[torch.nn.Module], float] | None = None,
    distill: float = 0.0,
    recalibrate: bool = False,
    autocast: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] = lambda line: None,
) -> FitReport:
    """Prune a trained network while it trains on, in place; the same seed gives the same result.

    `epochs` at the rate `lr` until the masks are frozen, then `retrain_epochs` with them, from
    `retrain_lr` down to zero along a cosine.

    Args:
        model: The trained dense network.
        config: Which layer gets which scheme; or one scheme, as for `magnitude`.
        data: Batches of inputs and targets, for example a `DataLoader`.
        method: `magnitude` (prunes at once, so without `epochs`), `gradual`, `admm` or
            `group-lasso`; or a pruner with settings of your own.
        epochs: Until hard pruning; fewer are used when the pruner is done earlier.
        retrain_epochs: After it.
        lr: Learning rate of the first part.
        retrain_lr: Where that of the second part begins; a tenth of `lr` by default.
        optimizer: Made of the parameters and the rate, once for each part; by default SGD with
            momentum 0.9 and weight decay 5e-4.
        loss: Of outputs and targets.
        evaluate: Says how good the model is, which is in eval mode then.
        distill: From 0 to 1: how much of the loss is that of copying the dense network's outputs,
            which have to be logits (Hinton et al., Distilling the Knowledge in a Neural Network,
            2015, section 2).
        recalibrate: Measure batch-norm statistics anew after hard pruning.
        autocast: Compute in bfloat16 where that is safe.
        seed: Of all random numbers that torch draws here; the caller's generator is left alone.
        progress: Gets a line after every epoch.

    Raises:
        OptionError: An unknown method, or a number out of range.
        WeightsError: The training has diverged.
        ConfigError: As for `Pruner.prepare`, like the other errors of pruning.
    """
    if epochs < 1 or retrain_epochs < 0 or not 0 <= distill <= 1 or lr <= 0:
        raise OptionError(
            f"expected epochs >= 1, retrain_epochs >= 0, 0 <= distill <= 1 and lr > 0, got {epochs}"
            f", {retrain_epochs}, {distill} and {lr}"
        )
    batches = len(data) if hasattr(data, "__len__") else 0
    if not batches:
        raise OptionError("expected data with a length, such as a DataLoader or a list of batches")
    pruner = _pruner(method, epochs * batches)
    teacher = copy.deepcopy(model).eval() if distill else None
    loop = _Loop(model, data, pruner, optimizer, loss, teacher, distill, autocast, progress)
    scores: dict[str, float] = {}

    def score(when: str) -> None:
        if evaluate is not None:
            with torch.no_grad():
                scores[when] = evaluate(model.eval())

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        score("before")
        pruner.prepare(model, config)
        if not pruner.frozen:
            loop.run(epochs, lr)
        pruner.freeze()
        residuals = tuple(pruner.history)
        if recalibrate:
            recalibrate_batch_norm(model, data)
        score("hard")
        loop.run(retrain_epochs, lr / 10 if retrain_lr is None else retrain_lr)
        layers = pruner.squash_mask()
        score("after")
    return FitReport(layers, tuple(loop.losses), residuals, scores)


def _pruner(method: str | Pruner, steps: int) -> Pruner:
    if isinstance(method, Pruner):
        return method
    if method not in METHODS:
        raise OptionError(f"expected a method among {', '.join(METHODS)}, got {method!r}")
    return METHODS[method](steps)


@dataclass
class _Loop:
    """Epochs of training, before and after the masks are frozen."""

    model: torch.nn.Module
    data: Any
    pruner: Pruner
    optimizer: Optimizer
    loss: Loss
    teacher: torch.nn.Module | None
    distill: float
    autocast: bool
    progress: Callable[[str], None]

    def __post_init__(self) -> None:
        self.device = next(self.model.parameters()).device
        self.losses: list[float] = []

    def run(self, epochs: int, lr: float) -> None:
        """Train: at a constant rate until the masks are frozen; if they are, along a cosine."""
        optimizer = self.optimizer(self.model.parameters(), lr)
        retrain = self.pruner.frozen
        steps = epochs * len(self.data)
        rate = (lambda step: (1 + math.cos(math.pi * step / steps)) / 2) if retrain else lambda _: 1
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        for epoch in range(epochs):
            self.model.train()
            self._epoch(optimizer, schedule, retrain)
            part = "retrain" if retrain else "prune"
            self.progress(f"{part} {epoch + 1}/{epochs}: loss {self.losses[-1]:.4f}")
            if self.pruner.frozen and not retrain:
                return

    def _epoch(self, optimizer: Any, schedule: Any, retrain: bool) -> None:
        losses = []
        for inputs, targets in self.data:
            loss = self._loss(inputs.to(self.device), targets.to(self.device))
            loss = loss + self.pruner.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            self.pruner.step()
            losses.append(loss.detach())
            if self.pruner.frozen and not retrain:
                break
        self.losses.append(float(torch.stack(losses).mean()))
        if not math.isfinite(self.losses[-1]):
            raise WeightsError("the training has diverged: use a smaller learning rate")

    def _loss(self, inputs: Any, targets: Any) -> Any:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            outputs = self.model(inputs)
            loss = self.loss(outputs, targets)
            if self.teacher is None:
                return loss
            with torch.no_grad():
                wanted = self.teacher(inputs)
            return (1 - self.distill) * loss + self.distill * _distillation(outputs, wanted)


def _distillation(outputs: Any, wanted: Any) -> Any:
    """Divergence from the softened outputs of the teacher, scaled like the plain loss."""
    divergence = functional.kl_div(
        functional.log_softmax(outputs / TEMPERATURE, 1),
        functional.log_softmax(wanted / TEMPERATURE, 1),
        reduction="batchmean",
        log_target=True,
    )
    return divergence * TEMPERATURE**2
