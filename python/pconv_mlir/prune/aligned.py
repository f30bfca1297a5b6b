# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Which filters of a pruned layer share their kernels: the rule "aligned" read backwards."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.prune.patterns import PatternLibrary, kernel_rows

#: Filters that share kernels under the rule "aligned": one vector of a 128-bit unit.
ALIGNED_FILTERS = 4

Mask = NDArray[np.bool_]


def outside_library(alive: Mask, library: PatternLibrary) -> Mask:
    """Which kernels [..., cells] have a weight outside every pattern."""
    spilt = alive.astype(np.float32) @ (~library.masks).T.astype(np.float32)
    return np.asarray(spilt.min(axis=-1) > 0)


def aligned_groups(
    weight: NDArray[Any], library: PatternLibrary, keep: int
) -> list[NDArray[np.int64]] | None:
    """Groups of filters that share `keep` kernels and their patterns, as few as the rule makes.

    Filters with the same zeros come together first; the others go where they first fit. Kept
    weights that happen to be zero can hide a grouping from such a search.

    Returns:
        The filters of each group, or None where the weight is not aligned.
    """
    alive = kernel_rows(weight).astype(np.bool_).reshape(*weight.shape[:2], -1)
    if outside_library(alive, library).any():
        return None
    if alive.any(axis=2).sum(axis=1).max() > keep:
        return None
    most = -(-len(weight) // ALIGNED_FILTERS)
    same: dict[bytes, list[int]] = {}
    for number, filter_ in enumerate(alive):
        same.setdefault(filter_.tobytes(), []).append(number)
    groups: list[list[int]] = []
    for members in sorted(same.values(), key=len, reverse=True):
        full = len(members) // ALIGNED_FILTERS * ALIGNED_FILTERS
        groups += [members[i : i + ALIGNED_FILTERS] for i in range(0, full, ALIGNED_FILTERS)]
        for number in members[full:]:
            _place(number, groups, alive, library, keep)
        if len(groups) > most:
            return None
    return [np.array(group) for group in groups]


def _place(
    number: int, groups: list[list[int]], alive: Mask, library: PatternLibrary, keep: int
) -> None:
    """Adds a filter to the first group that stays aligned with it."""
    for group in groups:
        if len(group) == ALIGNED_FILTERS:
            continue
        union: Mask = np.logical_or.reduce(alive[[*group, number]])
        if union.any(axis=1).sum() <= keep and not outside_library(union, library).any():
            group.append(number)
            return
    groups.append([number])
