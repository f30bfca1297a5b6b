# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv what-if MODEL|NAME --scheme S"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..progress import progress
from ..report.text import aligned
from . import common

if TYPE_CHECKING:
    from ..performance.prediction import Row, WhatIf

_HEADER = (
    "layer",
    "op",
    "scheme",
    "kept",
    "dense ms",
    "predicted ms",
    "speed-up",
    "measured ms",
    "fastest",
    "useful",
    "note",
)
_RIGHT = set(_HEADER[3:9])


def add(commands: Any) -> None:
    """Adds the command."""
    parser = common.command(
        commands,
        "what-if",
        _run,
        "Predict the time of every layer under masks that do not exist yet, without training.",
    )
    common.add_model(parser, "MODEL|NAME", scheme_required=True)
    common.add_threads(parser, 1)
    parser.add_argument(
        "--measure", action="store_true", help="also prune by magnitude, compile and time it"
    )
    parser.add_argument("--picture", metavar="FILE", help="draw the roofline as PNG")
    parser.add_argument(
        "--recalibrate", action="store_true", help="measure the constants of this machine anew"
    )


def _run(arguments: argparse.Namespace) -> None:
    output = common.Output(arguments.json)
    output.check()
    if arguments.picture:
        common.check_writable(arguments.picture)
    from .. import figure, sources
    from ..bench import machine
    from ..performance import Calibration, what_if
    from ..prune import parse_scheme
    from ..report import roofline

    scheme = parse_scheme(arguments.scheme)
    calibration = Calibration(arguments.threads)
    if arguments.picture:
        figure.check_available()
    with progress() as line:
        if arguments.recalibrate:
            calibration.forget()
        line("building the model")
        source = sources.find(arguments.model, batch=arguments.batch, shapes=arguments.shape)
        result = what_if(
            source.module(), scheme=scheme, calibration=calibration, measure=arguments.measure
        )
        if arguments.picture:
            roofline.draw(arguments.picture, f"{source.name}, {scheme}", result)
    output.text(report(result))
    output.json(
        {
            "machine": machine.describe() | {"fma_peak_gflops": calibration.peak / 1e9},
            "model": source.name,
            "scheme": str(scheme),
            "threads": calibration.threads,
            "batch": arguments.batch,
            "dense_ms": result.dense_ms,
            "predicted_ms": result.predicted_ms,
            "measured_ms": result.measured_ms,
            "rows": [row.record() for row in result.rows],
        }
    )


def report(result: WhatIf) -> str:
    """One row for each layer, with a line about the whole of it."""
    weighted = [row for row in result.rows if row.model]
    sparse = sum(row.sparse for row in weighted)
    summary = (
        f"{sparse} of {len(weighted)} layers with weights run sparse; predicted "
        f"{result.predicted_ms:.2f} ms, {result.dense_ms / result.predicted_ms:.2f}x faster than "
        f"{result.dense_ms:.2f} ms dense"
    )
    if result.measured_ms is not None:
        summary += f"; measured {result.measured_ms:.2f} ms (median)"
    table = aligned(_HEADER, [_cells(row) for row in result.rows], right=_RIGHT)
    return f"{table}\n{summary}"


def _cells(row: Row) -> tuple[str, ...]:
    useful = ""
    if row.sparse and row.model:
        useful = f"{row.model.x_lo:.1%} to {row.model.x_hi:.1%}"
    return (
        row.name or "-",
        row.kind,
        row.scheme,
        "" if row.kept is None else f"{row.kept:.1%}",
        f"{row.dense_ms:.3f}",
        f"{row.predicted_ms:.3f}",
        f"{row.dense_ms / row.predicted_ms:.2f}x" if row.sparse else "",
        "" if row.measured_ms is None else f"{row.measured_ms:.3f}",
        "" if row.fastest_ms is None else f"{row.fastest_ms:.3f}",
        useful,
        row.note,
    )
