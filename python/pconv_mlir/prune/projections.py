# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Projections: the mask of a scheme that keeps most of a weight.

Each takes a weight and returns a boolean mask of its shape. Norms are L2, in float64; ties keep the
lowest index, so that the same weights always give the same mask.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.patterns import PatternLibrary, kernel_rows
from pconv_mlir.prune.schemes import (
    Block,
    BlockPunched,
    Channel,
    ConnectivityRule,
    Dense,
    Filter,
    KernelPattern,
    Scheme,
    Unstructured,
)

Weight = NDArray[Any]
Mask = NDArray[np.bool_]
Norms = NDArray[np.float64]

ALIGNED_FILTERS = (
    4  # filters that share kernels under the rule "aligned": one vector of a 128-bit unit
)


def project(weight: Weight, scheme: Scheme, *, library: PatternLibrary | None = None) -> Mask:
    """The mask of `scheme` for one layer's weight (OIHW, or [out, in] where kernels play no part).

    Args:
        weight: The layer's weight.
        scheme: What may go.
        library: The mined library, for a `KernelPattern` that has none of its own.

    Raises:
        SchemeError: The scheme does not fit the layer, or its rate would leave nothing of it.
    """
    match scheme:
        case Dense():
            return np.ones(weight.shape, np.bool_)
        case KernelPattern():
            library = library or scheme.fixed_library
            if library is None:
                raise SchemeError("a mined library needs the network's weights: use mine_natural")
            kernels = project_kernels(weight, library, scheme.connectivity, scheme.rule)
            return library.mask_of(kernels)
        case BlockPunched(filters, channels, rate):
            return project_block_punched(weight, filters, channels, rate)
        case Block(rows, _, rate):
            return project_block(weight, rows, rate)
        case Unstructured(rate):
            return project_unstructured(weight, rate)
        case Filter(rate):
            return project_filters(weight, rate)
        case Channel(rate):
            return project_channels(weight, rate)
    raise SchemeError(f"expected a pruning scheme, got {scheme!r}")


def project_kernels(
    weight: Weight,
    library: PatternLibrary,
    connectivity: float = 1.0,
    rule: ConnectivityRule = "filter",
) -> NDArray[np.int8]:
    """Pattern id of every kernel [out, in], 0 = removed: patterns first, then connectivity.

    A kernel takes the pattern that keeps most of its squared norm. Kernels are then ranked by what
    their pattern keeps. A layer with one input channel per filter (depthwise) keeps them all.

    Raises:
        SchemeError: The layer is 1x1, has another kernel size than the library, or the rate is
            too high.
    """
    energy = pattern_energy(weight, library)
    rate = 1.0 if weight.shape[1] == 1 else connectivity
    if rule == "aligned":
        norms = np.square(weight, dtype=np.float64).sum(axis=(1, 2, 3))
        return _aligned_kernels(energy, norms, rate)
    best = energy.argmax(axis=2)
    norms = energy.max(axis=2)
    kept = (
        connectivity_per_filter(norms, rate)
        if rule == "filter"
        else connectivity_per_layer(norms, rate)
    )
    return np.where(kept, best + 1, 0).astype(np.int8)


def pattern_energy(weight: Weight, library: PatternLibrary) -> Norms:
    """Squared norm [out, in, patterns] that each pattern keeps of each kernel."""
    rows = kernel_rows(weight)
    height, width = weight.shape[2:]
    if height * width == 1:
        raise SchemeError(
            "a kernel pattern needs a kernel larger than 1x1: leave the layer dense, or prune it "
            "with unstructured, block or block-punched"
        )
    if (height, width) != (library.height, library.width):
        raise SchemeError(
            f"expected {library.height}x{library.width} kernels, as the pattern library has, got "
            f"{height}x{width}: leave the layer out, or mine a library of its size"
        )
    energy: Norms = np.square(rows, dtype=np.float64) @ library.masks.T.astype(np.float64)
    return energy.reshape(*weight.shape[:2], len(library))


def connectivity_per_filter(norms: Norms, rate: float) -> Mask:
    """Keep the `round(I / rate)` kernels of largest norm [out, in] in every filter: equal loads."""
    keep = _kept(norms.shape[1], rate, "input channels per filter")
    return _top(norms, keep)


def connectivity_per_layer(norms: Norms, rate: float) -> Mask:
    """Keep the `ceil(O I / rate)` kernels of largest norm of the whole layer; may empty filters."""
    _kept(norms.size, rate, "kernels")
    return _top(norms.reshape(1, -1), math.ceil(norms.size / rate)).reshape(norms.shape)


