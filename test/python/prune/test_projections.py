# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Projections: they keep the right number of weights, the best ones, and do nothing twice."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pconv_mlir import prune
from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.projections import (
    connectivity_per_filter,
    connectivity_per_layer,
    pattern_energy,
)

SCHEMES = [
    "dense",
    "pattern:8",
    "pattern:4+connectivity:2",
    "pattern:12+connectivity:3/layer",
    "pattern:keep5_13+connectivity:1.5",
    "pattern:8+connectivity:2/aligned",
    "nm:2:4",
    "nm:1:3/flat",
    "block-punched:4x2@3",
    "block-punched:8x4@2.5",
    "block:4x8@4",
    "unstructured@5",
    "filter@2",
    "channel@1.5",
]

weights = st.builds(
    lambda seed, out, inp: np.random.default_rng(seed).standard_normal((out, inp, 3, 3)),
    st.integers(0, 2**32),
    st.integers(3, 13),
    st.integers(3, 11),
)


def kept_energy(weight: NDArray[Any], mask: NDArray[np.bool_]) -> float:
    return float(np.square(weight[mask]).sum())


@pytest.mark.parametrize("text", SCHEMES)
@given(weights)
@settings(max_examples=20)
def test_projecting_twice_is_projecting_once(text: str, weight: NDArray[Any]) -> None:
    scheme = prune.parse_scheme(text)
    mask = prune.project(weight, scheme)
    assert mask.shape == weight.shape
    assert mask.dtype == np.bool_
    once = weight * mask
    assert np.array_equal(once * prune.project(once, scheme), once)
    assert scheme.check(once)
    assert mask.sum() <= scheme.count(weight.shape)


# Kernel patterns


@given(weights, st.sampled_from(["scp4", "balanced8", "wm21"]))
@settings(max_examples=20)
def test_every_kernel_wears_its_best_pattern(weight: NDArray[Any], name: str) -> None:
    library = prune.PRESETS[name]
    kernels = prune.project_kernels(weight, library)
    for o, i in np.ndindex(*kernels.shape):
        kernel = weight[o, i].ravel()
        energies = [sum(kernel[c] ** 2 for c in cells) for cells in library.patterns]
        assert energies[kernels[o, i] - 1] == pytest.approx(max(energies))


def test_equal_patterns_take_the_lowest_id() -> None:
    kernels = prune.project_kernels(np.ones((1, 2, 3, 3)), prune.PRESETS["balanced8"])
    assert kernels.tolist() == [[1, 1]]


def test_patterns_of_other_kernel_sizes() -> None:
    library = prune.PatternLibrary(((0, 1), (4, 5)), 2, 3)
    weight = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 9, 0, 1, 1]]).reshape(1, 2, 2, 3)
    assert prune.project_kernels(weight, library).tolist() == [[1, 2]]


norm_arrays = st.builds(
    lambda seed, out, inp: np.random.default_rng(seed).integers(0, 6, (out, inp)).astype(float),
    st.integers(0, 2**32),
    st.integers(1, 4),
    st.integers(3, 5),
)


@given(norm_arrays, st.sampled_from([1.0, 1.7, 2.0, 3.0]))
def test_connectivity_per_filter_keeps_the_best_of_each(norms: NDArray[Any], rate: float) -> None:
    kept = connectivity_per_filter(norms, rate)
    count = max(1, math.floor(norms.shape[1] / rate + 0.5))
    assert np.all(kept.sum(axis=1) == count)
    for row, mask in zip(norms, kept, strict=True):
        assert row[mask].sum() == max(map(sum, itertools.combinations(row, count)))


@given(norm_arrays, st.sampled_from([1.0, 1.7, 2.0, 3.0]))
@settings(max_examples=30)
def test_connectivity_per_layer_keeps_the_best_of_all(norms: NDArray[Any], rate: float) -> None:
    kept = connectivity_per_layer(norms, rate)
    count = math.ceil(norms.size / rate)
    assert kept.sum() == count
    assert norms[kept].sum() == np.sort(norms, axis=None)[::-1][:count].sum()


def test_kernels_are_ranked_by_what_their_pattern_keeps() -> None:
    corners = np.array([5, 0, 5, 0, 0, 0, 5, 0, 5.0])  # large, but scp4 keeps none of it
    cross = np.array([0, 1, 0, 1, 1, 1, 0, 0, 0.0])
    weight = np.stack([corners, cross]).reshape(1, 2, 3, 3)
    kernels = prune.project_kernels(weight, prune.PRESETS["scp4"], connectivity=2)
    assert kernels.tolist() == [[0, 1]]


def test_the_layer_rule_may_empty_a_filter() -> None:
    weight = np.ones((2, 2, 3, 3)) * np.array([10.0, 1.0])[:, None, None, None]
    kernels = prune.project_kernels(weight, prune.PRESETS["scp4"], 2, "layer")
    assert np.count_nonzero(kernels, axis=1).tolist() == [2, 0]


@given(weights)
@settings(max_examples=20)
def test_aligned_filters_share_their_kernels(weight: NDArray[Any]) -> None:
    library = prune.PRESETS["balanced8"]
    kernels = prune.project_kernels(weight, library, 2, "aligned")
    order = np.argsort(-np.square(weight).sum(axis=(1, 2, 3)), kind="stable")
    for start in range(0, len(order), 4):
        group = order[start : start + 4]
        assert np.all(kernels[group] == kernels[group[0]])
        energy = pattern_energy(weight[group], library).sum(axis=0).max(axis=1)
        removed = kernels[group[0]] == 0
        assert energy[removed].max(initial=-1) <= energy[~removed].min()


