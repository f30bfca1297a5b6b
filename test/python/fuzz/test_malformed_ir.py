# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv-opt answers malformed IR with a diagnostic. Many more seeds: see mutations.py."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mutations
import pytest

SEEDS = range(150)


@pytest.fixture(scope="module")
def pool() -> list[str]:
    return mutations.corpus()


@pytest.fixture(scope="module")
def modules(pool: list[str]) -> list[str]:
    return [mutations.damaged(seed, pool) for seed in SEEDS]


@pytest.mark.parametrize("way", mutations.passes(), ids=lambda way: way.partition(",")[0])
def test_no_damage_ends_pconv_opt(modules: list[str], way: str) -> None:
    assert list(mutations.crashes(modules, way)) == []


def test_the_seeds_reach_the_passes(modules: list[str], pool: list[str]) -> None:
    """Not all of the damage may be so plain that no verifier and no pass comes to see it."""

    def parses(module: str) -> bool:
        command = [mutations.PCONV_OPT, "-o", "/dev/null"]
        done = subprocess.run(command, input=module.encode(), capture_output=True, check=False)
        return done.returncode == 0

    assert len(set(modules) - set(pool)) > len(SEEDS) * 0.9
    assert sum(map(parses, modules[:60])) >= 5


def test_a_crash_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With a pconv-opt that ends on a word in its input."""
    program = tmp_path / "pconv-opt"
    program.write_text("#!/bin/sh\ngrep -q fatal && kill -ABRT $$\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setattr(mutations, "PCONV_OPT", program)
    modules = [f"module {number}" for number in range(9)]
    modules[5] = "fatal"
    (crash,) = mutations.crashes(modules, "some-pass")
    assert crash.text == "fatal" and "-6" in crash.error
