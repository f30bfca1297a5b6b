# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A training loop around a pruner, for those who have none of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from pconv_mlir.errors import OptionError
from pconv_mlir.modes import modes_kept
from pconv_mlir.prune.config import PruneConfig
from pconv_mlir.prune.ranges import is_integer, is_positive
from pconv_mlir.prune.report import PruneReport
from pconv_mlir.prune.schemes import Scheme
from pconv_mlir.prune.scores import Evaluate, score
from pconv_mlir.prune.training.admm import ADMMPruner
from pconv_mlir.prune.training.batch_norm import recalibrate_batch_norm
from pconv_mlir.prune.training.checkpoint import Checkpoint
from pconv_mlir.prune.training.gradual import GradualPruner
from pconv_mlir.prune.training.lasso import GroupLassoPruner
from pconv_mlir.prune.training.loop import Epoch, Loop, Optimizer
from pconv_mlir.prune.training.objective import Loss, Objective
from pconv_mlir.prune.training.pruner import Pruner
from pconv_mlir.prune.training.ranked import MagnitudePruner

MOMENTUM = 0.9

# Made of the number of steps and the learning rate.
METHODS: dict[str, Callable[[int, float], Pruner]] = {
    "magnitude": lambda steps, lr: MagnitudePruner(),
    "gradual": lambda steps, lr: GradualPruner(steps),
    "admm": lambda steps, lr: ADMMPruner(steps, rate=lr / (1 - MOMENTUM)),
    "group-lasso": lambda steps, lr: GroupLassoPruner(steps),
}


def sgd(parameters: Any, lr: float) -> torch.optim.Optimizer:
    """The optimizer of `fit` unless another is given."""
    return torch.optim.SGD(parameters, lr, momentum=MOMENTUM, weight_decay=5e-4)


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
    evaluate: Evaluate | None = None,
    distill: float = 0.0,
    recalibrate: bool = False,
    autocast: bool = False,
    compiled: bool = False,
    seed: int = 0,
    checkpoint: str | Path | None = None,
    progress: Callable[[Epoch], None] = lambda epoch: None,
) -> FitReport:
    """Prune a trained network while it trains on, in place; the same seed gives the same result.

    `epochs` at the rate `lr` until the masks are frozen, then `retrain_epochs` with them, from
    `retrain_lr` down to zero along a cosine. Where it fails or is interrupted, the model keeps the
    weights of that moment and wears no masks.

    Args:
        model: The trained dense network. In training mode it is trained with every module in the
            mode that it has, so that a frozen one stays frozen; in eval mode, as a whole. The modes
            are put back afterwards.
        config: Which layer gets which scheme; or one scheme, as for `magnitude`.
        data: Batches of inputs and targets, for example a `DataLoader`.
        method: `magnitude` (prunes at once, so without `epochs`; with the scheme `dense` it only
            trains, for the network that pruning is measured against), `gradual`, `admm` or
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
        recalibrate: Measure batch-norm statistics anew after hard pruning, those of frozen modules
            too.
        autocast: Compute in bfloat16 where that is safe.
        compiled: Train what `torch.compile` makes of the model: slow first steps, faster ones after
            them. On a CPU it needs a C++ compiler.
        seed: Of all random numbers that torch draws here; the caller's generator is left alone.
        checkpoint: A file that is written after every epoch; where it exists already, the training
            goes on from there, on the same dense model, and ends as if it had never stopped.
        progress: Gets every epoch when it is over; `str()` of it is a line. May evaluate the model.

    Raises:
        OptionError: An unknown method, a number out of range, data that is no batches of inputs
            and targets, an `evaluate` that gives no number, or a model that torch cannot compile.
        WeightsError: The training has diverged.
        PruneError: The checkpoint is of another training, or damaged.
        ConfigError: As for `Pruner.prepare`, like the other errors of pruning.
    """
    if not is_integer(epochs, 1) or not is_integer(retrain_epochs):
        raise OptionError(
            f"expected epochs >= 1 and retrain_epochs >= 0, got {epochs} and {retrain_epochs}"
        )
    retrain_lr = lr / 10 if retrain_lr is None else retrain_lr
    if not is_positive(lr) or not is_positive(retrain_lr) or not 0 <= distill <= 1:
        raise OptionError(
            f"expected lr > 0, retrain_lr > 0 and 0 <= distill <= 1, got {lr}, {retrain_lr} and "
            f"{distill}"
        )
    batches = _batches(data)
    pruner = _pruner(method, epochs * batches, lr)
    settings = (
        *(epochs, retrain_epochs, lr, retrain_lr, distill, recalibrate, autocast, compiled),
        *(seed, batches, getattr(data, "batch_size", None), pruner.steps, pruner.every),
    )
    saved = Checkpoint(checkpoint, settings)
    objective = Objective(model, loss, distill, autocast, compiled)
    loop = Loop(model, data, pruner, optimizer, objective, progress, saved)
    scores: dict[str, float] = saved.scores

    def measure(when: str) -> None:
        if evaluate is not None and when not in scores:
            scores[when] = score(model, evaluate)

    with torch.random.fork_rng(), modes_kept(model):
        torch.manual_seed(seed)
        if not model.training:
            model.train()
        pruner.check(model, config)  # evaluating may take long
        measure("before")  # `prepare` prunes already where that is done in one shot
        pruner.prepare(model, config)
        try:
            loop.resume()
            if not pruner.frozen:
                loop.run("prune", epochs, lr)
            if not saved.is_in("retrain"):
                pruner.freeze()
                if recalibrate:
                    recalibrate_batch_norm(model, data)
                measure("hard")
            residuals = tuple(pruner.history)
            loop.run("retrain", retrain_epochs, retrain_lr)
            layers = pruner.squash_mask()
        except BaseException:  # the pruner is out of the caller's reach
            pruner.give_up()
            raise
        measure("after")
    return FitReport(layers, tuple(loop.losses), residuals, scores)


def _batches(data: Any) -> int:
    batches = len(data) if hasattr(data, "__len__") else 0
    if not batches:
        raise OptionError("expected data with a length, such as a DataLoader or a list of batches")
    return batches


def _pruner(method: str | Pruner, steps: int, lr: float) -> Pruner:
    if isinstance(method, Pruner):
        return method
    if method not in METHODS:
        raise OptionError(f"expected a method among {', '.join(METHODS)}, got {method!r}")
    return METHODS[method](steps, lr)
