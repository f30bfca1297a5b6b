# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Projections: the mask of a scheme that keeps most of a weight.

Each takes a weight and returns a boolean mask of its shape; the masked weight is the point of the
scheme's set that is nearest in L2. Norms are in float64; ties keep the lowest index, so that the
same weights always give the same mask. Two rules are not exact: units at the ragged edge of a layer
compete by their mean square, else they would always go first; and "aligned" groups filters before
it looks for the nearest point.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.aligned import ALIGNED_FILTERS, aligned_groups
from pconv_mlir.prune.patterns import PatternLibrary, kernel_rows
from pconv_mlir.prune.schemes import (
    NM,
    ConnectivityRule,
    Dense,
    KernelPattern,
    Scheme,
)
from pconv_mlir.prune.units import (
    Mask,
    Norms,
    UnitScheme,
    kept_of,
    spread_units,
    top,
    unit_sizes,
    unit_sums,
    units_kept,
)

Weight = NDArray[Any]


def project(
    weight: Weight,
    scheme: Scheme,
    *,
    library: PatternLibrary | None = None,
    scores: Norms | None = None,
) -> Mask:
    """The mask of `scheme` for one layer's weight (OIHW, or [out, in] where kernels play no part).

    Args:
        weight: The layer's weight.
        scheme: What may go.
        library: The mined library, for a `KernelPattern` that has none of its own.
        scores: What filters or input channels are ranked by, instead of their norm.

    Raises:
        SchemeError: The scheme does not fit the layer, or its rate would leave nothing of it.
    """
    match scheme:
        case Dense():
            return np.ones(weight.shape, np.bool_)
        case KernelPattern():
            library = library_of(scheme, library)
            kernels = project_kernels(weight, library, scheme.connectivity, scheme.rule)
            return library.mask_of(kernels)
        case NM():
            return project_nm(weight, scheme)
    if isinstance(scheme, UnitScheme):
        return project_units(weight, scheme, scores)
    raise SchemeError(f"expected a pruning scheme, got {scheme!r}")


def library_of(scheme: KernelPattern, mined: PatternLibrary | None = None) -> PatternLibrary:
    """The patterns that a scheme means.

    Raises:
        SchemeError: They have to be mined, and were not.
    """
    library = mined or scheme.fixed_library
    if library is None:
        raise SchemeError("a mined library needs the network's weights: use mine_natural")
    return library


def project_units(weight: Weight, scheme: UnitScheme, scores: Norms | None = None) -> Mask:
    """Keep the units of largest mean square, over the whole layer; blocks may keep unequal numbers.

    Units of equal size compete by their norm. Scores say otherwise, where they are given.
    """
    if scores is None:
        squares = unit_sums(np.square(weight, dtype=np.float64), scheme)
        scores = squares / unit_sizes(weight.shape, scheme)
    kept = top(scores.reshape(1, -1), units_kept(scores.size, scheme))
    return spread_units(kept.reshape(scores.shape), scheme, weight.shape)


def project_nm(weight: Weight, scheme: NM) -> Mask:
    """Keep the largest weights of every group; the last group may be short."""
    check_nm(weight.shape, scheme)
    groups = nm_groups(np.abs(weight.astype(np.float64)), scheme, filler=-1.0)
    kept = top(groups.reshape(-1, scheme.of), scheme.keep)
    kept = kept.reshape(*groups.shape[:-2], -1)  # the inverse of nm_groups
    if scheme.axis == "flat":
        return kept[:, : weight[0].size].reshape(weight.shape)
    return np.ascontiguousarray(np.moveaxis(kept[..., : weight.shape[1]], -1, 1))


def nm_groups(values: NDArray[Any], scheme: NM, filler: float) -> NDArray[Any]:
    """Values of the shape of a weight as [..., groups, of], the last group filled up."""
    rows = values.reshape(len(values), -1) if scheme.axis == "flat" else np.moveaxis(values, 1, -1)
    missing = -rows.shape[-1] % scheme.of
    widths = [(0, 0)] * (rows.ndim - 1) + [(0, missing)]
    filled = np.pad(rows, widths, constant_values=filler)
    return filled.reshape(*rows.shape[:-1], -1, scheme.of)


def check_nm(shape: tuple[int, ...], scheme: NM) -> None:
    """
    Raises:
        SchemeError: Nothing would be pruned, for want of input channels.
    """
    if len(shape) < 2:
        raise SchemeError(f"expected a weight of at least two dimensions, got shape {shape}")
    length = shape[1] if scheme.axis == "channels" else math.prod(shape[1:])
    if length <= scheme.keep < scheme.of:
        what = "input channels" if scheme.axis == "channels" else "inputs of a filter"
        raise SchemeError(
            f"{scheme} would prune none of {length} {what}: leave the layer out, or group the "
            f"flattened inputs (nm:{scheme.keep}:{scheme.of}/flat)"
        )


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
        return _aligned_kernels(weight, library, energy, rate)
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
    check_kernel_size(weight.shape, library)
    energy: Norms = np.square(rows, dtype=np.float64) @ library.masks.T.astype(np.float64)
    return energy.reshape(*weight.shape[:2], len(library))


def check_kernel_size(shape: tuple[int, ...], library: PatternLibrary) -> None:
    """
    Raises:
        SchemeError: The library is not for kernels like those of the layer.
    """
    if len(shape) != 4:
        raise SchemeError(
            f"expected a convolution weight [out, in, height, width], got shape {shape}"
        )
    height, width = shape[2:]
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


def connectivity_per_filter(norms: Norms, rate: float) -> Mask:
    """Keep the `round(I / rate)` kernels of largest norm [out, in] in every filter: equal loads."""
    return top(norms, kernels_per_filter(norms.shape[1], rate))


def connectivity_per_layer(norms: Norms, rate: float) -> Mask:
    """Keep the `ceil(O I / rate)` kernels of largest norm of the whole layer; may empty filters."""
    keep = kernels_per_layer(norms.size, rate)
    return top(norms.reshape(1, -1), keep).reshape(norms.shape)


def kernels_per_filter(in_channels: int, rate: float) -> int:
    """Kernels that the rules "filter" and "aligned" keep in every filter."""
    return kept_of(in_channels, rate, "input channels per filter")


def kernels_per_layer(kernels: int, rate: float) -> int:
    """Kernels that the rule "layer" keeps."""
    kept_of(kernels, rate, "kernels")
    return math.ceil(kernels / rate)


def _aligned_kernels(
    weight: Weight, library: PatternLibrary, energy: Norms, rate: float
) -> NDArray[np.int8]:
    """Groups of filters of similar norm share their kernels and the pattern of each.

    Where the weight is aligned already its own groups stay, so that projecting it again changes
    nothing.
    """
    out_channels, in_channels, _ = energy.shape
    keep = kernels_per_filter(in_channels, rate)
    groups = aligned_groups(weight, library, keep)
    if groups is None:
        norms = np.square(weight, dtype=np.float64).sum(axis=(1, 2, 3))
        order = np.argsort(-norms, kind="stable")
        groups = np.split(order, range(ALIGNED_FILTERS, out_channels, ALIGNED_FILTERS))
    kernels = np.zeros((out_channels, in_channels), np.int8)
    for group in groups:
        total = energy[group].sum(axis=0)
        kept = top(total.max(axis=1)[None], keep)[0]
        kernels[group] = np.where(kept, total.argmax(axis=1) + 1, 0)
    return kernels
