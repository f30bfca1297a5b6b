# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The measured peak, and the facts about the machine."""

from __future__ import annotations

import json
import re

import pytest

from pconv_mlir import codegen, ir, parsing, targets
from pconv_mlir.bench import machine, peak
from pconv_mlir.pipelines import TO_LLVM, Pass


@pytest.mark.parametrize(
    ("name", "instruction", "chains"),
    [
        ("x86-64", r"\bmulps\b", 14),
        ("x86-64-v3", r"\bvfmadd\w+ps\b.*ymm", 14),
        ("x86-64-v4", r"\bvfmadd\w+ps\b.*zmm", 24),
        ("aarch64-linux-gnu", r"\bfml[as]\b.*4s", 24),
    ],
)
def test_the_loop_is_nothing_but_multiply_adds(name: str, instruction: str, chains: int) -> None:
    target = targets.parse(name)
    with ir.Context():
        module = parsing.parse(peak._kernel(target, peak._chains(target), 1))
        codegen.run_passes(module, [Pass("llvm", TO_LLVM)])
        text = codegen.emit(module, target, assembly=True).decode()
    assert len(re.findall(instruction, text)) >= chains


def test_the_peak_is_plausible() -> None:
    """Between one operation in a nanosecond and what no core does today."""
    assert 1 < peak.fma_peak() < 2000
    assert peak.fma_peak() == peak.fma_peak()  # measured once


def test_the_machine_is_described_in_json() -> None:
    facts = machine.describe()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["lanes"] == targets.parse("host").lanes
    assert facts["versions"]["numpy"] and facts["versions"]["pconv-mlir"]
    assert machine.processor()


def test_missing_packages_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PACKAGES", ("numpy", "no-such-package"))
    assert machine.versions()["no-such-package"] is None
