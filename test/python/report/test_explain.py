# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of layers."""

from __future__ import annotations

import dataclasses

import pytest

from pconv_mlir import targets
from pconv_mlir.manifest import Layer, Manifest, Memory, Slot, Step
from pconv_mlir.report import explain
from pconv_mlir.runtime import Profile

CONV = Layer(
    name="features.3",
    kind="conv2d",
    input=(1, 64, 56, 56),
    output=(1, 128, 56, 56),
    weights=(128, 64, 3, 3),
    scheme="pattern:8+connectivity:3.6",
    zeros=64592,
    kernels=8192,
    kept_kernels=2284,
    macs=231211008,
    kept_macs=28650496,
    loads="run: 9 taps",
    index_bytes=4568,
    csr_bytes=18784,
)
FIRST = dataclasses.replace(CONV, name="features.0", scheme="dense", reason="first layer")
POOL = Layer("pool", "max_pool2d", (1, 128, 56, 56), (1, 128, 28, 28))
POOLING = Step("pool", "max_pool2d", 2)
COPY = Layer("", "relayout", (1, 64, 56, 56), (1, 64, 56, 56))


class Net:
    """As much of a network as the table asks for."""

    num_threads, arena_bytes, weight_bytes = 1, 2 << 20, 1 << 20
    manifest = Manifest(
        producer="test",
        target=targets.parse("x86-64-v3"),
        inputs=(Slot("x", (1, 64, 56, 56), 0),),
        outputs=(Slot("y", (1, 128, 28, 28), 0),),
        memory=Memory(1 << 20, 0, 0, 0),
        steps=(*[Step("", "relayout", 1)] * 2, *[Step("features.3", "conv2d", 7)] * 2, POOLING),
        layers=(COPY, COPY, FIRST, CONV, POOL),
    )


MEASURED = explain.Measurement(Profile(3.0, (0.25, 0.5, 1.0, 1.0, 0.125)), 100.0)


def test_times_of_all_steps_of_a_layer_add_up() -> None:
    *copies, first, conv, pool = explain.layer_times(Net.manifest, MEASURED)
    assert [copy.ms for copy in copies] == [0.25, 0.5]  # one step each, though called alike
    assert (first.ms, conv.ms, pool.ms) == (0.0, 2.0, 0.125)
    assert conv.gflops == pytest.approx(2 * CONV.kept_macs / 2e-3 / 1e9)
    assert conv.peak_share == pytest.approx(conv.gflops / 100)  # type: ignore[operator]
    assert pool.gflops is None and pool.peak_share is None
    assert conv.record()["scheme"] == "pattern:8+connectivity:3.6"


def test_nothing_is_run_unless_asked_for() -> None:
    assert [timed.ms for timed in explain.layer_times(Net.manifest)] == [None] * 5
    text = explain.table(Net())  # type: ignore[arg-type]
    assert " ms" not in text and "GFLOP/s" not in text


def test_the_table_says_what_and_why() -> None:
    text = explain.table(Net(), MEASURED)  # type: ignore[arg-type]
    header, _, _, _, first, conv, pool, summary = text.splitlines()
    for word in ("layer", "zeros", "scheme", "kernels", "loads", "index B", "CSR B", "peak"):
        assert word in header
    assert first.startswith("features.0") and first.endswith("first layer")
    for cell in ("64x56x56 -> 128x56x56", "87.6%", "2284/8192", "4568", "18784", "29%", "2.000"):
        assert cell in conv
    assert "max_pool2d" in pool and "%" not in pool
    assert "28.7 of" not in summary and "57.3 of 462.4 M multiplications (8.07x)" in summary
    assert "3.000 ms a run" in summary and "arena 2.0 MiB" in summary