def test_a_depthwise_layer_keeps_all_its_kernels() -> None:
    weight = np.random.default_rng(0).standard_normal((8, 1, 3, 3))
    assert np.all(prune.project_kernels(weight, prune.PRESETS["scp4"], 3.6) > 0)


# Other schemes


@given(weights, st.floats(1, 20))
@settings(max_examples=30)
def test_unstructured_keeps_the_largest(weight: NDArray[Any], rate: float) -> None:
    mask = prune.project(weight, prune.Unstructured(rate))
    count = math.floor(weight.size / rate + 0.5)
    assert mask.sum() == count
    assert np.abs(weight[~mask]).max(initial=0) <= np.abs(weight[mask]).min()


@pytest.mark.parametrize(("scheme", "axis"), [(prune.Filter(2), 0), (prune.Channel(2), 1)])
@given(weight=weights)
@settings(max_examples=20)
def test_filters_and_channels_are_the_best_choice(
    scheme: prune.Scheme, axis: int, weight: NDArray[Any]
) -> None:
    weight = weight[:6, :6]
    mask = prune.project(weight, scheme)
    size = weight.shape[axis]
    kept = np.moveaxis(mask, axis, 0).reshape(size, -1)
    assert np.all(kept.all(axis=1) == kept.any(axis=1))
    assert kept[:, 0].sum() == math.floor(size / 2 + 0.5)
    norms = np.square(np.moveaxis(weight, axis, 0)).reshape(size, -1).sum(axis=1)
    best = max(map(sum, itertools.combinations(norms, int(kept[:, 0].sum()))))
    assert kept_energy(weight, mask) == pytest.approx(best)


@given(weights, st.sampled_from([(2, 2), (4, 3), (8, 4)]), st.sampled_from([2.0, 4.0]))
@settings(max_examples=20)
def test_punched_blocks_share_positions_and_keep_the_best(
    weight: NDArray[Any], block: tuple[int, int], rate: float
) -> None:
    filters, channels = block
    mask = prune.project(weight, prune.BlockPunched(filters, channels, rate))
    kept, lost = [], []
    for o in range(0, weight.shape[0], filters):
        for i in range(0, weight.shape[1], channels):
            part = (slice(o, o + filters), slice(i, i + channels))
            assert np.all(mask[part] == mask[o, i])
            score = np.square(weight[part]).mean(axis=(0, 1))
            kept.extend(score[mask[o, i]])
            lost.extend(score[~mask[o, i]])
    assert len(kept) == math.floor((len(kept) + len(lost)) / rate + 0.5)
    assert max(lost, default=0) <= min(kept) + 1e-12


@given(weights)
@settings(max_examples=20)
def test_block_columns_are_the_best_choice(weight: NDArray[Any]) -> None:
    matrix = weight.reshape(len(weight), -1)
    mask = prune.project(matrix, prune.Block(4, 8, 3))
    kept, lost = [], []
    for o in range(0, len(matrix), 4):
        assert np.all(mask[o : o + 4] == mask[o])
        score = np.square(matrix[o : o + 4]).mean(axis=0)
        kept.extend(score[mask[o]])
        lost.extend(score[~mask[o]])
    assert len(kept) == math.floor((len(kept) + len(lost)) / 3 + 0.5)
    assert max(lost) <= min(kept) + 1e-12
    assert np.array_equal(prune.project(weight, prune.Block(4, 8, 3)), mask.reshape(weight.shape))


# Refusals


@pytest.mark.parametrize(
    ("scheme", "shape", "message"),
    [
        ("pattern:8", (4, 4, 1, 1), "larger than 1x1"),
        ("pattern:8", (4, 4, 5, 5), "expected 3x3 kernels, as the pattern library has, got 5x5"),
        ("pattern:8", (4, 4), "expected a convolution weight"),
        ("pattern:8+connectivity:3.6", (4, 3, 3, 3), "use at most 3"),
        ("pattern:8+connectivity:3.6/aligned", (4, 3, 3, 3), "use at most 3"),
        ("pattern:8+connectivity:13/layer", (4, 3, 3, 3), "use at most 12"),
        ("pattern:mined8", (4, 4, 3, 3), "mine_natural"),
        ("unstructured@100", (2, 2, 3, 3), "leave none of 36 weights"),
        ("filter@5", (4, 3, 3, 3), "leave none of 4 filters"),
        ("channel@4", (4, 3, 3, 3), "leave none of 3 input channels"),
        ("block-punched:8x4@10", (8, 4, 3, 3), "leave none of 9 block positions"),
        ("block-punched:8x4@2", (8, 4), "expected a convolution weight"),
        ("nm:2:4", (8, 1, 3, 3), "nm:2:4 would prune none of 1 input channels: .*nm:2:4/flat"),
        ("nm:2:4/flat", (8, 2), "would prune none of 2 inputs of a filter"),
        ("block:16x16@40", (8, 4, 3, 3), "leave none of 36 block columns"),
    ],
)
def test_what_does_not_fit_is_refused(scheme: str, shape: tuple[int, ...], message: str) -> None:
    parsed = prune.parse_scheme(scheme)
    for use in (parsed.project, parsed.check):
        with pytest.raises(SchemeError, match=message):
            use(np.ones(shape))
    with pytest.raises(SchemeError, match=message):
        parsed.count(shape)
