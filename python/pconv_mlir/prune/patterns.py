# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pattern libraries: what one is, the published ones, and the one that a pruned tensor uses.

A kernel pattern is the set of cells that a kernel keeps. Cells are numbered row by row from 0, so a
3x3 kernel is `0 1 2 / 3 4 5 / 6 7 8` with its centre at 4. Pattern ids run from 1; 0 stands for a
kernel that was removed (connectivity).
"""

from __future__ import annotations

import itertools
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.ranges import is_integer

MAX_PATTERNS = 127  # pattern ids are stored as int8, and 0 is taken
_MOST_MASKS = 1024  # a tensor with more is no library with accidents; bounds the search's D*D work


@dataclass(frozen=True)
class PatternLibrary:
    """The kernel patterns that the kernels of a layer may wear.

    Args:
        patterns: Kept cells of each pattern, ascending.
        height: Rows of a kernel.
        width: Columns of a kernel.

    Raises:
        SchemeError: No pattern or more than 127; a pattern that is empty, a duplicate, not
            ascending, or has a cell outside the kernel.

    >>> print(PatternLibrary(((0, 1, 3, 4), (1, 2, 4, 5))))
    3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]
    """

    patterns: tuple[tuple[int, ...], ...]
    height: int = 3
    width: int = 3

    def __post_init__(self) -> None:
        if not is_integer(self.height, 1) or not is_integer(self.width, 1):
            raise SchemeError(
                f"expected a kernel of at least 1x1, got {self.height!r}x{self.width!r}"
            )
        plain = _cells(self.patterns)
        object.__setattr__(self, "patterns", plain)
        if not 1 <= len(self.patterns) <= MAX_PATTERNS:
            raise SchemeError(
                f"expected 1 to {MAX_PATTERNS} kernel patterns, got {len(self.patterns)}"
            )
        for number, cells in enumerate(plain, 1):
            self._check(number, cells)

    def _check(self, number: int, cells: tuple[int, ...]) -> None:
        which = f"kernel pattern {number}, {list(cells)},"
        if not cells:
            raise SchemeError(f"kernel pattern {number} is empty: every pattern must keep a cell")
        if any(a >= b for a, b in itertools.pairwise(cells)):
            raise SchemeError(f"{which} must list its cells in ascending order, each once")
        if cells[0] < 0 or cells[-1] >= self.size:
            raise SchemeError(
                f"{which} must keep cells 0 to {self.size - 1} of a "
                f"{self.height}x{self.width} kernel"
            )
        first = self.patterns.index(cells) + 1
        if first != number:
            raise SchemeError(
                f"{which} is a duplicate of kernel pattern {first}: remove one of them"
            )

    def __len__(self) -> int:
        return len(self.patterns)

    def __str__(self) -> str:
        """The parameters of `#pattern.library<...>`."""
        return f"{self.height}x{self.width}, {[list(cells) for cells in self.patterns]}"

    @property
    def size(self) -> int:
        """Cells of a kernel."""
        return self.height * self.width

    @cached_property
    def masks(self) -> NDArray[np.bool_]:
        """Kept cells as masks [patterns, height * width]."""
        masks = np.zeros((len(self), self.size), np.bool_)
        for mask, cells in zip(masks, self.patterns, strict=True):
            mask[list(cells)] = True
        masks.setflags(write=False)
        return masks

    def mask_of(self, kernels: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Mask [O,I,height,width] of a layer whose kernels [O,I] wear these ids (0 = removed)."""
        with_removed = np.concatenate([np.zeros((1, self.size), np.bool_), self.masks])
        mask: NDArray[np.bool_] = with_removed[kernels]
        return mask.reshape(*kernels.shape, self.height, self.width)


def _cells(patterns: Any) -> tuple[tuple[int, ...], ...]:
    """
    Raises:
        SchemeError: They are no lists of whole numbers.
    """
    try:
        found = tuple(tuple(cells) for cells in patterns)
        if all(isinstance(cell, Integral) for cells in found for cell in cells):
            return tuple(tuple(int(cell) for cell in cells) for cells in found)
    except TypeError:
        pass  # a number where a list should be
    raise SchemeError(f"expected kernel patterns as lists of cells, got {reprlib.repr(patterns)}")


def _preset(text: str) -> PatternLibrary:
    return PatternLibrary(tuple(tuple(int(cell) for cell in word) for word in text.split()))


_CORNER4 = "4578 3467 1245 0134"
_SCP4 = "1345 1347 3457 1457"
_CODE8 = f"{_CORNER4} 5678 3457 1457 1347"

