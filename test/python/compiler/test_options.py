# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Options and the pipelines that follow from them."""

from __future__ import annotations

from typing import Any

import pytest

from pconv_mlir import pipelines
from pconv_mlir.errors import OptionError
from pconv_mlir.options import CompileOptions


def flags(options: CompileOptions, start: str = "imported", stop_after: str = "llvm") -> list[str]:
    return [step.text for step in pipelines.passes(options, start, stop_after)]


def test_everything_is_on_by_default() -> None:
    assert flags(CompileOptions()) == [
        "pattern-fuse-layers",
        "pattern-reorder-filters{reorder=true}",
        "pattern-assign-layouts",
        "pattern-assign-schedules",
        "pattern-eliminate-redundant-loads{eliminate=true}",
        "pattern-pack-weights",
        "pattern-plan-memory",
        "convert-pattern-to-vector",
        "pconv-vector-to-llvm",
    ]


@pytest.mark.parametrize("switch", ["fuse", "reorder", "eliminate_loads"])
def test_every_switch_of_a_pass_changes_that_pass(switch: str) -> None:
    on, off = flags(CompileOptions()), flags(CompileOptions().without(switch))
    changed = set(on) - set(off)
    assert len(changed) == 1 and next(iter(changed)).startswith(f"pattern-{switch.split('_')[0]}")
    assert len(off) in (len(on), len(on) - 1)


def test_the_switches_in_order() -> None:
    assert CompileOptions.switches() == ("sparse", "fuse", "reorder", "eliminate_loads")


def test_a_part_of_the_pipeline() -> None:
    assert flags(CompileOptions(), "packed", "placed") == ["pattern-plan-memory"]
    assert flags(CompileOptions(), "planned", "planned") == []
    assert pipelines.text(["a", "b{c=1}"]) == "builtin.module(a,b{c=1})"


def test_bad_stages() -> None:
    with pytest.raises(OptionError, match=r"expected a stage \(imported, .*, got 'packd'"):
        pipelines.passes(CompileOptions(), "imported", "packd")
    with pytest.raises(OptionError, match="at stage 'packed' already, past 'fused'"):
        pipelines.passes(CompileOptions(), "packed", "fused")


@pytest.mark.parametrize(
    "bad",
    [{"fuse": 1}, {"sparse": "no"}, *({"opt_level": level} for level in (4, True, 2.0))],
)
def test_bad_values(bad: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"expected .*{next(iter(bad))}"):
        CompileOptions(**bad)
