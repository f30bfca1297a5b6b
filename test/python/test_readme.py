# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the README tells a reader to type has to work."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pconv_mlir.cli import parser

README = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def test_the_example_runs(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (example,) = blocks("python")
    script = tmp_path / "example.py"
    script.write_text(example)
    result = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "model.pconv").exists()


def test_every_command_and_option_exists() -> None:
    lines = [line.split("#")[0].split() for block in blocks("sh") for line in block.splitlines()]
    commands = [words[1:] for words in lines if words[:1] == ["pconv"]]
    assert commands
    for words in commands:
        assert isinstance(parser().parse_args(words), argparse.Namespace)


@pytest.mark.parametrize("page", sorted(set(re.findall(r"\]\(([\w/]+(?:\.md)?)\)", README))))
def test_every_page_that_it_links_to_exists(page: str) -> None:
    assert (Path(__file__).parents[2] / page).exists()
