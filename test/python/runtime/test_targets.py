# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Targets: names, what follows from their features, and which machines they fit."""

from __future__ import annotations

import pytest

from pconv_mlir import targets
from pconv_mlir.errors import TargetError
from pconv_mlir.targets import features


@pytest.mark.parametrize(
    ("name", "lanes", "registers", "fma"),
    [
        ("x86-64", 4, 16, False),
        ("x86-64-v2", 4, 16, False),
        ("x86-64-v2+avx", 8, 16, False),
        ("x86-64-v2+avx2+fma", 8, 16, True),
        ("x86-64-v3", 8, 16, True),
        ("x86-64-v3+avx512f", 16, 32, True),
        ("x86-64-v4", 16, 32, True),
        ("aarch64-linux-gnu", 4, 32, True),
        ("aarch64-linux-android+dotprod", 4, 32, True),
    ],
)
def test_vectors_follow_from_features(name: str, lanes: int, registers: int, fma: bool) -> None:
    target = targets.parse(name)
    assert (target.lanes, target.registers, target.fma) == (lanes, registers, fma)
    assert target.name == name


def test_the_host_is_described_by_its_own_features() -> None:
    host = targets.parse("host")
    targets.check_runs_here(host)
    isa, available = features.of_this_machine()
    assert host.instruction_set == isa
    assert host.required() <= available
    wide = {"avx512f": 16, "avx": 8}
    lanes = next((n for name, n in wide.items() if name in available), 4)
    assert host.lanes == lanes


def test_the_attribute_parses() -> None:
    from pconv_mlir import ir

    text = targets.parse("x86-64-v3").attribute
    assert text == (
        "#pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>"
    )
    with ir.Context():
        assert str(ir.Attribute.parse(text)) == text


def test_override_changes_a_copy() -> None:
    target = targets.parse("x86-64-v3")
    assert target.override(lanes=16).lanes == 16
    assert target.lanes == 8
    assert targets.parse(target) is target


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("hots", "host"),
        ("x86-64-v9", "x86-64-v4"),
        ("arch64-linux-gnu", "aarch64-linux-gnu"),
        ("x86-64-v3+avx215", "avx2"),
        ("aarch64-linux-gnu+dotproduct", "dotprod"),
        ("aarch64-linux-gnu+avx2", ""),
        ("", "host"),
    ],
)
def test_unknown_names_get_suggestions(name: str, suggestion: str) -> None:
    with pytest.raises(TargetError, match=f"unknown .* did you mean .*{suggestion}"):
        targets.parse(name)


def test_code_for_another_machine_is_refused() -> None:
    isa, available = features.of_this_machine()
    other = "x86-64" if isa == "aarch64" else "aarch64-linux-gnu"
    with pytest.raises(TargetError, match="compile the model for this machine"):
        targets.check_runs_here(targets.parse(other))
    missing = sorted(set(features.KNOWN[isa]) - available)
    if missing:
        with pytest.raises(TargetError, match=f"needs {missing[0]}, which this processor lacks"):
            targets.check_runs_here(targets.parse(f"host+{missing[0]}"))
