# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damages the plan of a network, and runs what is still accepted between guarded pages.

python test/python/fuzz/guarded.py FIRST LAST     # seeds; prints what leaves its memory

The compiler may refuse a damaged plan, or make a network of it that computes something else; code
that reads or writes outside of its memory it may not make.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import mutations
import native
import numpy as np

from pconv_mlir import codegen, ir, packing, parsing, passmanager, pipelines, targets
from pconv_mlir.artefact import Artefact
from pconv_mlir.compiler import lower
from pconv_mlir.errors import PConvError
from pconv_mlir.manifest import Manifest, Memory
from pconv_mlir.module import Module

INPUTS = Path(__file__).parents[1] / "Inputs"
LARGEST = 1 << 22  # numbers in memory; larger networks are not run
MUTATIONS = [
    *[mutations.change_packed, mutations.change_plan, mutations.change_number_everywhere] * 2,
    mutations.swap_packed,
]
CODE = ("convert-pattern-to-vector", pipelines.TO_LLVM)


class Refused(Exception):
    """The compiler found the damage, or the network is too large to be run here."""


def packed_forms() -> str:
    """A small placed network with every packed form."""
    passes = "builtin.module(pattern-pack-weights,pattern-plan-memory)"
    text = INPUTS / "packed-forms.mlir"
    command = [mutations.PCONV_OPT, text, f"--pass-pipeline={passes}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def corpus() -> list[str]:
    """Placed networks: that one, and one with every layer for two machines."""
    module = Module((INPUTS / "every-layer.mlir").read_text(), {}, [], [])
    machines = [targets.parse("x86-64").override(registers=count) for count in (16, 32)]
    placed = [lower(module, target=machine, stop_after="placed").ir for machine in machines]
    return [packed_forms()] * 2 + placed


def damaged(seed: int, pool: Sequence[str]) -> str:
    """The module that a seed stands for: most often with one number changed."""
    rng = random.Random(seed)
    text = new = rng.choice(pool)
    while new == text:
        for _ in range(rng.choice([1, 1, 1, 2])):
            new = rng.choice(MUTATIONS)(new, rng, [text])
    return new


def build(text: str) -> Artefact:
    """The code and the packed weights of a placed network.

    Raises:
        Refused: The module does not verify, or is not lowered or packed.
    """
    target = targets.parse("host")
    with ir.Context():
        try:
            parsed = parsing.parse(text)
            memory = _memory(parsed)
            if sum(memory.values()) > LARGEST:
                raise Refused(f"{memory} is too much to be run here")
            values, indices = packing.pack(parsed, _weights(parsed))
            # Not through run_passes, which writes a reproducer for each failure.
            passmanager.PassManager.parse(pipelines.text(CODE)).run(parsed.operation)
        except (PConvError, ir.MLIRError, KeyError) as error:
            raise Refused(str(error)) from error
        code = codegen.emit(parsed, target, opt_level=1)
    sizes = Memory(memory["arena"], memory["scratch"], len(values), len(indices))
    manifest = Manifest("fuzzer", target, (), (), sizes)
    return Artefact(manifest, code, values, indices, b"")


def run(made: Artefact, folder: Path) -> str:
    """What went wrong while the network ran, or nothing."""
    try:
        native.HOST.run(made, [], folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return str(error)
    return ""


def _memory(parsed: ir.Module) -> dict[str, int]:
    sizes = ir.DictAttr(parsed.operation.attributes["pattern.memory"])
    return {entry.name: ir.IntegerAttr(entry.attr).value for entry in sizes}


def _weights(parsed: ir.Module) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    found = {}
    for op in parsed.body.operations:
        if op.operation.name == "pattern.weights":
            shape = ir.RankedTensorType(ir.TypeAttr(op.attributes["type"]).value).shape
            found[ir.StringAttr(op.attributes["sym_name"]).value] = rng.random(shape, np.float32)
    return found


def main() -> None:
    """Looks for networks that leave their memory among many seeds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    arguments = parser.parse_args()
    pool, ran = corpus(), 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.last):
            text = damaged(seed, pool)
            try:
                fault = run(build(text), Path(folder))
            except Refused:
                continue
            ran += 1
            if fault:
                sys.stdout.write(f"--- seed {seed}: {fault}\n{text}\n")
                sys.stdout.flush()
    sys.stderr.write(f"{arguments.last - arguments.first} seeds, {ran} accepted and run\n")


if __name__ == "__main__":
    main()
