# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The pass pipelines, as text. No other module puts passes together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .errors import OptionError
from .options import CompileOptions

#: The stages of a network (module attribute `pattern.stage`), in order; `llvm` is what follows.
STAGES = (
    "imported",
    "fused",
    "reordered",
    "laid_out",
    "scheduled",
    "planned",
    "packed",
    "placed",
    "lowered",
    "llvm",
)

#: From scf, vector, memref and func to the LLVM dialect.
TO_LLVM = "pconv-vector-to-llvm"


@dataclass(frozen=True)
class Pass:
    """A pass of the pipeline.

    Attributes:
        stage: The stage that it leads to.
        text: Its flag, with its options.
    """

    stage: str
    text: str


def passes(options: CompileOptions, start: str, stop_after: str = "llvm") -> list[Pass]:
    """The passes that take a network from one stage to another.

    Args:
        options: Which passes are off.
        start: The stage that the network is in.
        stop_after: The stage that it is wanted in.

    Raises:
        OptionError: There is no such stage, or it lies behind the start.
    """
    for stage in (start, stop_after):
        if stage not in STAGES:
            raise OptionError(f"expected a stage ({', '.join(STAGES)}), got {stage!r}")
    first, last = STAGES.index(start), STAGES.index(stop_after)
    if last < first:
        raise OptionError(f"the network is at stage {start!r} already, past {stop_after!r}")
    return [step for step in _all(options) if first < STAGES.index(step.stage) <= last]


def text(names: Iterable[str]) -> str:
    """Passes as one pipeline on a module."""
    return f"builtin.module({','.join(names)})"


def _all(options: CompileOptions) -> list[Pass]:
    fuse = [Pass("fused", "pattern-fuse-layers")]
    reorder = str(options.reorder).lower()
    eliminate = str(options.eliminate_loads).lower()
    rest = [
        Pass("reordered", f"pattern-reorder-filters{{reorder={reorder}}}"),
        Pass("laid_out", "pattern-assign-layouts"),
        Pass("scheduled", "pattern-assign-schedules"),
        Pass("planned", f"pattern-eliminate-redundant-loads{{eliminate={eliminate}}}"),
        Pass("packed", "pattern-pack-weights"),
        Pass("placed", "pattern-plan-memory"),
        Pass("lowered", "convert-pattern-to-vector"),
        Pass("llvm", TO_LLVM),
    ]
    return fuse * options.fuse + rest
