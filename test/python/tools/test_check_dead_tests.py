# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The lint that finds tests which cannot fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "dev" / "check_dead_tests.py"


def check(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    (folder / "a.mlir").write_text(text)
    return subprocess.run([sys.executable, SCRIPT, folder], capture_output=True, text=True)


ALIVE = {
    "one prefix": "// RUN: pconv-opt %s | FileCheck %s\n// CHECK-LABEL: @f\n",
    "literal": "// RUN: pconv-opt %s | FileCheck %s\n// CHECK{LITERAL}: [[0]]\n",
    "two prefixes": "// RUN: pconv-opt %s | filecheck %s --check-prefixes=A,B\n// A: x\n// B: y\n",
    "diagnostics": "// RUN: pconv-opt %s -verify-diagnostics\n// expected-error @+1 {{no}}\n",
    "two runs into files": "// RUN: pconv-opt %s > %t.a\n// RUN: diff %t.a %s\n",
    "a long command": "// RUN: pconv-opt %s \\\n// RUN:   | FileCheck %s\n// CHECK: x\n",
}
DEAD = {
    "no FileCheck": ("// RUN: pconv-opt %s\n// CHECK: x\n", "no RUN line reads CHECK"),
    "other prefix": ("// RUN: pconv-opt %s | FileCheck %s\n// CHEK: x\n", "no RUN line reads CHEK"),
    "output unseen": ("// RUN: pconv-opt %s > %t\n", "nothing looks at"),
    "no verification": ("// RUN: not pconv-opt %s\n// expected-error {{no}}\n", "-verify-diag"),
    "raw value": ("// RUN: pconv-opt %s | FileCheck %s\n// CHECK: %0 = x\n", "by its number"),
    "nothing run": ("module {}\n", "no RUN line"),
}


@pytest.mark.parametrize("text", ALIVE.values(), ids=ALIVE.keys())
def test_a_test_that_can_fail_passes(tmp_path: Path, text: str) -> None:
    result = check(tmp_path, text)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(("text", "message"), DEAD.values(), ids=DEAD.keys())
def test_a_test_that_cannot_fail_is_found(tmp_path: Path, text: str, message: str) -> None:
    result = check(tmp_path, text)
    assert result.returncode == 1
    assert message in result.stdout


def test_inputs_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "Inputs").mkdir()
    (tmp_path / "Inputs" / "b.mlir").write_text("module {}\n")
    assert check(tmp_path, ALIVE["one prefix"]).returncode == 0
