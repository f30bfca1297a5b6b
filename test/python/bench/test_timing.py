# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rules of measurement."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from pconv_mlir.bench import timing
from pconv_mlir.errors import OptionError

WANTED = [np.array([1.0, -4.0])]


def test_contestants_take_turns_and_every_round_counts_once() -> None:
    calls = []

    def contestant(name: str) -> list[NDArray[np.float32]]:
        calls.append(name)
        return [np.array([1.0, -4.0], np.float32)]

    rounds = []
    result = timing.alternate(
        {name: lambda name=name: contestant(name) for name in "ab"},  # type: ignore[misc]
        WANTED,
        20,
        rounds.append,
    )
    assert calls == ["a", "a", "b", "b"] * 22  # one run to warm up and one that counts
    assert rounds == list(range(1, 23))
    for found in result.values():
        assert len(found.times) == 20
        assert 0 < found.min_ms <= found.median_ms <= found.p90_ms
        assert found.max_abs_error == 0


def test_the_worst_error_of_all_runs_is_kept() -> None:
    runs = iter(range(100))

    def drifting() -> list[NDArray[np.float32]]:
        return [np.array([1.0, -4.0 + (next(runs) == 31)], np.float32)]

    found = timing.alternate({"drifting": drifting}, WANTED, 20)["drifting"]
    assert found.max_abs_error == 1.0
    assert found.relative_error == 0.25
    assert found.record()["runs"] == 20


@pytest.mark.parametrize(
    ("result", "error"),
    [
        ([1.0, -4.5], 0.5),
        ([[1.0], [-4.0]], 0.0),  # the same numbers under another shape
        ([1.0, float("nan")], float("inf")),
        ([1.0], float("inf")),
    ],
)
def test_errors(result: list[float], error: float) -> None:
    assert timing.largest_error([np.array(result, np.float32)], WANTED) == error


def test_too_few_runs_make_no_median() -> None:
    with pytest.raises(OptionError, match="at least 20 runs for a median, got 19"):
        timing.alternate({}, WANTED, 19)
