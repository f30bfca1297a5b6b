# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv explain MODEL|FILE.pconv"""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from ..errors import OptionError, TargetError
from ..progress import progress
from . import common


def add(commands: Any) -> None:
    """Adds the command."""
    parser = common.command(
        commands, "explain", _run, "Say what was found in every layer, how it runs, and why."
    )
    common.add_model(parser, "MODEL|FILE.pconv")
    parser.add_argument("--target", help="machine to compile for (default: host)")
    common.add_threads(parser, 1)
    common.add_switches(parser)
    parser.add_argument("--no-measure", action="store_true", help="do not run the network")


def _run(arguments: argparse.Namespace) -> None:
    output = common.Output(arguments.json)
    output.check()
    from ..report import explain
    from ..runtime import Network
    from ..runtime.network import check_threads

    threads = check_threads(arguments.threads)
    with progress() as line:
        network = Network(_artefact(arguments), num_threads=threads)
        line("measuring")
        try:
            measured = explain.measure(network) if not arguments.no_measure else None
        except TargetError as error:
            measured = None
            output.text(f"no times: {error}")
    output.text(explain.table(network, measured))
    layers = [
        {**dataclasses.asdict(timed.layer), **timed.record()}
        for timed in explain.layer_times(network.manifest, measured)
    ]
    output.json(
        {
            "model": arguments.model,
            "target": dataclasses.asdict(network.manifest.target),
            "threads": threads,
            "ms": measured.profile.ms if measured else None,
            "fma_peak_gflops": measured.peak_gflops if measured else None,
            "arena_bytes": network.arena_bytes,
            "weight_bytes": network.weight_bytes,
            "layers": layers,
        }
    )


def _artefact(arguments: argparse.Namespace) -> Any:
    from .. import artefact

    if arguments.model.endswith(".pconv"):
        _check_nothing_else(arguments)
        return artefact.load(arguments.model)
    from .. import compiler, sources

    source = sources.find(
        arguments.model, batch=arguments.batch, scheme=arguments.scheme, shapes=arguments.shape
    )
    return compiler.build(
        source.module(),
        target=arguments.target or "host",
        options=common.options(arguments.without),
    )


def _check_nothing_else(arguments: argparse.Namespace) -> None:
    """
    Raises:
        OptionError: An option would change how an artefact was compiled.
    """
    for name, default in (
        ("scheme", None),
        ("batch", 1),
        ("shape", []),
        ("target", None),
        ("without", []),
    ):
        if getattr(arguments, name) != default:
            raise OptionError(
                f"--{name} is for models that are still to be compiled: compile "
                f"{arguments.model} anew with it"
            )
