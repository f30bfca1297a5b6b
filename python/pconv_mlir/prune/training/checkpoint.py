# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The state of a training in a file, so that it can go on later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from pconv_mlir import container
from pconv_mlir.errors import PruneError
from pconv_mlir.prune.training.pruner import Pruner


class Checkpoint:
    """A training as it was after its last finished epoch; without a path, nothing is kept.

    Args:
        path: Of the file; it need not exist yet. Read without executing anything in it.
        settings: Plain values that have to be the same when the training goes on.

    Raises:
        PruneError: The file is damaged, or of another training.
    """

    def __init__(self, path: str | Path | None, settings: Sequence[Any]) -> None:
        self._path = path
        self._settings = list(settings)
        self._state: dict[str, Any] = {}
        #: What the evaluation said so far.
        self.scores: dict[str, float] = {}
        if path is not None and Path(path).exists():
            self._state = _read(path)
            if self._state.get("settings") != self._settings:
                raise PruneError(f"{path} was written by a training with other settings: remove it")
            self.scores = dict(self._state["scores"])

    def is_in(self, part: str) -> bool:
        """Whether the training has finished an epoch of this part, its last one so far."""
        return bool(self._state) and self._state["part"] == part

    def restore(self, model: torch.nn.Module, pruner: Pruner) -> list[float]:
        """Load the model, the pruner and the random numbers.

        Returns:
            The losses so far.
        """
        if not self._state:
            return []
        try:
            model.load_state_dict(self._state["model"])
            pruner.load_state_dict(self._state["pruner"])
            torch.set_rng_state(self._state["random"])
        except (KeyError, RuntimeError) as error:
            raise PruneError(f"{self._path} is of another network: {error}") from error
        return list(self._state["losses"])

    def resume(self, part: str, optimizer: Any, schedule: Any) -> int:
        """Load the optimizer and its schedule.

        Returns:
            How many epochs of the part are done.
        """
        if not self.is_in(part):
            return 0
        optimizer.load_state_dict(self._state["optimizer"])
        schedule.load_state_dict(self._state["schedule"])
        return int(self._state["epoch"])

    def save(
        self,
        part: str,
        epoch: int,
        losses: Sequence[float],
        model: torch.nn.Module,
        pruner: Pruner,
        optimizer: Any,
        schedule: Any,
    ) -> None:
        """Replace the file, whole."""
        if self._path is None:
            return
        state = {
            "settings": self._settings,
            "part": part,
            "epoch": epoch,
            "losses": list(losses),
            "scores": dict(self.scores),
            "model": model.state_dict(),
            "pruner": pruner.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        with container.write_atomically(self._path) as file:
            torch.save(state, file)


def _read(path: str | Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle answers damage with errors of all kinds
        raise PruneError(f"{path} is damaged or no checkpoint") from error
    if not isinstance(state, dict) or "part" not in state:
        raise PruneError(f"{path} is no checkpoint of a training")
    return state
