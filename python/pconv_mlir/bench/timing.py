# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How speed is measured: everything that is compared takes turns in one run."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import OptionError

Arrays = Sequence[NDArray[np.float32]]

#: Fewer runs than this make no median worth printing.
FEWEST_RUNS = 20


@dataclass(frozen=True)
class Timing:
    """Times and errors of one contestant.

    Attributes:
        times: Milliseconds of every timed run.
        max_abs_error: Largest difference to the reference in any timed run.
        relative_error: The same over the largest value of the reference.
    """

    times: tuple[float, ...]
    max_abs_error: float
    relative_error: float

    @property
    def median_ms(self) -> float:
        return float(np.median(self.times))

    @property
    def min_ms(self) -> float:
        return min(self.times)

    @property
    def p90_ms(self) -> float:
        return float(np.percentile(self.times, 90))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "median_ms": self.median_ms,
            "min_ms": self.min_ms,
            "p90_ms": self.p90_ms,
            "runs": len(self.times),
            "max_abs_error": self.max_abs_error,
            "relative_error": self.relative_error,
        }


def alternate(
    contestants: Mapping[str, Callable[[], Arrays]],
    reference: Sequence[NDArray[np.float64]],
    runs: int,
    progress: Callable[[int], None] = lambda run: None,
) -> dict[str, Timing]:
    """Times several ways to compute the same thing, turn by turn.

    In every round each contestant runs twice, and the second run counts: the first fills the caches
    that the others emptied. Between turns there is a pause in which idle threads of the last one
    stop spinning. Every timed result is compared with the reference.

    Args:
        contestants: By name; each call is one whole run.
        reference: The right results, in double precision.
        runs: How many rounds count; two more come first.
        progress: Called after every round.

    Raises:
        OptionError: Fewer than `FEWEST_RUNS` rounds.
    """
    if runs < FEWEST_RUNS:
        raise OptionError(f"expected at least {FEWEST_RUNS} runs for a median, got {runs}")
    times: dict[str, list[float]] = {name: [] for name in contestants}
    errors = dict.fromkeys(contestants, 0.0)
    enabled = gc.isenabled()
    gc.disable()
    try:
        for round_ in range(runs + 2):
            for name, run in contestants.items():
                run()
                start = time.perf_counter()
                results = run()
                elapsed = (time.perf_counter() - start) * 1e3
                if round_ >= 2:
                    times[name].append(elapsed)
                    errors[name] = max(errors[name], largest_error(results, reference))
                time.sleep(0.005)
            progress(round_ + 1)
    finally:
        if enabled:
            gc.enable()
    scale = max(float(np.abs(wanted).max()) for wanted in reference) or 1.0
    return {
        name: Timing(tuple(times[name]), errors[name], errors[name] / scale) for name in contestants
    }


def largest_error(results: Arrays, reference: Sequence[NDArray[np.float64]]) -> float:
    """Largest absolute difference; infinite where a result is not even a number or a fit."""
    worst = 0.0
    for result, wanted in zip(results, reference, strict=True):
        if result.size != wanted.size:
            return float("inf")
        error = float(np.abs(result.reshape(wanted.shape) - wanted).max())
        worst = max(worst, error if np.isfinite(error) else float("inf"))
    return worst
