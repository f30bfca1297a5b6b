# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compiled networks as programs of their own, for another processor under an emulator.

Inputs/run_network.c is linked with their code, has guarded memory and runs the items of a step in
another order than the runtime would. Inputs/load_network.c leaves all to the runtime.
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

ROOT = Path(__file__).resolve().parents[2]
INPUTS = ROOT / "test" / "python" / "Inputs"
RUNTIME = sorted((ROOT / "lib" / "Runtime").glob("*.cpp"))
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Toolchain:
    """A compiler, and what runs its programs.

    Attributes:
        c: Its command for C.
        cxx: Its command for C++.
        emulator: Command and options in front of the program.
    """

    c: str
    cxx: str
    emulator: tuple[str, ...] = ()

    def missing(self) -> list[str]:
        """Programs that this machine lacks."""
        needed = [self.c, self.cxx, *self.emulator[:1]]
        return [program for program in needed if not shutil.which(program)]

    def compile(self, folder: Path, name: str) -> Path:
        """The object file of a C file of Inputs, made once for a folder."""
        made = folder / f"{name}.o"
        if not made.exists():
            source, headers = INPUTS / f"{name}.c", ROOT / "dialects"
            self._build(self.c, "-O1", "-Wall", "-Werror", "-I", headers, "-c", source, "-o", made)
        return made

    def run(self, artefact: Artefact, inputs: Sequence[Floats], folder: Path) -> list[Floats]:
        """The results of a network; raises CalledProcessError if it touches foreign memory."""
        program, code = folder / "network", folder / "network.o"
        code.write_bytes(artefact.code)
        self._build(self.c, self.compile(folder, "run_network"), code, "-lm", "-o", program)
        return self._run([program], artefact, inputs, folder)

    def load(self, artefact: Artefact, inputs: Sequence[Floats], folder: Path) -> list[Floats]:
        """The results of a network that the runtime loads and runs with three threads."""
        program, code = folder / "loader", folder / "network.o"
        if not program.exists():
            main, options = self.compile(folder, "load_network"), ["-std=c++17", "-O1", "-fopenmp"]
            sources = [*RUNTIME, "-I", ROOT / "dialects"]
            self._build(self.cxx, *options, main, *sources, "-o", program)
        code.write_bytes(artefact.code)
        return self._run([program, code], artefact, inputs, folder)

    def _build(self, *command: str | Path) -> None:
        subprocess.run(command, check=True)

    def _run(
        self,
        command: Sequence[Path],
        artefact: Artefact,
        inputs: Sequence[Floats],
        folder: Path,
    ) -> list[Floats]:
        arena, values, indices = (folder / name for name in ("arena", "values", "indices"))
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
        words = [*self.emulator, *command, arena, values, indices, *sizes]
        subprocess.run(list(map(str, words)), check=True, timeout=60)
        floats = np.fromfile(arena, np.float32)
        return [
            floats[slot.place : slot.place + slot.size].reshape(slot.shape)
            for slot in manifest.outputs
        ]


HOST = Toolchain("cc", "c++")
# On the oldest processor of this kind: nothing newer may be needed unless it was asked for.
_EMULATED = Toolchain(
    "aarch64-linux-gnu-gcc",
    "aarch64-linux-gnu-g++",
    ("qemu-aarch64", "-cpu", "cortex-a53", "-L", "/usr/aarch64-linux-gnu"),
)
AARCH64 = HOST if platform.machine() == "aarch64" else _EMULATED
