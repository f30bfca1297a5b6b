# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The compiled network that users call."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import artefact as _artefact
from ..artefact import Artefact
from ..errors import DTypeError, OptionError, ShapeError
from ..manifest import Manifest, Slot
from .device import Device, LocalDevice, Program


@dataclass(frozen=True)
class Profile:
    """Where the time of a run goes.

    Attributes:
        ms: Median milliseconds of a whole run.
        steps: Median milliseconds of every step, in the order of `Manifest.steps`.
        fastest: The least milliseconds of every step: for constants that are kept for long.
    """

    ms: float
    steps: tuple[float, ...]
    fastest: tuple[float, ...] = ()


class Network:
    """A compiled network: call it with NumPy arrays or torch tensors.

    >>> y = net(x)                                                      # doctest: +SKIP

    Attributes:
        artefact: Code, weights and manifest.
    """

    def __init__(
        self,
        artefact: Artefact,
        *,
        device: Device | None = None,
        num_threads: int | None = None,
    ) -> None:
        self.artefact = artefact
        self._threads = check_threads(num_threads)
        self._device = device or LocalDevice()
        self._program: Program | None = None
        self._lock = threading.Lock()

    def prepare(self) -> Program:
        """Loads the code now; otherwise the first call does. Code for another kind of machine can
        be compiled and saved, but not called.

        Raises:
            TargetError: The code was made for another kind of machine.
            ArtefactError: The code cannot be loaded.
        """
        with self._lock:
            if self._program is None:
                self._program = self._device.load(self.artefact)
            return self._program

    @property
    def manifest(self) -> Manifest:
        """What the network says about itself."""
        return self.artefact.manifest

    @property
    def inputs(self) -> tuple[Slot, ...]:
        """Names, shapes and types of the inputs."""
        return self.manifest.inputs

    @property
    def outputs(self) -> tuple[Slot, ...]:
        """Names, shapes and types of the outputs."""
        return self.manifest.outputs

    @property
    def num_threads(self) -> int:
        """How many threads a call uses; may be set at any time. Results do not depend on it."""
        return self._threads

    @num_threads.setter
    def num_threads(self, count: int) -> None:
        self._threads = check_threads(count)

    @property
    def arena_bytes(self) -> int:
        """Memory for activations and scratch, allocated once."""
        memory = self.manifest.memory
        return 4 * (memory.arena + self._threads * memory.scratch)

    @property
    def weight_bytes(self) -> int:
        """Memory for packed weights and their indices."""
        return 4 * (self.manifest.memory.values + self.manifest.memory.indices)

    def __call__(self, *inputs: Any) -> Any:
        """Runs the network.

        Args:
            inputs: One float32 array or tensor per input, of exactly the compiled shape. Arrays
                that are not contiguous are taken too. A tensor's gradient is not tracked.

        Returns:
            The output, or a tuple if there are several; tensors if any input was one.

        Raises:
            ShapeError: Wrong number of inputs, or an input of the wrong shape.
            DTypeError: An input is not float32, or no array at all.
        """
        arrays = self._arrays(inputs)
        # Who has tensors has imported torch; nobody else should have to wait for it.
        torch = sys.modules.get("torch")
        tensors = torch is not None and any(isinstance(x, torch.Tensor) for x in inputs)
        program = self.prepare()
        results: list[Any] = [np.empty(slot.shape, np.float32) for slot in self.outputs]
        program.run(arrays, results, self._threads)
        if tensors:
            results = [torch.from_numpy(result) for result in results]  # type: ignore[union-attr]
        return results[0] if len(results) == 1 else tuple(results)

    def _arrays(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """
        Raises:
            ShapeError, DTypeError: As for a call.
        """
        if len(inputs) != len(self.inputs):
            wanted = ", ".join(slot.name for slot in self.inputs)
            raise ShapeError(f"expected {len(self.inputs)} inputs ({wanted}), got {len(inputs)}")
        return [_array(slot, x) for slot, x in zip(self.inputs, inputs, strict=True)]

    def profile(self, runs: int = 20, *inputs: np.ndarray) -> Profile:
        """Times runs step by step, after two to warm up.

        Args:
            runs: How many runs to take the medians of.
            inputs: What to run on; by default random numbers.

        Raises:
            OptionError: `runs` is not positive.
            ShapeError, DTypeError: As for a call.
        """
        if runs < 1:
            raise OptionError(f"expected at least one run to profile, got {runs}")
        rng = np.random.default_rng(0)
        examples = inputs or [rng.standard_normal(s.shape, np.float32) for s in self.inputs]
        arrays = self._arrays(examples)
        program = self.prepare()
        results = [np.empty(slot.shape, np.float32) for slot in self.outputs]
        steps = np.zeros((runs + 2, len(self.manifest.steps)), np.int64)
        totals = np.zeros(runs + 2)
        for run, nanoseconds in enumerate(steps):
            start = time.perf_counter()
            program.run(arrays, results, self._threads, nanoseconds)
            totals[run] = time.perf_counter() - start
        medians, fastest = np.median(steps[2:], axis=0) / 1e6, steps[2:].min(axis=0) / 1e6
        total = float(np.median(totals[2:])) * 1e3
        return Profile(total, tuple(map(float, medians)), tuple(map(float, fastest)))

    def explain(self, *, measure: bool = True) -> str:
        """A table of the layers: what was found in each, how it runs, and how long it takes.

        Args:
            measure: Whether to run the network for the times.
        """
        from ..report import explain

        return explain.table(self, explain.measure(self) if measure else None)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the network to a `.pconv` file that `pconv_mlir.load` opens.

        Raises:
            ArtefactError: The file cannot be written.
        """
        _artefact.save(self.artefact, path)

    def __repr__(self) -> str:
        names = ", ".join(f"{slot.name}: {list(slot.shape)}" for slot in self.inputs)
        return f"Network({names}; target {self.manifest.target.name}, {self._threads} threads)"


def check_threads(count: int | None) -> int:
    """A thread count that makes sense here; `None` means all processors of this process.

    Raises:
        OptionError: It is not an integer from 1 to four times the number of processors (or 64).
    """
    if count is None:
        return len(os.sched_getaffinity(0))
    most = max(4 * (os.cpu_count() or 1), 64)
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= most:
        raise OptionError(f"expected a number of threads from 1 to {most}, got {count!r}")
    return int(count)


def _array(slot: Slot, value: Any) -> np.ndarray:
    """An input as a NumPy array of any strides, or an error that says what to do."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        if value.dtype != torch.float32:
            raise DTypeError(
                f"expected float32, got {value.dtype}; convert it with .float()", layer=slot.name
            )
        value = value.detach().cpu().numpy()
    if not isinstance(value, np.ndarray):
        raise DTypeError(
            f"expected a NumPy array or a torch tensor, got {type(value).__name__}; convert it "
            "with np.asarray(x, np.float32)",
            layer=slot.name,
        )
    if value.dtype != np.float32:
        raise DTypeError(
            f"expected float32, got {value.dtype}; convert it with .astype(np.float32)",
            layer=slot.name,
        )
    if value.shape != slot.shape:
        raise ShapeError(
            f"expected shape {slot.shape}, got {value.shape}; the network was compiled for this "
            "one shape, so pad, crop or compile again",
            layer=slot.name,
        )
    return value
