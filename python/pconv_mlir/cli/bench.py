# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv bench NAME|model.onnx"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..errors import OptionError
from ..progress import progress
from ..report.text import aligned
from . import common

if TYPE_CHECKING:
    from ..bench.compare import Result


def add(commands: Any) -> None:
    """Adds the command."""
    parser = common.command(
        commands, "bench", _run, "Compare ours, sparse and dense, with other engines in one run."
    )
    common.add_model(parser, "NAME|MODEL")
    common.add_threads(parser, 1)
    parser.add_argument(
        "--against",
        default="onnxruntime,openvino,mnn",
        metavar="ENGINES",
        help="other engines, with commas between (default: all; '' for none)",
    )
    parser.add_argument("--runs", type=int, default=20, help="timed runs of each (default 20)")
    parser.add_argument("--ablate", action="store_true", help="also with each pass switched off")


def _run(arguments: argparse.Namespace) -> None:
    output = common.Output(arguments.json)
    output.check()
    from .. import sources
    from ..bench import compare, engines
    from ..bench.timing import FEWEST_RUNS
    from ..runtime.network import check_threads

    threads = check_threads(arguments.threads)
    against = [name for name in arguments.against.split(",") if name]
    engines.check_names(against)
    if arguments.runs < FEWEST_RUNS:
        raise OptionError(f"expected at least {FEWEST_RUNS} --runs, got {arguments.runs}")
    with progress() as line:
        line("building the model")
        source = sources.find(
            arguments.model,
            batch=arguments.batch,
            scheme=arguments.scheme,
            shapes=arguments.shape,
        )
        result = compare.run(
            source,
            threads=threads,
            against=against,
            runs=arguments.runs,
            ablate=arguments.ablate,
            progress=line,
        )
    output.text(report(result))
    output.json(result.record())


def report(result: Result) -> str:
    """The comparison as text: machine, layers, engines, and what each pass brings."""
    from ..report.explain import times_table

    machine = result.machine
    peak = f"measured FMA peak {machine['fma_peak_gflops']:.0f} GFLOP/s"
    load = f"{machine['usable_cores']} cores, load {machine['load_average']:.1f}"
    parts = [
        f"{machine['processor']}, {load}, {peak}",
        times_table(result.layers),
        engines_table(result),
    ]
    if result.ablation:
        parts.append(ablation_table(result))
    if result.notes:
        parts.append("\n".join(f"note: {note}" for note in result.notes))
    return "\n\n".join(parts)


def engines_table(result: Result) -> str:
    """One row for each engine, with how many times faster ours is."""
    ours = result.row("pconv")
    rows = []
    for row in result.rows:
        timing = row.timing
        rows.append(
            (
                row.engine,
                row.model,
                row.scheme,
                str(row.threads),
                str(row.batch),
                f"{timing.median_ms:.2f}",
                f"{timing.min_ms:.2f}",
                f"{timing.p90_ms:.2f}",
                f"{timing.median_ms / ours.timing.median_ms:.2f}x" if ours else "",
                f"{timing.relative_error:.1e}",
                "" if row.memory is None else f"{row.memory.peak_mb:.0f}",
                "" if row.memory is None else f"{row.memory.model_mb:.0f}",
            )
        )
    header = (
        "engine",
        "model",
        "scheme",
        "threads",
        "batch",
        "median ms",
        "min ms",
        "p90 ms",
        "of pconv",
        "rel. error",
        "peak MiB",
        "of it model",
    )
    return aligned(header, rows, right=header[3:])


def ablation_table(result: Result) -> str:
    """One row for each switch."""
    base = result.ablation[0].timing.median_ms
    rows = [
        (
            part.off,
            f"{part.timing.median_ms:.2f}",
            f"{part.timing.p90_ms:.2f}",
            f"{part.timing.median_ms / base:.2f}x",
        )
        for part in result.ablation
    ]
    header = ("switched off", "median ms", "p90 ms", "time")
    return aligned(header, rows, right=header[1:])
