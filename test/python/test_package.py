# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a user meets first: importing the package and starting its programs."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

import pconv_mlir

PROGRAMS = Path(pconv_mlir.__file__).parent / "bin"
SAMPLE = Path(__file__).parent / "Inputs" / "many-dialects.mlir"


def run(*command: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), input=text, capture_output=True, text=True, timeout=120
    )


def pconv_opt(*arguments: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    return run(PROGRAMS / "pconv-opt", *arguments, text=text)


@pytest.mark.parametrize(
    "statement",
    ["import pconv_mlir", "import pconv_mlir; pconv_mlir.load", "import pconv_mlir.cli"],
)
def test_importing_loads_neither_torch_nor_mlir(statement: str) -> None:
    heavy = {"torch", "torch_mlir", "onnx", "pconv_mlir._mlir_libs", "matplotlib", "onnxruntime"}
    result = run(sys.executable, "-c", f"{statement}\nimport sys\nprint(*sys.modules)")
    assert result.returncode == 0, result.stderr
    assert not heavy & set(result.stdout.split())


def project_version() -> str:
    """The version that pyproject.toml names."""
    project = Path(__file__).parents[2] / "pyproject.toml"
    return str(tomllib.loads(project.read_text())["project"]["version"])


@pytest.mark.parametrize("program", ["pconv-opt", "pconv-lsp-server"])
def test_programs_say_their_version(program: str) -> None:
    result = run(PROGRAMS / program, "--version")
    assert result.returncode == 0
    assert result.stdout.startswith(f"pconv-mlir {project_version()} ")


def installed_version() -> str:
    """The version of the installed package; skips the test when it runs from a build folder."""
    try:
        return version("pconv-mlir")
    except PackageNotFoundError:
        pytest.skip("runs from a build folder: the package is not installed")


def test_the_installed_version_is_the_one_of_the_project() -> None:
    assert installed_version() == project_version()


@pytest.mark.parametrize("script", ["pconv", "pconv-opt", "pconv-lsp-server"])
def test_console_scripts_start(script: str) -> None:
    installed_version()
    program = Path(sysconfig.get_path("scripts")) / script
    result = run(program, "--help")
    assert result.returncode == 0, result.stderr
    assert "pconv" in result.stdout or "MLIR" in result.stdout
    assert project_version() in run(program, "--version").stdout


def test_the_library_exports_c_functions_only() -> None:
    """So a second MLIR in the process finds none of our symbols, nor we its."""
    library = ctypes.CDLL(str(PROGRAMS.parent / "_mlir_libs" / "libPconvAggregateCAPI.so"))
    assert hasattr(library, "mlirContextCreate")
    assert hasattr(library, "pconvEmitObject")
    assert not hasattr(library, "_ZN4mlir11MLIRContextC1ENS0_9ThreadingE")
    assert not hasattr(library, "_ZN4llvm11LLVMContextC1Ev")


MALFORMED = {
    "empty attribute": "module attributes {pattern.target = } {}",
    "unknown attribute": "module attributes {pattern.target = #pattern.nonsense<1>} {}",
    "wrong field": "module attributes {pattern.target = #pattern.target<lanes = banana>} {}",
    "library without patterns": "module attributes {x = #pattern.library<3x3, []>} {}",
    "library with an empty pattern": "module attributes {x = #pattern.library<3x3, [[]]>} {}",
    "cell outside": "module attributes {x = #pattern.library<3x3, [[0, 1, 9]]>} {}",
    "negative cell": "module attributes {x = #pattern.library<3x3, [[-1, 1]]>} {}",
    "twice the same": "module attributes {x = #pattern.library<3x3, [[0, 1], [0, 1]]>} {}",
    "huge kernel": "module attributes {x = #pattern.library<9999999999x3, [[0]]>} {}",
    "zero kernel": "module attributes {x = #pattern.library<0x0, [[0]]>} {}",
    "zero block": "module attributes {x = #pattern.block<rows = 0, cols = 0>} {}",
    "plane": "func.func @f(%x: tensor<1x2x3x4xf32, #pattern.plane<halo = -1, row_stride = 0>>)",
    "not utf-8": "\x00\x01\x02\ufffd",
    "unclosed": "func.func @f(%x: tensor<1x3x",
    "missing weights": """func.func @f(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
      %0 = pattern.conv2d %x weights(@none) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
      return %0 : tensor<1x4x5x7xf32> }""",
    "weights without a type": "pattern.weights @w",
    "generic op without anything": '"pattern.conv2d"() : () -> ()',
    "generic op with wrong types": """func.func @f(%x: i32) {
      %0 = "pattern.add"(%x, %x) : (i32, i32) -> i32
      return }""",
    "scalars for a reshape": '"pattern.reshape"() {layer = 3} : () -> tensor<0xf32>',
}


@pytest.mark.parametrize("text", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_ir_is_refused_with_a_diagnostic(text: str) -> None:
    result = pconv_opt("-", text=text)
    assert result.returncode == 1, result.stderr
    assert "error:" in result.stderr
    assert "PLEASE submit a bug report" not in result.stderr


def registered_passes() -> list[str]:
    listing = pconv_opt("--help").stdout
    start, end = listing.index("Passes:"), listing.index("Pass Pipelines:")
    return re.findall(r"^      (--[a-z0-9-]+) ", listing[start:end], flags=re.MULTILINE)


def test_no_registered_pass_ends_the_process() -> None:
    """A dialect's promised interface that was not registered aborts: see Registration.cpp."""
    assert pconv_opt(SAMPLE).returncode == 0, pconv_opt(SAMPLE).stderr
    passes = registered_passes()
    assert len(passes) > 100
    statuses = {flag: pconv_opt(flag, SAMPLE).returncode for flag in passes}
    assert {flag: status for flag, status in statuses.items() if status not in (0, 1)} == {}
