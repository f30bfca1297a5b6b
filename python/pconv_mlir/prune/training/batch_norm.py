# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Batch-norm statistics that fit the pruned weights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from pconv_mlir.modes import modes_kept


@torch.no_grad()  # type: ignore[untyped-decorator]
def recalibrate_batch_norm(model: nn.Module, data: Iterable[Any], *, batches: int = 100) -> None:
    """Measure the running statistics of all batch-norm layers anew; no weight changes.

    Pruning shifts the statistics of every activation, and a network that is measured with the old
    ones looks worse than it is. The new ones are plain averages over the batches.

    Args:
        model: Its layers of batch norm change; every module is left in the mode it was in.
        data: Batches of inputs, alone or with targets.
        batches: Of them, how many are looked at.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    momenta = [module.momentum for module in norms]
    device = next(model.parameters()).device
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # cumulative average
    try:
        with modes_kept(model):
            model.train()
            for batch, _ in zip(data, range(batches), strict=False):
                inputs = batch[0] if isinstance(batch, (tuple, list)) else batch
                model(inputs.to(device))
    finally:
        for module, momentum in zip(norms, momenta, strict=True):
            module.momentum = momentum
