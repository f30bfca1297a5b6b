# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Covering selections: few combinations in which every two values of two factors meet."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]
_CANDIDATES = 30  # rows of which the one with most new pairs is taken
_TRIES = 300  # to find a valid row that holds a pair


def pairwise(
    factors: Mapping[str, Sequence[Any]], valid: Callable[[Row], bool], seed: int = 0
) -> list[Row]:
    """Rows in which every pair of values occurs that occurs in a valid row at all.

    Greedy, as in "The AETG system" (Cohen et al. 1997): each row starts from a pair that is still
    missing and is the best of several random ones.
    """
    rng = random.Random(seed)
    missing = [
        {(a, i), (b, j)}
        for a, b in itertools.combinations(factors, 2)
        for i in range(len(factors[a]))
        for j in range(len(factors[b]))
    ]
    rows = []
    while missing:
        candidates = list(_rows_with(missing[0], factors, valid, rng))
        if not candidates:  # the two values exclude each other
            missing.pop(0)
            continue
        best = max(candidates, key=lambda row: sum(pair <= row for pair in missing))
        missing = [pair for pair in missing if not pair <= best]
        rows.append({name: factors[name][i] for name, i in best})
    return [{name: row[name] for name in factors} for row in rows]


def _rows_with(
    pair: set[tuple[str, int]],
    factors: Mapping[str, Sequence[Any]],
    valid: Callable[[Row], bool],
    rng: random.Random,
) -> Iterable[set[tuple[str, int]]]:
    found = 0
    for _ in range(_TRIES):
        row = {name: rng.randrange(len(values)) for name, values in factors.items()} | dict(pair)
        if valid({name: factors[name][i] for name, i in row.items()}):
            yield set(row.items())
            found += 1
        if found == _CANDIDATES:
            return
