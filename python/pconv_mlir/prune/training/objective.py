# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a training minimises, without the pruner's penalty."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from pconv_mlir.errors import OptionError

Forward = Callable[[Any], Any]
Loss = Callable[[Any, Any], Any]
TEMPERATURE = 4.0  # of distillation


class Objective:
    """The loss of a batch on the model's device: of its targets, and of copying the dense network.

    Args:
        model: What is trained.
        loss: Of outputs and targets.
        distill: Share of the loss that is that of copying what the model is now.
        autocast: Compute in bfloat16 where that is safe.
        compiled: Compute with what `torch.compile` makes of both networks.
    """

    def __init__(
        self, model: torch.nn.Module, loss: Loss, distill: float, autocast: bool, compiled: bool
    ) -> None:
        self._outputs: Forward = _compiled(model) if compiled else model
        self._dense_outputs: Forward | None = None
        if distill:
            dense = copy.deepcopy(model).eval()
            self._dense_outputs = _compiled(dense) if compiled else dense
        # A model without parameters is refused when the pruner looks for layers.
        self.device = next(model.parameters(), torch.empty(0)).device
        self._loss = loss
        self._distill = distill
        self._autocast = autocast

    def __call__(self, inputs: Any, targets: Any) -> Any:
        """A scalar, with its gradient."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._autocast):
            outputs = self._outputs(inputs)
            loss = self._loss(outputs, targets)
            if self._dense_outputs is None:
                return loss
            with torch.no_grad():
                wanted = self._dense_outputs(inputs)
            return (1 - self._distill) * loss + self._distill * _divergence(outputs, wanted)


def _compiled(model: torch.nn.Module) -> Forward:
    """The model's forward pass, compiled when it is first called."""
    from torch._dynamo.exc import BackendCompilerFailed

    compiled = torch.compile(model)

    def forward(inputs: Any) -> Any:
        try:
            return compiled(inputs)
        except BackendCompilerFailed as error:
            reason = str(error.inner_exception).partition("\n")[0]
            message = f"torch cannot compile the model ({reason}): train it as it is"
            raise OptionError(message) from error

    return forward


def _divergence(outputs: Any, wanted: Any) -> Any:
    """Of the softened outputs from those of the teacher, scaled like the plain loss."""
    divergence = functional.kl_div(
        functional.log_softmax(outputs / TEMPERATURE, 1),
        functional.log_softmax(wanted / TEMPERATURE, 1),
        reduction="batchmean",
        log_target=True,
    )
    return divergence * TEMPERATURE**2
