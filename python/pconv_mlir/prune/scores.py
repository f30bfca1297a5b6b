# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How good a network is, as its user measures it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pconv_mlir.errors import OptionError
from pconv_mlir.modes import modes_kept

if TYPE_CHECKING:
    import torch

Evaluate = Callable[["torch.nn.Module"], float]


def score(model: torch.nn.Module, evaluate: Evaluate) -> float:
    """What `evaluate` says of a model in eval mode, without gradients; the modes are put back.

    Raises:
        OptionError: It gives something else than a number.
    """
    import torch

    with torch.no_grad(), modes_kept(model):
        value = evaluate(model.eval())
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise OptionError(
            f"expected evaluate to give a number, got {type(value).__name__}"
        ) from error
