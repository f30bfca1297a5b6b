# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pattern libraries: presets, mining, and finding the library that a tensor uses."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pconv_mlir import prune
from pconv_mlir.errors import SchemeError
from pconv_mlir.prune import FoundLibrary, NotCompact, PatternLibrary, find_library
from pconv_mlir.prune.patterns import distinct_masks

Rng = np.random.Generator


def full(rng: Rng, *shape: int) -> NDArray[np.float32]:
    """A weight without a zero."""
    sign = rng.choice([-1.0, 1.0], shape)
    return (sign * rng.uniform(0.1, 1.0, shape)).astype(np.float32)


def worn(
    rng: Rng, library: PatternLibrary, out: int, inp: int, removed: float = 0.5
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """A weight whose kernels wear random patterns, and their ids."""
    kernels = rng.integers(1, len(library) + 1, (out, inp))
    kernels[rng.random((out, inp)) < removed] = 0
    weight = full(rng, out, inp, library.height, library.width) * library.mask_of(kernels)
    return weight, kernels


def masks_worn(found: FoundLibrary) -> NDArray[np.bool_]:
    return found.library.mask_of(found.kernels)


# Presets


@pytest.mark.parametrize(
    ("name", "count", "keep"),
    [
        ("scp4", 4, 4),
        ("corner4", 4, 4),
        ("code8", 8, 4),
        ("balanced8", 8, 4),
        ("code12", 12, 4),
        ("wm12", 12, 4),
        ("wm15", 15, 4),
        ("wm21", 21, 4),
        ("keep5_13", 13, 5),
        ("vgg8_free", 8, 4),
        ("sym12", 12, 4),
        ("natural56", 56, 4),
    ],
)
def test_presets_have_their_size(name: str, count: int, keep: int) -> None:
    library = prune.PRESETS[name]
    assert len(library) == count
    assert {len(cells) for cells in library.patterns} == {keep}


def test_the_papers_four_are_t_shapes_with_the_centre() -> None:
    for cells in prune.PRESETS["scp4"].patterns:
        assert 4 in cells
        assert set(cells) <= {1, 3, 4, 5, 7}


@pytest.mark.parametrize("name", ["balanced8", "sym12", "natural56"])
def test_centred_presets_are_closed_under_mirroring(name: str) -> None:
    patterns = set(prune.PRESETS[name].patterns)
    grid = np.arange(9).reshape(3, 3)
    for mirror in (grid[::-1], grid[:, ::-1], grid.T):
        assert {tuple(sorted(mirror.flat[list(c)])) for c in patterns} == patterns
    assert all(4 in cells for cells in patterns)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ((), "expected 1 to 127 kernel patterns, got 0"),
        (((0, 1), ()), "kernel pattern 2 is empty"),
        (((0, 1), (2,), (0, 1)), "duplicate of kernel pattern 1"),
        (((1, 0),), "ascending order"),
        (((1, 1),), "ascending order"),
        (((-1, 1),), "cells 0 to 8"),
        (((8, 9),), "cells 0 to 8"),
        (tuple((i,) for i in range(128)), "expected 1 to 127 kernel patterns, got 128"),
    ],
)
def test_bad_libraries_are_refused(patterns: Any, message: str) -> None:
    with pytest.raises(SchemeError, match=message):
        PatternLibrary(patterns)


def test_mask_of_puts_patterns_where_the_ids_say() -> None:
    library = PatternLibrary(((0, 3), (1, 4, 5)), 2, 3)
    mask = library.mask_of(np.array([[0, 2, 1]], np.int8))
    assert mask.shape == (1, 3, 2, 3)
    assert mask.reshape(3, 6).astype(int).tolist() == [
        [0, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, 1, 1],
        [1, 0, 0, 1, 0, 0],
    ]


# Distinct masks


