# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Schemes: their text form and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pconv_mlir import prune
from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.schemes import AXES, RULES

TEXTS = [
    "dense",
    "pattern:8+connectivity:3.6",
    "pattern:8",
    "pattern:12+connectivity:2/layer",
    "pattern:4+connectivity:2.25/aligned",
    "pattern:wm21",
    "pattern:mined6+connectivity:3.6",
    "pattern:5x3[0.1.14,7]+connectivity:2",
    "block-punched:8x4@6",
    "block:16x16@10",
    "nm:2:4",
    "nm:1:16/flat",
    "unstructured@10",
    "filter@2",
    "channel@2",
]


@pytest.mark.parametrize("text", TEXTS)
def test_text_round_trips(text: str) -> None:
    assert str(prune.parse_scheme(text)) == text


def test_text_means_the_dataclass() -> None:
    assert prune.parse_scheme("pattern:8+connectivity:3.6") == prune.KernelPattern(8, 3.6)
    assert prune.parse_scheme("pattern:8") == prune.KernelPattern(8, 1)
    assert prune.parse_scheme("block-punched:8x4@6") == prune.BlockPunched(8, 4, 6)
    assert prune.parse_scheme("nm:2:4") == prune.NM(2, 4, "channels")
    assert prune.parse_scheme("block:16x16@10") == prune.Block(16, 16, 10)
    assert prune.parse_scheme(" unstructured@10 ") == prune.Unstructured(10)


def test_a_scheme_passes_through() -> None:
    scheme = prune.Filter(2)
    assert prune.parse_scheme(scheme) is scheme


rates = st.floats(1, 1e6)
sizes = st.integers(1, 64)
libraries = st.builds(
    lambda masks: prune.PatternLibrary(tuple(tuple(sorted(m)) for m in masks)),
    st.lists(st.frozensets(st.integers(0, 8), min_size=1), min_size=1, max_size=9, unique=True),
)
kernel_patterns = st.one_of(
    st.builds(
        prune.KernelPattern,
        st.sampled_from([4, 8, 12, *prune.PRESETS]) | libraries,
        rates,
        rule=st.sampled_from(RULES),
    ),
    st.builds(prune.KernelPattern, st.integers(1, 56), rates, library=st.just("mined")),
)
schemes = st.one_of(
    kernel_patterns,
    st.builds(prune.BlockPunched, sizes, sizes, rates),
    st.builds(prune.Block, sizes, sizes, rates),
    sizes.flatmap(
        lambda of: st.builds(prune.NM, st.integers(1, of), st.just(of), st.sampled_from(AXES))
    ),
    st.builds(prune.Unstructured, rates),
    st.builds(prune.Filter, rates),
    st.builds(prune.Channel, rates),
)


@given(schemes)
def test_every_scheme_round_trips(scheme: prune.Scheme) -> None:
    assert prune.parse_scheme(str(scheme)) == scheme


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "unknown scheme"),
        ("patern:8", "unknown scheme"),
        ("pattern:8+connectivity:", "unknown scheme"),
        ("unstructured@-1", "unknown scheme"),
        ("unstructured@nan", "unknown scheme"),
        ("block:16@10", "unknown scheme"),
        ("pattern:7", "expected 4, 8 or 12 patterns, got 7"),
        ("pattern:wm22", "expected a library among"),
        ("pattern:mined0", "expected 1 to 56 mined patterns"),
        ("pattern:8+connectivity:0.5", "connectivity rate of at least 1, got 0.5"),
        ("pattern:8+connectivity:2/row", "expected connectivity rule"),
        ("pattern:3x3[0.1,0.1]", "duplicate of kernel pattern 1"),
        ("pattern:3x3[]", "kernel pattern 1 is empty"),
        ("pattern:3x3[1.0]", "ascending order"),
        ("pattern:3x3[3.9]", "cells 0 to 8"),
        ("pattern:0x3[0]", "at least 1x1"),
        ("pattern:" + "9" * 5000, "expected a library among"),
        ("pattern:3x3[" + "9" * 5000 + "]", "expected a library among"),
        ("block:" + "9" * 5000 + "x1@2", "unknown scheme"),
        ("nm:5:4", "expected to keep 1 to 4 weights of 4, got 5"),
        ("nm:0:4", "expected to keep 1 to 4 weights of 4, got 0"),
        ("nm:2:4/rows", "expected an axis among channels, flat, got 'rows'"),
        ("nm:2", "unknown scheme"),
        ("filter@0.9", "filter rate of at least 1"),
        ("unstructured@1e400", "unstructured rate of at least 1, got inf"),
        ("block-punched:0x4@6", "block of at least 1x1, got 0x4"),
    ],
)
def test_bad_text_is_one_typed_error(text: str, message: str) -> None:
    with pytest.raises(SchemeError, match=message):
        prune.parse_scheme(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda: prune.NM("a", 4),
        lambda: prune.NM(2.5, 4),
        lambda: prune.NM(2, "4"),
        lambda: prune.BlockPunched("8"),
        lambda: prune.Block(16.5, 16),
        lambda: prune.Filter("2"),
        lambda: prune.KernelPattern([[0, 1]]),
        lambda: prune.PatternLibrary((("a",),)),
        lambda: prune.PatternLibrary(((0.5,),)),
        lambda: prune.PatternLibrary(5),
        lambda: prune.PatternLibrary(((0,),), "3"),
    ],
)
def test_values_of_other_types_are_one_typed_error(make: Callable[[], Any]) -> None:
    with pytest.raises(SchemeError, match="expected"):
        make()


def test_a_library_and_a_name_together_are_refused() -> None:
    assert prune.KernelPattern(library="code8") == prune.KernelPattern("code8")
    with pytest.raises(SchemeError, match="either a library of your own or a name"):
        prune.KernelPattern(prune.PRESETS["scp4"], library="code8")


def test_imports_without_torch() -> None:
    code = "import sys, pconv_mlir.prune; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
