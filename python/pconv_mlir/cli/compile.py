# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv compile MODEL -o FILE"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any

from ..progress import progress
from . import common


def add(commands: Any) -> None:
    """Adds the command."""
    parser = common.command(commands, "compile", _run, "Compile a model into a .pconv file.")
    common.add_model(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the .pconv file")
    parser.add_argument("--target", default="host", help="machine to make code for (default: host)")
    common.add_switches(parser)


def _run(arguments: argparse.Namespace) -> None:
    output = common.Output(arguments.json)
    output.check()
    common.check_writable(arguments.output)
    from .. import artefact, compiler, sources, targets

    target = targets.parse(arguments.target)
    with progress():
        start = time.perf_counter()
        source = sources.find(
            arguments.model,
            batch=arguments.batch,
            scheme=arguments.scheme,
            shapes=arguments.shape,
        )
        options = common.options(arguments.without)
        made = compiler.build(source.module(), target=target, options=options)
        seconds = time.perf_counter() - start
        artefact.save(made, arguments.output)
    size = Path(arguments.output).stat().st_size
    memory = made.manifest.memory
    layers = made.manifest.layers
    sparse = sum(bool(layer.index_bytes) for layer in layers)
    weighted = sum(bool(layer.weights) for layer in layers)
    output.text(
        f"{arguments.output}: {size / 2**20:.1f} MiB for {target.name}, {sparse} of {weighted} "
        f"layers with weights run sparse, arena {memory.arena / 2**18:.1f} MiB, {seconds:.1f} s"
    )
    output.json(
        {
            "file": arguments.output,
            "bytes": size,
            "target": dataclasses.asdict(target),
            "seconds": seconds,
            "memory": dataclasses.asdict(memory),
            "layers": [dataclasses.asdict(layer) for layer in layers],
        }
    )