@given(st.data())
@settings(max_examples=60)
def test_distinct_masks_match_a_counter(data: st.DataObject) -> None:
    cells = data.draw(st.sampled_from([1, 4, 8, 9, 16, 17, 25, 121]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    pool = rng.random((5, cells)) < 0.5
    masks = pool[rng.integers(0, 5, 40)]
    distinct, counts, number = distinct_masks(masks)
    assert np.array_equal(distinct[number], masks)
    values = [sum(1 << int(c) for c in np.flatnonzero(mask)) for mask in distinct]
    assert values == sorted(set(values))
    wanted = Counter(sum(1 << int(c) for c in np.flatnonzero(mask)) for mask in masks)
    assert counts.tolist() == [wanted[value] for value in values]


# Mining


def mined_naively(weights: list[NDArray[Any]], k: int) -> list[tuple[int, ...]]:
    count: Counter[tuple[int, ...]] = Counter()
    for weight in weights:
        for kernel in weight.reshape(-1, 9):
            others = sorted((c for c in range(9) if c != 4), key=lambda c: (-abs(kernel[c]), c))
            count[tuple(sorted([4, *others[:3]]))] += 1
    ranked = sorted(count, key=lambda cells: (-count[cells], sum(1 << c for c in cells)))
    return ranked[:k]


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=25)
def test_mining_is_the_plain_algorithm(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    # Small integers: many ties, in magnitude and in count.
    weights = [rng.integers(-3, 4, (5, 4, 3, 3)) + 0.5, rng.integers(-2, 3, (3, 7, 3, 3)) + 0.5]
    assert list(prune.mine_natural(weights, k).patterns) == mined_naively(weights, k)


def test_mined_patterns_are_natural() -> None:
    weight = np.random.default_rng(1).standard_normal((64, 64, 3, 3))
    assert set(prune.mine_natural(weight, 56).patterns) == set(prune.PRESETS["natural56"].patterns)


def test_the_centre_is_kept_only_when_forced() -> None:
    kernel = np.array([9, 8, 7, 6, 0.1, 1, 1, 1, 1.0]).reshape(1, 1, 3, 3)
    assert prune.mine_natural(kernel, 1).patterns == ((0, 1, 2, 4),)
    assert prune.mine_natural(kernel, 1, forced_centre=False).patterns == ((0, 1, 2, 3),)


def test_mining_other_kernel_sizes() -> None:
    library = prune.mine_natural(np.random.default_rng(2).standard_normal((9, 5, 5, 3)), 4, keep=3)
    assert (library.height, library.width, len(library)) == (5, 3, 4)
    assert all(len(cells) == 3 and 7 in cells for cells in library.patterns)


@pytest.mark.parametrize(
    "shapes", [[], [(2, 2, 3, 3), (2, 2, 5, 5)], [(2, 2, 1, 1)], [(2, 2, 2, 4)]]
)
def test_mining_refuses_what_has_no_centre(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(SchemeError):
        prune.mine_natural([np.ones(shape) for shape in shapes])


def test_mining_only_removed_kernels_is_refused() -> None:
    with pytest.raises(SchemeError, match="every kernel is removed"):
        prune.mine_natural(np.zeros((2, 2, 3, 3)))


def test_random_library_is_seeded() -> None:
    assert prune.random_library(8, seed=3) == prune.random_library(8, seed=3)
    assert prune.random_library(8, seed=3) != prune.random_library(8, seed=4)
    with pytest.raises(SchemeError, match="expected 1 to 126"):
        prune.random_library(127)


# Finding


@given(st.data())
@settings(max_examples=60)
def test_found_masks_are_the_zeros(data: st.DataObject) -> None:
    """Any antichain of masks of any kernel size is found exactly."""
    height, width = data.draw(st.sampled_from([(3, 3), (2, 2), (1, 3), (5, 5), (4, 6), (11, 11)]))
    cells = height * width
    keep = data.draw(st.integers(1, (cells + 1) // 2))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    masks = {tuple(sorted(rng.choice(cells, keep, False).tolist())) for _ in range(8)}
    library = PatternLibrary(tuple(sorted(masks)), height, width)
    weight, kernels = worn(rng, library, 13, 11)
    found = find_library(weight)
    assert isinstance(found, FoundLibrary)
    assert np.array_equal(masks_worn(found), weight != 0)
    assert found.kernels.dtype == np.int8
    assert found.padding == 0
    used = [library.patterns[i - 1] for i in np.unique(kernels) if i]
    assert list(found.library.patterns) == used


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_library_of_a_pruned_layer_is_found(dtype: Any) -> None:
    weight = np.random.default_rng(3).standard_normal((32, 48, 3, 3)).astype(dtype)
    scheme = prune.KernelPattern(8, 3.6)
    weight *= prune.project(weight, scheme)
    found = find_library(weight)
    assert isinstance(found, FoundLibrary)
    assert set(found.library.patterns) == set(prune.PRESETS["balanced8"].patterns)
    assert np.all(np.count_nonzero(found.kernels, axis=1) == round(48 / 3.6))


def test_accidental_zeros_need_no_pattern_of_their_own() -> None:
    rng = np.random.default_rng(4)
    library = prune.PRESETS["balanced8"]
    weight, _ = worn(rng, library, 64, 64)
    weight[rng.random(weight.shape) < 0.02] = 0
    found = find_library(weight)
    assert isinstance(found, FoundLibrary)
    assert set(found.library.patterns) == set(library.patterns)
    assert np.all(masks_worn(found) | (weight == 0))
    assert 0 < found.padding < 0.05
    assert found.padding == pytest.approx(masks_worn(found).sum() / (weight != 0).sum() - 1)


def test_a_common_pattern_inside_another_stays() -> None:
    rng = np.random.default_rng(5)
    nested = PatternLibrary(((3, 4), (3, 4, 5, 7)))
    weight, _ = worn(rng, nested, 16, 16, removed=0)
    found = find_library(weight)
    assert isinstance(found, FoundLibrary)
    assert found.library == nested
    assert found.padding == 0


def test_one_dense_kernel_does_not_swallow_the_library() -> None:
    weight, _ = worn(np.random.default_rng(6), prune.PRESETS["scp4"], 16, 16)
    weight[3, 2] = 1
    found = find_library(weight)
    assert isinstance(found, FoundLibrary)
    assert np.array_equal(masks_worn(found), weight != 0)
    assert len(found.library) == 5


def test_connectivity_alone() -> None:
    rng = np.random.default_rng(7)
    for height, width in [(1, 1), (3, 3), (2, 4)]:
        kept = rng.random((17, 9)) < 0.4
        found = find_library(full(rng, 17, 9, height, width) * kept[:, :, None, None])
        assert isinstance(found, FoundLibrary)
        assert found.library.patterns == (tuple(range(height * width)),)
        assert np.array_equal(found.kernels, kept)


@pytest.mark.parametrize("zeros", [0.0, 0.05, 0.1])
def test_hardly_any_zeros_are_dense(zeros: float) -> None:
    rng = np.random.default_rng(8)
    weight = full(rng, 64, 32, 3, 3)
    weight[rng.random(weight.shape) < zeros] = 0
    found = find_library(weight)
    assert isinstance(found, NotCompact)
    assert found.kind == "dense"
    assert "zero" in found.reason


@pytest.mark.parametrize("size", [3, 5, 11])
@pytest.mark.parametrize("zeros", [0.5, 0.9])
def test_scattered_zeros_are_unstructured(size: int, zeros: float) -> None:
    rng = np.random.default_rng(9)
    weight = full(rng, 32, 32, size, size)
    weight[rng.random(weight.shape) < zeros] = 0
    found = find_library(weight)
    assert isinstance(found, NotCompact)
    assert found.kind == "unstructured"
    assert "distinct kernel masks" in found.reason


def test_as_many_masks_as_kernels_is_no_library() -> None:
    rng = np.random.default_rng(10)
    library = PatternLibrary(tuple(itertools.combinations(range(9), 4))[:20])
    weight = full(rng, 4, 5, 3, 3) * library.mask_of(np.arange(1, 21).reshape(4, 5))
    found = find_library(weight)
    assert isinstance(found, NotCompact)
    assert found.kind == "unstructured"


def test_max_patterns_bounds_the_library() -> None:
    weight, _ = worn(np.random.default_rng(11), prune.PRESETS["wm21"], 64, 64)
    assert isinstance(find_library(weight), FoundLibrary)
    assert isinstance(find_library(weight, max_patterns=20), NotCompact)


def test_an_empty_layer_is_named() -> None:
    found = find_library(np.zeros((3, 4, 3, 3), np.float32))
    assert isinstance(found, NotCompact)
    assert found.kind == "empty"


@pytest.mark.parametrize("shape", [(3, 4), (0, 4, 3, 3)])
def test_only_convolution_weights_have_kernels(shape: tuple[int, ...]) -> None:
    with pytest.raises(SchemeError, match="expected a convolution weight"):
        find_library(np.ones(shape))


def test_a_non_contiguous_weight_is_read_right() -> None:
    weight, _ = worn(np.random.default_rng(12), prune.PRESETS["scp4"], 12, 10)
    strided = np.ascontiguousarray(weight.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)
    plain, view = find_library(weight), find_library(strided)
    assert isinstance(plain, FoundLibrary)
    assert isinstance(view, FoundLibrary)
    assert np.array_equal(plain.kernels, view.kernels)
