# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pattern libraries made for one network: mined from its weights, or drawn at random."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.patterns import (
    MAX_PATTERNS,
    PatternLibrary,
    cells_of,
    distinct_masks,
    kernel_rows,
)


def mine_natural(
    weights: NDArray[Any] | Iterable[NDArray[Any]],
    k: int = 8,
    *,
    forced_centre: bool = True,
    keep: int | None = None,
) -> PatternLibrary:
    """The `k` most frequent natural patterns of trained dense kernels (PatDNN's first stage).

    The natural pattern of a kernel is its centre and its `keep - 1` other cells of largest
    magnitude (ties: lowest cell). With 3x3 kernels and `keep=4` there are 56 of them.

    Args:
        weights: OIHW weights of one odd kernel size; a whole network gives one library.
        k: Patterns wanted; fewer come back when the kernels do not have as many. Ties: lowest bit
            mask, where bit c stands for cell c.
        forced_centre: Keep the centre of every kernel; without it, the `keep` largest cells.
        keep: Cells kept per kernel; by default 4 of 9, in proportion for other sizes.

    Raises:
        SchemeError: No weights, mixed or even kernel sizes, or `k` or `keep` out of range.
    """
    tensors = [weights] if isinstance(weights, np.ndarray) else list(weights)
    rows = [kernel_rows(tensor) for tensor in tensors]
    sizes = {tensor.shape[2:] for tensor in tensors}
    if len(sizes) != 1:
        raise SchemeError(f"expected weights of one kernel size to mine, got {sorted(sizes)}")
    height, width = sizes.pop()
    cells = height * width
    if height % 2 == 0 or width % 2 == 0 or cells == 1:
        raise SchemeError(f"a {height}x{width} kernel has no natural patterns: expected odd sizes")
    keep = max(1, round(cells * 4 / 9)) if keep is None else keep
    if not 1 <= keep <= cells or not 1 <= k <= MAX_PATTERNS:
        raise SchemeError(
            f"expected 1 to {MAX_PATTERNS} patterns of 1 to {cells} cells, got {k} of {keep}"
        )
    size = np.abs(np.concatenate(rows).astype(np.float64))
    size = size[size.any(axis=1)]  # a removed kernel has no opinion
    if not len(size):
        raise SchemeError("there is nothing to mine: every kernel is removed")
    if forced_centre:
        size[:, cells // 2] = np.inf
    largest = np.argsort(-size, axis=1, kind="stable")[:, :keep]
    masks = np.zeros(size.shape, np.bool_)
    np.put_along_axis(masks, largest, True, axis=1)
    distinct, counts, _ = distinct_masks(masks)
    best = np.argsort(-counts, kind="stable")[:k]
    return PatternLibrary(cells_of(distinct[best]), height, width)


def random_library(count: int = 8, *, keep: int = 4, seed: int = 0) -> PatternLibrary:
    """`count` masks drawn from all that keep `keep` of 3x3 cells: the control for designed sets."""
    every = list(itertools.combinations(range(9), keep))
    if not 1 <= count <= min(len(every), MAX_PATTERNS):
        raise SchemeError(f"expected 1 to {min(len(every), MAX_PATTERNS)} patterns, got {count}")
    chosen = np.random.default_rng(seed).choice(len(every), count, replace=False)
    return PatternLibrary(tuple(every[i] for i in sorted(chosen)))
