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
from pathlib import Path

import mutations
import native
import numpy as np

from pconv_mlir import codegen, ir, packing, passmanager, pipelines, targets
from pconv_mlir.artefact import Artefact
from pconv_mlir.errors import PConvError
from pconv_mlir.manifest import Manifest, Memory

TEXT = Path(__file__).parents[1] / "Inputs" / "packed-forms.mlir"
LARGEST = 1 << 22  # floats; larger networks are not run
MUTATIONS = [mutations.change_packed] * 3 + [mutations.change_plan] * 2 + [mutations.swap_packed]
CODE = ("convert-pattern-to-vector", pipelines.TO_LLVM)


class Refused(Exception):
    """The compiler found the damage."""


def placed() -> str:
    """The network with packed weights and places, whole."""
    passes = "builtin.module(pattern-pack-weights,pattern-plan-memory)"
    command = [mutations.PCONV_OPT, TEXT, f"--pass-pipeline={passes}"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def damaged(seed: int, text: str) -> str:
    """The module that a seed stands for: most often with one number changed."""
    rng = random.Random(seed)
    new = text
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
            parsed = codegen.parse(text)
            # Not through run_passes, which writes a reproducer for each failure.
            values, indices = packing.pack(parsed, _weights(parsed))
            passes = passmanager.PassManager.parse(pipelines.text(CODE))
            memory = _memory(parsed)
            passes.run(parsed.operation)
        except (PConvError, ir.MLIRError) as error:
            raise Refused(str(error)) from error
        code = codegen.emit(parsed, target, opt_level=1)
    sizes = Memory(memory["arena"], memory["scratch"], len(values), len(indices))
    manifest = Manifest("fuzzer", target, (), (), sizes)
    return Artefact(manifest, code, values, indices, b"")


def run(made: Artefact, folder: Path) -> str:
    """What went wrong while the network ran, or nothing."""
    try:
        native.HOST.run(made, [], folder)
    except subprocess.CalledProcessError as error:
        return str(error)
    return ""


def is_small(text: str) -> bool:
    """Whether the network is small enough to be run; what pattern.memory says tells."""
    found = mutations.memory_sizes(text)
    return bool(found) and sum(found) <= LARGEST


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
    whole, ran = placed(), 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.first, arguments.last):
            text = damaged(seed, whole)
            if not is_small(text):
                continue
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