PRESETS: Mapping[str, PatternLibrary] = {
    # The four patterns of PCONV: the centre and three of its four edge neighbours.
    "scp4": _preset(_SCP4),
    # Libraries of the authors' public training code, and of one saved set of VGG masks (vgg8_free).
    "corner4": _preset(_CORNER4),
    "code8": _preset(_CODE8),
    "balanced8": _preset(f"{_CORNER4} {_SCP4}"),
    "code12": _preset(f"{_CODE8} 0124 3678 0123 3478"),
    "wm12": _preset("0134 1345 3478 3458 0345 3457 0124 4567 1278 3467 2345 0128"),
    "wm15": _preset("1457 1345 3478 3458 0345 3457 0124 4567 1278 1458 2345 0167 0128 1267 5678"),
    "wm21": _preset(
        "1357 1478 3456 0147 2345 1467 0345 1247 3458 0347 1234 1458 4567 2457 3478 1346 0145 "
        "1345 1457 3457 1347"
    ),
    "keep5_13": _preset(
        "13457 23456 23458 25678 01478 12467 03458 03456 01247 14678 01236 01258 03678"
    ),
    "vgg8_free": _preset(f"{_CORNER4} 3678 5678 0123 0125"),
    # Ours: twelve patterns, all with the centre, closed under mirroring.
    "sym12": _preset(f"{_CORNER4} {_SCP4} 0124 2458 4678 0346"),
    # PatDNN's candidates: the centre and any three of the other eight cells.
    "natural56": PatternLibrary(
        tuple(
            tuple(sorted((4, *others)))
            for others in itertools.combinations([0, 1, 2, 3, 5, 6, 7, 8], 3)
        )
    ),
}

PAPER_LIBRARIES: Mapping[int, str] = {4: "scp4", 8: "balanced8", 12: "code12"}


def kernel_rows(weight: NDArray[Any]) -> NDArray[Any]:
    """View an OIHW weight as [O*I, H*W]: one row per kernel.

    Raises:
        SchemeError: The weight is not four-dimensional, or has no element.
    """
    if weight.ndim != 4 or weight.size == 0:
        raise SchemeError(
            f"expected a convolution weight [out, in, height, width], got shape {weight.shape}"
        )
    out_channels, in_channels, height, width = weight.shape
    return weight.reshape(out_channels * in_channels, height * width)


def cells_of(masks: NDArray[np.bool_]) -> tuple[tuple[int, ...], ...]:
    """The kept cells of each row of a mask matrix."""
    return tuple(tuple(np.flatnonzero(mask).tolist()) for mask in masks)


