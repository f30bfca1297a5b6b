# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Convolutions of every scheme and form, on every kind of target, against the reference."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from covering import Row, pairwise
from nets import Floats, Net, all_targets, check, ints

import pconv_mlir as pconv
from pconv_mlir.module import Module

TARGETS = all_targets()

FACTORS: dict[str, list[Any]] = {
    "target": list(TARGETS),
    "scheme": ["dense", "pattern", "mixed", "connectivity", "unstructured"],
    "kernel": [(1, 1), (2, 2), (3, 3), (5, 5), (7, 7), (1, 3), (5, 2)],
    "strides": [(1, 1), (2, 2), (2, 1)],
    "padding": ["none", "same", "uneven"],
    "dilations": [(1, 1), (2, 2), (1, 3)],
    "groups": [1, 2, 17],
    "channels": [1, 3, 17, 64],  # of a group
    "filters": [1, 3, 17, 64],  # of a group
    "plane": [(1, 1), (7, 14), (14, 7), (15, 33), (33, 15), (56, 33), (1, 56), (33, 1)],
    "batch": [1, 2],
    "after": ["nothing", "bias", "relu", "residual", "pool"],
}


def padding_of(row: Row) -> tuple[int, ...]:
    """Top, left, bottom, right."""
    if row["padding"] == "none":
        return (0, 0, 0, 0)
    if row["padding"] == "uneven":
        return (2, 0, 1, 3)
    reach = [(k - 1) * d for k, d in zip(row["kernel"], row["dilations"], strict=True)]
    return (*(r // 2 for r in reach), *(r - r // 2 for r in reach))


def size_of(row: Row) -> list[int]:
    """Of the convolution's result."""
    pads = padding_of(row)
    return [
        (n + pads[i] + pads[i + 2] - (k - 1) * d - 1) // s + 1
        for i, (n, k, d, s) in enumerate(
            zip(row["plane"], row["kernel"], row["dilations"], row["strides"], strict=True)
        )
    ]


def valid(row: Row) -> bool:
    groups = row["groups"]
    work = groups * row["channels"] * row["filters"] * np.prod(row["kernel"])
    return bool(
        min(size_of(row)) >= (2 if row["after"] == "pool" else 1)
        and groups * max(row["channels"], row["filters"]) <= 128
        and work * np.prod(size_of(row)) <= 2e8  # for the reference
        and (row["kernel"] != (1, 1) or row["scheme"] in ("dense", "unstructured", "connectivity"))
    )


ROWS = pairwise(FACTORS, valid)


def prune(net: Net, weight: Floats, scheme: str) -> Floats:
    """Zeros of a kind, from libraries made for the size of the kernel."""
    kernels, cells = weight.shape[0] * weight.shape[1], weight.shape[2] * weight.shape[3]
    rng = net.rng
    if scheme == "dense":
        return weight
    if scheme == "unstructured":
        return weight * (rng.random(weight.shape) < 0.3)
    # Half of the cells in libraries of one length; from one cell to nearly all in mixed ones.
    lengths = [max(cells // 2, 1)] * 6 if scheme != "mixed" else [1, cells // 3 + 1, cells - 1]
    library = np.zeros((len(lengths), cells), np.bool_)
    for mask, length in zip(library, lengths, strict=True):
        mask[rng.permutation(cells)[:length]] = True
    masks = library[rng.integers(len(library), size=kernels)]
    if scheme == "connectivity":
        masks &= (rng.random(kernels) < 0.35)[:, None]
        masks[0] = library[0]  # something is left
    return weight * masks.reshape(weight.shape)


def network(row: Row, seed: int) -> Module:
    net = Net(seed)
    groups, channels = row["groups"], row["channels"]
    x = net.input(row["batch"], groups * channels, *row["plane"])
    weight = net.normal(groups * row["filters"], channels, *row["kernel"])
    after = row["after"]
    y = net.conv(
        x,
        prune(net, weight, row["scheme"]) / np.float32(np.sqrt(weight[0].size)),
        bias=after != "nothing",
        strides=row["strides"],
        padding=padding_of(row),
        dilations=row["dilations"],
        groups=groups,
    )
    if after == "residual":
        y = net.layer("add", [y, net.input(*y.shape)], y.shape)
    if after in ("relu", "residual", "pool"):
        y = net.activate(y, "relu6" if after == "relu" else "relu")
    if after == "pool":
        halves = (*y.shape[:2], *(n // 2 for n in y.shape[2:]))
        y = net.layer("max_pool2d", [y], halves, kernel=ints(2, 2), strides=ints(2, 2))
    return net.module(y)


def name(row: Row) -> str:
    parts = (value if isinstance(value, (tuple, list)) else [value] for value in row.values())
    return "-".join("x".join(map(str, part)) for part in parts)


@pytest.mark.parametrize("number", range(len(ROWS)), ids=map(name, ROWS))
def test_a_convolution(number: int) -> None:
    row = ROWS[number]
    check(network(row, number), TARGETS[row["target"]])


def test_the_rows_meet_every_dataflow_and_scheme() -> None:
    """Which layer runs how is the compiler's choice; but all ways have to occur above."""
    found = set()
    for number, row in enumerate(ROWS):
        module = network(row, number)
        plan = pconv.lower(module, target=TARGETS[row["target"]], stop_after="scheduled").ir
        scheme = re.search(r"#pattern\.(dense|kernel|unstructured)", plan.split("func.func")[0])
        dataflow = re.search(r"dataflow = (\w+)", plan)
        assert scheme and dataflow
        found.add((scheme[1], dataflow[1]))
    assert found >= {
        ("dense", "output_stationary"),
        ("unstructured", "output_stationary"),
        ("kernel", "output_stationary"),
        ("kernel", "input_stationary"),
        ("kernel", "staged"),
    }
