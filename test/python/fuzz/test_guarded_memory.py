# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""No damaged plan becomes code that leaves its memory. Many more seeds: see guarded.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import guarded
import native
import pytest

SEEDS = range(120)
MOST = 8  # are compiled and run


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if missing := native.HOST.missing():
        pytest.skip(f"needs {', '.join(missing)} to link compiled networks")
    return tmp_path_factory.mktemp("workshop")


def test_what_is_accepted_stays_inside(workshop: Path) -> None:
    pool, ran, refused = guarded.corpus(), 0, 0
    for text in (guarded.damaged(seed, pool) for seed in SEEDS):
        try:
            made = guarded.build(text)
        except guarded.Refused:
            refused += 1
            continue
        assert guarded.run(made, workshop) == "", text
        ran += 1
        if ran == MOST:
            break
    assert refused > ran > 0


def test_a_number_too_far_is_noticed(workshop: Path) -> None:
    """The oracle itself: without the checks, such an index stream ends the program."""
    made = guarded.build(guarded.packed_forms())
    assert guarded.run(made, workshop) == ""
    indices = made.indices.copy()
    indices[0] = 1 << 24
    assert guarded.run(replace(made, indices=indices), workshop) != ""