def distinct_masks(
    masks: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """The distinct rows of a mask matrix [kernels, cells].

    Returns:
        The distinct masks by ascending bit mask (bit c = cell c), how often each occurs, and the
        number of its mask for every row.
    """
    cells = masks.shape[1]
    if cells <= 16:  # count in a table of all masks: no sort
        packed = np.zeros((len(masks), 2), np.uint8)
        packed[:, : (cells + 7) // 8] = np.packbits(masks, axis=1, bitorder="little")
        codes = packed.view("<u2")[:, 0]
        table = np.bincount(codes, minlength=1 << cells)
        found = np.flatnonzero(table)
        number = np.empty(len(table), np.int64)
        number[found] = np.arange(len(found))
        distinct = (found[:, None] >> np.arange(cells) & 1).astype(np.bool_)
        return distinct, table[found].astype(np.int64), number[codes]
    # Highest cell first, so that the order of the bytes is the order of the bit masks.
    rows = np.packbits(masks[:, ::-1], axis=1)
    words = rows.view(np.dtype((np.void, rows.shape[1])))[:, 0]
    _, first, inverse, counts = np.unique(
        words, return_index=True, return_inverse=True, return_counts=True
    )
    return masks[first], counts.astype(np.int64), inverse.astype(np.int64)


@dataclass(frozen=True)
class FoundLibrary:
    """The kernel patterns and the connectivity that a weight's zeros show.

    Attributes:
        library: The patterns in use, by ascending cells.
        kernels: Pattern id of every kernel, int8 [out, in]; 0 = removed.
        padding: Zeros that the patterns keep although the weight has them, as a share of its
            non-zeros: the multiplications wasted on kernels that lost a weight by accident.
    """

    library: PatternLibrary
    kernels: NDArray[np.int8]
    padding: float


@dataclass(frozen=True)
class NotCompact:
    """Why a weight has no kernel-pattern structure worth the name.

    Attributes:
        kind: `dense`, `unstructured`, or `empty` (every weight is zero).
        reason: One phrase for the user, with the figures that decided.
    """

    kind: Literal["dense", "unstructured", "empty"]
    reason: str


def find_library(
    weight: NDArray[Any],
    *,
    max_patterns: int = 32,
    max_padding: float = 0.05,
    min_zeros: float = 0.1,
) -> FoundLibrary | NotCompact:
    """Find the kernel patterns and connectivity of a dense tensor with zeros in it.

    The distinct masks of the kernels are the library. A kernel wears the smallest pattern that
    holds all its non-zeros, so a rare mask, left by a kept weight that happens to be zero, needs no
    pattern of its own: masks are given up, cheapest first, for a larger one in use, while the zeros
    that are then multiplied stay within `max_padding` of the non-zeros.

    Works for every kernel size; a 1x1 layer has the single pattern [0], that is connectivity alone.

    Args:
        weight: OIHW, any float type.
        max_patterns: Largest library that counts as compact. When few kernels are left it shrinks
            to a quarter of them (but not below 12, the largest library in common use).
        max_padding: See above.
        min_zeros: Share of the multiplications that the structure must save.

    Raises:
        SchemeError: The weight is not four-dimensional.

    Not handled: block structures; ask for these first where both could be meant.
    """
    rows = kernel_rows(weight)
    alive = rows != 0
    nonzeros = int(np.count_nonzero(alive))
    zeros = 1 - nonzeros / weight.size
    if nonzeros == 0:
        return NotCompact("empty", "every weight is zero")
    if zeros < min_zeros:
        return NotCompact(
            "dense", f"{zeros:.1%} of the weights are zero" if zeros else "no weight is zero"
        )
    distinct, counts, number = distinct_masks(alive)
    if not distinct[0].any():  # the removed kernels: the lowest bit mask
        distinct, counts, number = distinct[1:], counts[1:], number - 1
    limit = min(max_patterns, MAX_PATTERNS, max(12, int(counts.sum()) // 4))
    if len(distinct) > _MOST_MASKS:
        return _unstructured(zeros, len(distinct), limit)
    chosen = _give_up_rare_masks(distinct, counts, int(max_padding * nonzeros))
    if len(chosen) > limit:
        return _unstructured(zeros, len(chosen), limit)
    chosen = np.array(sorted(chosen, key=lambda i: cells_of(distinct[i : i + 1])))
    wears = _smallest_superset(distinct, distinct[chosen])
    stored = int(counts @ distinct[chosen].sum(axis=1)[wears])
    if stored > (1 - min_zeros) * weight.size:
        return NotCompact("dense", f"{zeros:.1%} of the weights are zero, scattered over kernels")
    ids = np.append(wears + 1, 0).astype(np.int8)  # number -1, the removed kernels, reads the 0
    height, width = weight.shape[2:]
    return FoundLibrary(
        PatternLibrary(cells_of(distinct[chosen]), height, width),
        ids[number].reshape(weight.shape[:2]),
        stored / nonzeros - 1,
    )


def _unstructured(zeros: float, found: int, limit: int) -> NotCompact:
    return NotCompact(
        "unstructured",
        f"{zeros:.1%} of the weights are zero, in {found} distinct kernel masks (at most {limit} "
        "count as a pattern library)",
    )


def _contains(outer: NDArray[np.bool_], inner: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[outer, inner]: whether every cell of an inner mask is in the outer one."""
    common: NDArray[np.float32] = outer.astype(np.float32) @ inner.astype(np.float32).T
    held: NDArray[np.bool_] = common == inner.sum(axis=1)
    return held


def _smallest_superset(masks: NDArray[np.bool_], patterns: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of the smallest pattern that holds each mask (ties: lowest number)."""
    size = np.where(_contains(patterns, masks), patterns.sum(axis=1)[:, None], masks.shape[1] + 1)
    return np.asarray(size.argmin(axis=0))


def _give_up_rare_masks(
    masks: NDArray[np.bool_], counts: NDArray[np.int64], budget: int
) -> NDArray[np.int64]:
    """Numbers of the masks that stay patterns; the zeros the others add stay within `budget`.

    A mask moves to the smallest larger one that still stays, at a cost of its kernels x the cells
    added. Greedy, cheapest first, in one sweep over the D masks: O(D*D). A mask that no other one
    contains always stays.
    """
    inside = _contains(masks, masks)
    np.fill_diagonal(inside, False)
    sizes = masks.sum(axis=1)
    never = masks.shape[1] + 1
    size_above = np.where(inside, sizes[:, None], never)  # [larger, mask]
    added = size_above.min(axis=0) - sizes
    worn = counts.copy()
    sweep = np.argsort(worn * added, kind="stable")
    for mask in sweep:
        target = size_above[:, mask].argmin()
        cost = worn[mask] * (size_above[target, mask] - sizes[mask])
        if size_above[target, mask] < never and cost <= budget:
            budget -= int(cost)
            worn[target] += worn[mask]
            size_above[mask] = never  # no longer there to move to
            worn[mask] = 0
    return np.flatnonzero(worn)
