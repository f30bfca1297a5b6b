# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running passes and making code: what happens when they fail."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from pconv_mlir import codegen, ir, parsing, passes, targets
from pconv_mlir.errors import CompileError, ModelError, OptionError
from pconv_mlir.module import Module
from pconv_mlir.pipelines import Pass

SUM = """
func.func @sum(%a: f32, %b: f32) -> f32 {
  %0 = arith.addf %a, %b : f32
  return %0 : f32
}
"""
RELU = """
func.func @relu(%a: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %0 = pattern.activate %a {activation = #pattern.activation<relu>, layer = "features.3"}
      : tensor<1x4xf32> -> tensor<1x4xf32>
  return %0 : tensor<1x4xf32>
}
"""
FAILS = "one-shot-bufferize"  # knows no op of the pattern dialect


def module(text: str) -> Module:
    return Module(text, {}, [], [])


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reproducers go where the test's other files go."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_pass_leaves_the_module_that_it_was_given() -> None:
    before = module(SUM)
    after = passes.run(before, "convert-arith-to-llvm")
    assert "llvm.fadd" in after.ir and before.ir == SUM


def test_pass_options_are_spelled_as_in_the_tool() -> None:
    after = passes.run(module(SUM), "convert-arith-to-llvm", index_bitwidth=32)
    assert "llvm.fadd" in after.ir
    with pytest.raises(OptionError, match="no pass or option of this kind"):
        passes.run(module(SUM), "convert-arith-to-llvm", colour="red")


def test_an_unknown_pass() -> None:
    with pytest.raises(OptionError, match="no pass or option .*'pattern-fuze'"):
        passes.run(module(SUM), "pattern-fuze")


def test_malformed_ir() -> None:
    with pytest.raises(ModelError, match="the IR of the network is malformed: .*expected"):
        passes.run(module("func.func @f("), "canonicalize")


def test_a_failing_pass_says_how_to_repeat_it(tmp_path: Path) -> None:
    with ir.Context():
        parsed = parsing.parse(SUM + RELU)
        steps = [Pass("", "convert-arith-to-llvm"), Pass("", FAILS), Pass("", "canonicalize")]
        with pytest.raises(CompileError, match=f"{FAILS} failed") as raised:
            codegen.run_passes(parsed, steps)
    assert raised.value.layer == "features.3"
    line = re.search(r"pconv-opt (\S+) --pass-pipeline='(.*)'$", str(raised.value))
    assert line
    path, pipeline = Path(line[1]), line[2]
    assert pipeline == f"builtin.module({FAILS})"
    assert path.is_relative_to(tmp_path)
    # What came before the failing pass is done, the pass itself is not.
    assert "llvm.fadd" in path.read_text() and "pattern.activate" in path.read_text()
    assert "op was not bufferized" in path.with_name("error.txt").read_text()
    program = Path(ir.__file__).parent / "bin" / "pconv-opt"
    repeated = subprocess.run(
        [program, path, f"--pass-pipeline={pipeline}"], capture_output=True, text=True, timeout=60
    )
    assert repeated.returncode == 1 and "op was not bufferized" in repeated.stderr


def test_no_code_for_what_is_not_the_llvm_dialect() -> None:
    with ir.Context():
        parsed = parsing.parse(SUM)
        with pytest.raises(CompileError, match=r"LLVM made no code for x86-64-v3: .*input.mlir"):
            codegen.emit(parsed, targets.parse("x86-64-v3"))


@pytest.mark.parametrize(
    ("target", "instruction"),
    [("x86-64", "addss"), ("x86-64-v3", "vaddss"), ("aarch64-linux-gnu", "fadd")],
)
def test_code_for_other_machines(target: str, instruction: str) -> None:
    with ir.Context():
        parsed = parsing.parse(SUM)
        lowering = ("convert-arith-to-llvm", "convert-func-to-llvm")
        codegen.run_passes(parsed, [Pass("", flag) for flag in lowering])
        text = codegen.emit(parsed, targets.parse(target), assembly=True).decode()
        assert re.search(rf"\b{instruction}\b", text)
        assert codegen.emit(parsed, targets.parse(target), 0)[:4] == b"\x7fELF"
