# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Where compiled networks run.

A device loads artefacts, a program runs one of them. The local device is this process; a phone on a
cable or a GPU would be another `Device`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from .. import targets
from ..artefact import Artefact
from ..errors import ArtefactError
from ..manifest import ENTRY, Slot
from .library import Code, library

ALIGNMENT = 64  # bytes; compiled code may rely on it


class Program(Protocol):
    """A network that is loaded on a device."""

    def run(
        self,
        inputs: Sequence[np.ndarray],
        outputs: Sequence[np.ndarray],
        threads: int,
        step_ns: np.ndarray | None = None,
    ) -> None:
        """Runs once. Arrays have the shapes and types of the manifest.

        Args:
            inputs: Read; they may have any strides.
            outputs: Written.
            threads: How many threads to use.
            step_ns: int64, one number per step: nanoseconds are added to it.
        """


class Device(Protocol):
    """A place where networks run."""

    @property
    def name(self) -> str:
        """For people."""

    def load(self, artefact: Artefact) -> Program:
        """Makes a network ready to run.

        Raises:
            TargetError: The code was made for another kind of machine.
            ArtefactError: The code cannot be loaded, or needs more memory than there is.
        """


class LocalDevice:
    """The processor that this process runs on."""

    name = "local"

    def load(self, artefact: Artefact) -> Program:
        targets.check_runs_here(artefact.manifest.target)
        return _LocalProgram(artefact)


class _LocalProgram:
    """Code, weights and one arena in this process. Calls from several threads take turns."""

    def __init__(self, artefact: Artefact) -> None:
        self._manifest = artefact.manifest
        self._code = Code(artefact.code)
        self._entry = self._code.address(ENTRY)
        self._values = _aligned(artefact.values)
        self._indices = artefact.indices  # read one by one
        self._arena = np.empty(0, np.float32)
        self._lock = threading.Lock()

    def run(
        self,
        inputs: Sequence[np.ndarray],
        outputs: Sequence[np.ndarray],
        threads: int,
        step_ns: np.ndarray | None = None,
    ) -> None:
        with self._lock:
            arena = self._sized_arena(threads)
            for slot, array in zip(self._manifest.inputs, inputs, strict=True):
                np.copyto(_view(arena, slot), array)
            library().pconv_execute(
                self._entry,
                threads,
                arena.ctypes.data,
                self._values.ctypes.data,
                self._indices.ctypes.data,
                None if step_ns is None else step_ns.ctypes.data,
                0 if step_ns is None else len(step_ns),
            )
            for slot, array in zip(self._manifest.outputs, outputs, strict=True):
                np.copyto(array, _view(arena, slot))

    def _sized_arena(self, threads: int) -> np.ndarray:
        """The arena with a scratch for each thread; new only when the thread count rises."""
        memory = self._manifest.memory
        floats = memory.arena + threads * memory.scratch
        if self._arena.size < floats:
            if floats * 4 > _physical_memory():
                size = f"{floats * 4 / 2**30:.1f} GiB"
                raise ArtefactError(f"a run needs {size} of memory, more than this machine has")
            self._arena = _aligned_empty(floats, np.dtype(np.float32))
        return self._arena


def _view(arena: np.ndarray, slot: Slot) -> np.ndarray:
    return arena[slot.place : slot.place + slot.size].reshape(slot.shape)


def _aligned_empty(size: int, dtype: np.dtype) -> np.ndarray:
    spare = ALIGNMENT // dtype.itemsize
    buffer = np.empty(size + spare, dtype)
    skip = -buffer.ctypes.data % ALIGNMENT // dtype.itemsize
    return buffer[skip : skip + size]


def _aligned(array: np.ndarray) -> np.ndarray:
    """The array itself where its address allows it (mapped files are aligned), else a copy."""
    if array.ctypes.data % ALIGNMENT == 0:
        return array
    copy = _aligned_empty(array.size, array.dtype)
    np.copyto(copy, array)
    return copy


def _physical_memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
