# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compiled networks as programs of their own: Inputs/run_network.c linked with their code.

For another processor under an emulator, and to run the items of a step in another order than the
runtime would, with guarded memory.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.artefact import Artefact

SOURCE = Path(__file__).parent / "Inputs" / "run_network.c"
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Toolchain:
    """A C compiler, and what runs its programs.

    Attributes:
        compiler: Its command.
        emulator: Command and options in front of the program.
    """

    compiler: str
    emulator: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Programs that this machine lacks."""
        needed = [self.compiler, *self.emulator[:1]]
        return [program for program in needed if not shutil.which(program)]

    def compile(self, folder: Path) -> Path:
        """The object file of run_network.c, made once for a folder."""
        made = folder / "run_network.o"
        if not made.exists():
            subprocess.run(
                [self.compiler, "-O1", "-Wall", "-Werror", "-c", SOURCE, "-o", made], check=True
            )
        return made

    def run(self, artefact: Artefact, inputs: Sequence[Floats], folder: Path) -> list[Floats]:
        """The results of a network; raises CalledProcessError if it touches foreign memory."""
        program = folder / "network"
        code, arena, values, indices = (
            folder / name for name in ("network.o", "arena", "values", "indices")
        )
        code.write_bytes(artefact.code)
        subprocess.run(
            [self.compiler, self.compile(folder), code, "-lm", "-o", program], check=True
        )
        manifest = artefact.manifest
        floats = np.full(manifest.memory.arena, np.nan, np.float32)
        for slot, x in zip(manifest.inputs, inputs, strict=True):
            floats[slot.place : slot.place + slot.size] = x.reshape(-1)
        for path, array in (
            (arena, floats),
            (values, artefact.values),
            (indices, artefact.indices),
        ):
            path.write_bytes(array.tobytes())
        sizes = (manifest.memory.arena, manifest.memory.scratch)
        command = [*self.emulator, program, arena, values, indices, *sizes]
        subprocess.run(list(map(str, command)), check=True, timeout=60)
        floats = np.fromfile(arena, np.float32)
        return [
            floats[slot.place : slot.place + slot.size].reshape(slot.shape)
            for slot in manifest.outputs
        ]


HOST = Toolchain("cc")
# On the oldest processor of this kind: nothing newer may be needed unless it was asked for.
_EMULATED = Toolchain(
    "aarch64-linux-gnu-gcc", ("qemu-aarch64", "-cpu", "cortex-a53", "-L", "/usr/aarch64-linux-gnu")
)
AARCH64 = HOST if platform.machine() == "aarch64" else _EMULATED