def _aligned_kernels(energy: Norms, filter_norms: Norms, rate: float) -> NDArray[np.int8]:
    """Groups of filters of similar norm share their kernels and the pattern of each.

    The groups come from the weights, so projecting the result again may group, and prune, anew.
    """
    out_channels, in_channels, _ = energy.shape
    keep = _kept(in_channels, rate, "input channels per filter")
    order = np.argsort(-filter_norms, kind="stable")
    kernels = np.zeros((out_channels, in_channels), np.int8)
    for start in range(0, out_channels, ALIGNED_FILTERS):
        group = order[start : start + ALIGNED_FILTERS]
        total = energy[group].sum(axis=0)
        kept = _top(total.max(axis=1)[None], keep)[0]
        kernels[group] = np.where(kept, total.argmax(axis=1) + 1, 0)
    return kernels


def project_unstructured(weight: Weight, rate: float) -> Mask:
    """Keep the `round(size / rate)` weights of largest magnitude."""
    keep = _kept(weight.size, rate, "weights")
    size = np.abs(weight.reshape(1, -1).astype(np.float64))
    return _top(size, keep).reshape(weight.shape)


def project_block_punched(weight: Weight, filters: int, channels: int, rate: float) -> Mask:
    """Keep the best (block, kernel position) pairs of the layer; blocks may keep unequal numbers.

    The score of a pair is the mean over the block's channels of the root mean square over its
    filters. That ranks full blocks as the sum of L2 norms does, and is fair to ragged ones at the
    edge.
    """
    kernel_rows(weight)
    rms = np.sqrt(_block_mean(np.square(weight, dtype=np.float64), filters, axis=0))
    score = _block_mean(rms, channels, axis=1)
    kept = _top(score.reshape(1, -1), _kept(score.size, rate, "block positions"))
    wide = np.repeat(kept.reshape(score.shape), filters, axis=0)[: weight.shape[0]]
    return np.repeat(wide, channels, axis=1)[:, : weight.shape[1]]


def project_block(weight: Weight, rows: int, rate: float) -> Mask:
    """Keep the best columns of the blocks of the matrix [out, in * height * width].

    A column of a block is `rows` outputs tall; its score is its root mean square. Columns are
    ranked over the whole layer, so `cols` matters to storage alone.
    """
    matrix = weight.reshape(weight.shape[0], -1)
    score = _block_mean(np.square(matrix, dtype=np.float64), rows, axis=0)
    kept = _top(score.reshape(1, -1), _kept(score.size, rate, "block columns"))
    tall = np.repeat(kept.reshape(score.shape), rows, axis=0)[: matrix.shape[0]]
    return tall.reshape(weight.shape)


def project_filters(weight: Weight, rate: float) -> Mask:
    """Keep the `round(O / rate)` filters of largest norm."""
    return _project_axis(weight, 0, _kept(weight.shape[0], rate, "filters"))


def project_channels(weight: Weight, rate: float) -> Mask:
    """Keep the `round(I / rate)` input channels of largest norm."""
    return _project_axis(weight, 1, _kept(weight.shape[1], rate, "input channels"))


def _project_axis(weight: Weight, axis: int, keep: int) -> Mask:
    others = tuple(a for a in range(weight.ndim) if a != axis)
    norms = np.square(weight, dtype=np.float64).sum(axis=others)
    kept = np.expand_dims(_top(norms[None], keep)[0], others)
    return np.broadcast_to(kept, weight.shape).copy()


def _kept(count: int, rate: float, what: str) -> int:
    """How many of `count` things a rate keeps: `round(count / rate)`, halves up."""
    if count / rate < 1:
        raise SchemeError(
            f"rate {rate:g} would leave none of {count} {what}: use at most {count}, or leave the "
            "layer out"
        )
    return math.floor(count / rate + 0.5)


def _top(scores: Norms, keep: int) -> Mask:
    """Mask of the `keep` largest scores of each row; ties keep the lowest column."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :keep]
    mask = np.zeros(scores.shape, np.bool_)
    np.put_along_axis(mask, order, True, axis=1)
    return mask


def _block_mean(values: Norms, size: int, axis: int) -> Norms:
    """Mean over runs of `size` along an axis; the last run may be short."""
    starts = np.arange(0, values.shape[axis], size)
    lengths = np.diff(np.append(starts, values.shape[axis]))
    shape = [1] * values.ndim
    shape[axis] = -1
    return np.asarray(np.add.reduceat(values, starts, axis=axis) / lengths.reshape(shape))
