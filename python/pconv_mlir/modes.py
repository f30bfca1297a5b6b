# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Training and evaluation mode of torch modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@contextmanager
def modes_kept(model: torch.nn.Module) -> Iterator[None]:
    """Puts the mode of every module back: `model.train()` would wake up the frozen ones."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training
