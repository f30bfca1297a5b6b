# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Epochs of training under a pruner."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from pconv_mlir.errors import OptionError, WeightsError
from pconv_mlir.modes import modes_kept
from pconv_mlir.prune.training.checkpoint import Checkpoint
from pconv_mlir.prune.training.objective import Objective
from pconv_mlir.prune.training.pruner import Pruner

Optimizer = Callable[[Any, float], torch.optim.Optimizer]


@dataclass(frozen=True)
class Epoch:
    """An epoch that is over.

    Attributes:
        part: `prune` or `retrain`.
        number: From 1.
        of: Epochs of this part.
        loss: Mean over its batches, with the pruner's penalty.
        seconds: That it took.
        residual: The largest of the layers' ||W - Z|| / ||W||.
    """

    part: str
    number: int
    of: int
    loss: float
    seconds: float
    residual: float

    def __str__(self) -> str:
        return f"{self.part} {self.number}/{self.of}: loss {self.loss:.4f}"


@dataclass
class Loop:
    """Epochs of training, before and after the masks are frozen."""

    model: torch.nn.Module
    data: Any
    pruner: Pruner
    optimizer: Optimizer
    objective: Objective
    progress: Callable[[Epoch], None]
    saved: Checkpoint

    def __post_init__(self) -> None:
        self.losses: list[float] = []

    def resume(self) -> None:
        """Go on where the checkpoint was written."""
        self.losses = self.saved.restore(self.model, self.pruner)

    def run(self, part: str, epochs: int, lr: float) -> None:
        """Train: at a constant rate until the masks are frozen; after that along a cosine."""
        if not epochs:
            return
        optimizer = self.optimizer(self.model.parameters(), lr)
        steps = epochs * len(self.data)
        rate = (
            (lambda _: 1) if part == "prune" else lambda n: (1 + math.cos(math.pi * n / steps)) / 2
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
        for epoch in range(self.saved.resume(part, optimizer, schedule), epochs):
            start = time.monotonic()
            self._epoch(optimizer, schedule, part)
            seconds = time.monotonic() - start
            residual = max(self.pruner.residuals().values(), default=0.0)
            loss = self.losses[-1]
            with modes_kept(self.model):
                self.progress(Epoch(part, epoch + 1, epochs, loss, seconds, residual))
            states = (self.model, self.pruner, optimizer, schedule)
            self.saved.save(part, epoch + 1, self.losses, *states)
            if part == "prune" and self.pruner.frozen:
                return

    def _epoch(self, optimizer: Any, schedule: Any, part: str) -> None:
        losses = []
        for batch in self.data:
            inputs, targets = _pair(batch)
            device = self.objective.device
            loss = self.objective(inputs.to(device), targets.to(device))
            loss = loss + self.pruner.penalty()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            self.pruner.step()
            losses.append(loss.detach())
            if self.pruner.frozen and part == "prune":
                break
        self.losses.append(float(torch.stack(losses).mean()))
        if not math.isfinite(self.losses[-1]):
            raise WeightsError("the training has diverged: use a smaller learning rate")


def _pair(batch: Any) -> Any:
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        got = f"{len(batch)} values" if isinstance(batch, (tuple, list)) else type(batch).__name__
        raise OptionError(f"expected batches of inputs and targets, got {got}")
    return batch
