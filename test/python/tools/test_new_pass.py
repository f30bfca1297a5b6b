# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The script that writes the skeleton of a pass, on a copy of the files that it changes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHANGED = [
    "dialects/Pattern/Transforms/Passes.td",
    "lib/Dialect/Pattern/Transforms/CMakeLists.txt",
    "test/Dialect/Pattern/fuse-layers.mlir",
    "tools/dev/new_pass.py",
]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in CHANGED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def new_pass(tree: Path, flag: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, tree / "tools/dev/new_pass.py", flag, "Make two layers one"]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_pass_gets_its_entry_its_source_and_two_tests(tree: Path) -> None:
    result = new_pass(tree, "pattern-merge-layers")
    assert result.returncode == 0, result.stderr
    assert all((tree / line).exists() for line in result.stdout.split())

    definitions = (tree / CHANGED[0]).read_text()
    assert 'def MergeLayers : Pass<"pattern-merge-layers"' in definitions
    assert 'let summary = "Make two layers one";' in definitions
    assert definitions.rstrip().endswith("#endif // PATTERN_TRANSFORMS_PASSES_TD")

    library = tree / "lib/Dialect/Pattern/Transforms"
    sources = [
        line.strip()
        for line in (library / "CMakeLists.txt").read_text().splitlines()
        if line.endswith(".cpp")
    ]
    assert sources == sorted(sources)
    assert "MergeLayers.cpp" in sources
    assert "GEN_PASS_DEF_MERGELAYERS" in (library / "MergeLayers.cpp").read_text()
    written = [path.read_text() for path in tree.rglob("*merge-layers*.mlir")]
    assert len(written) == 2
    assert all("FILL IN" in text and "-pattern-merge-layers" in text for text in written)


@pytest.mark.parametrize("flag", ["merge-layers", "pattern-Merge-layers", "pattern-merge", "../x"])
def test_a_name_out_of_order_is_refused(tree: Path, flag: str) -> None:
    result = new_pass(tree, flag)
    assert result.returncode == 2
    assert flag in result.stderr


def test_nothing_is_overwritten(tree: Path) -> None:
    before = (tree / CHANGED[0]).read_text()
    result = new_pass(tree, "pattern-fuse-layers")
    assert result.returncode == 2
    assert "exists already" in result.stderr
    assert (tree / CHANGED[0]).read_text() == before
