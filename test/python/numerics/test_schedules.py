# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Kernel loops with schedules that the compiler would not choose: any legal one has to be right."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from covering import Row, pairwise
from nets import Floats, Net, check, ints

import pconv_mlir as pconv
from pconv_mlir import targets
from pconv_mlir.module import Module
from pconv_mlir.targets import Target

FACTORS: dict[str, list[Any]] = {
    "dataflow": ["staged", "input_stationary", "output_stationary"],
    "lanes": [4, 8, 16],
    "rows": [1, 2, 3, 5],
    "vectors": [1, 2, 3],
    "filter_block": [1, 3, 4, 16],
    "channel_block": [1, 2, 5, 16],
    "kernel": [(3, 3), (1, 3), (5, 2)],
    "strides": [(1, 1), (2, 2), (1, 2)],
    "plane": [(7, 3), (9, 17), (15, 33), (14, 16), (33, 1), (56, 8)],
    "filters": [1, 3, 17],
    "eliminate_loads": [True, False],
    "pool": [False, True],
}
CHANNELS = 7
PADDING = (1, 0, 1, 2)


def size_of(row: Row) -> list[int]:
    """Of the convolution's result."""
    kernel, strides, plane = row["kernel"], row["strides"], row["plane"]
    return [(n + 2 - k) // s + 1 for n, k, s in zip(plane, kernel, strides, strict=True)]


def registers(row: Row) -> int:
    """Of the target; pooling stays fused only where registers are few."""
    return 16 if row["dataflow"] == "staged" else 32


def valid(row: Row) -> bool:
    tile, size = row["rows"] * row["vectors"], size_of(row)
    if min(size) < 1:
        return False
    if row["pool"] and (
        row["dataflow"] != "staged"
        or any(n % 2 for n in (*size, row["rows"]))
        or size[1] < row["lanes"]
    ):
        return False
    if row["dataflow"] == "staged":
        return row["rows"] <= size[0] and tile + 3 <= registers(row)
    if row["dataflow"] == "output_stationary":
        panel = row["filter_block"]
        return row["rows"] == 1 and tile * panel + min(tile, panel) + 1 <= registers(row)
    return row["rows"] == 1


# Planes with half a vector over, whose last strip is folded.
FOLDED: list[Row] = [
    {
        "dataflow": "staged",
        "lanes": lanes,
        "rows": 4,
        "vectors": 1,
        "filter_block": 4,
        "channel_block": 5,
        "kernel": (3, 3),
        "strides": (1, 1),
        "plane": (22, 18),
        "filters": 17,
        "eliminate_loads": True,
        "pool": pool,
    }
    for lanes in (4, 8, 16)
    for pool in (False, True)
]
ROWS = pairwise(FACTORS, valid) + FOLDED


def pruned(net: Net, *shape: int) -> Floats:
    """A third of the kernels, in patterns of two and three cells."""
    filters, channels, height, width = shape
    library = np.zeros((3, height * width), np.bool_)
    for mask, kept in zip(library, (2, 3, 2), strict=True):
        mask[net.rng.permutation(height * width)[:kept]] = True
    chosen = library[net.rng.integers(3, size=filters * channels)]
    chosen[net.rng.random(filters * channels) > 0.35] = False
    chosen[0] = library[0]
    return net.normal(*shape) * chosen.reshape(shape)


def target_of(row: Row) -> Target:
    return targets.parse("host").override(lanes=row["lanes"], registers=registers(row))


def scheduled(row: Row, seed: int) -> Module:
    """A convolution with the schedule, and one behind it that reads all of its border."""
    net = Net(seed)
    x = net.input(2, CHANNELS, *row["plane"])
    weight = pruned(net, row["filters"], CHANNELS, *row["kernel"])
    y = net.conv(x, weight, bias=True, strides=row["strides"], padding=PADDING)
    y = net.layer("add", [y, net.input(*y.shape)], y.shape)
    if row["pool"]:
        halves = (*y.shape[:2], *(n // 2 for n in y.shape[2:]))
        y = net.layer("max_pool2d", [y], halves, kernel=ints(2, 2), strides=ints(2, 2))
    y = net.conv(y, net.normal(row["filters"], 1, 3, 3), groups=row["filters"], padding=(1,) * 4)
    module = pconv.lower(net.module(y), target=target_of(row), stop_after="scheduled")
    names = ("dataflow", "rows", "vectors", "filter_block", "channel_block")
    schedule = ", ".join(f"{name} = {row[name]}" for name in names)
    text, count = re.subn(r"(?<=#pattern.schedule<)[^>]*", schedule, module.ir, count=1)
    assert count == 1 and "#pattern.kernel" in text
    return dataclasses.replace(module, ir=text)


def name(row: Row) -> str:
    return "-".join(str(value).replace(" ", "") for value in row.values())


@pytest.mark.parametrize("number", range(len(ROWS)), ids=map(name, ROWS))
def test_any_schedule(number: int, workshop: Path) -> None:
    row = ROWS[number]
    target = target_of(row)
    module = scheduled(row, number)
    options = pconv.CompileOptions(eliminate_loads=row["eliminate_loads"])
    module = pconv.lower(module, target=target, stop_after="planned", options=options)
    check(module, target, workshop)


@pytest.mark.parametrize("number", range(len(ROWS) - len(FOLDED), len(ROWS)))
def test_strip_is_folded(number: int) -> None:
    """Nothing else loads half vectors."""
    row = ROWS[number]
    module = scheduled(row, number)
    assert ("pool = #pattern.pool" in module.ir) == row["pool"]
    lowered = pconv.lower(module, target=target_of(row), stop_after="lowered")
    assert re.search(rf"vector\.load .*vector<{row['lanes'] // 2}xf32>", lowered.ir)


def test_some_rows_pool_in_their_tiles() -> None:
    """Whether a pooling stays fused is the compiler's choice; but it has to occur above."""
    rows = [number for number, row in enumerate(ROWS) if row["pool"]]
    fused = 0
    for number in rows:
        fused += "pool = #pattern.pool" in scheduled(ROWS[number], number).ir
    assert fused > len(rows) / 2
