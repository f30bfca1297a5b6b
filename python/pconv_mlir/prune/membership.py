# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whether a weight is in the set of a scheme, and how many weights the scheme keeps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.prune.aligned import aligned_groups, outside_library
from pconv_mlir.prune.patterns import PatternLibrary, kernel_rows
from pconv_mlir.prune.projections import (
    check_kernel_size,
    check_nm,
    kernels_per_filter,
    kernels_per_layer,
    library_of,
    nm_groups,
)
from pconv_mlir.prune.schemes import NM, KernelPattern, Scheme
from pconv_mlir.prune.units import (
    UnitScheme,
    name_of_units,
    unit_sizes,
    unit_sums,
    units_kept,
)


def violation(weight: NDArray[Any], scheme: Scheme, library: PatternLibrary | None = None) -> str:
    """What keeps a weight out of the set of a scheme, in words; empty where nothing does.

    Args:
        weight: Of a layer, with zeros in it.
        scheme: What may go.
        library: The mined library, for a `KernelPattern` that has none of its own.

    Raises:
        SchemeError: The scheme does not fit the layer at all, as for `project`.
    """
    match scheme:
        case KernelPattern():
            return _wrong_kernels(weight, scheme, library_of(scheme, library))
        case NM():
            return _wrong_groups(weight, scheme)
    if isinstance(scheme, UnitScheme):
        kept = unit_sums(weight != 0, scheme)
        found, most = int(np.count_nonzero(kept)), units_kept(kept.size, scheme)
        if found > most:
            units = name_of_units(scheme)
            return f"{found} of {kept.size} {units} are kept, expected at most {most}"
    return ""


def count(shape: tuple[int, ...], scheme: Scheme, library: PatternLibrary | None = None) -> int:
    """Most weights that a scheme keeps in a layer.

    Projections keep as many, but for patterns of unequal size and units at a ragged edge.

    Args:
        shape: Of the layer's weight.
        scheme: What may go.
        library: The mined library, for a `KernelPattern` that has none of its own.

    Raises:
        SchemeError: The scheme does not fit the layer, as for `project`.
    """
    match scheme:
        case KernelPattern():
            library = library_of(scheme, library)
            cells = int(library.masks.sum(axis=1).max())
            check_kernel_size(shape, library)
            return _most_kernels(shape, scheme) * cells
        case NM():
            check_nm(shape, scheme)
            groups = nm_groups(np.broadcast_to(np.True_, shape), scheme, filler=0)
            return int(np.minimum(groups.sum(axis=-1), scheme.keep).sum())
    if isinstance(scheme, UnitScheme):
        sizes = np.sort(unit_sizes(shape, scheme), axis=None)[::-1]
        return int(sizes[: units_kept(sizes.size, scheme)].sum())
    return math.prod(shape)


def _most_kernels(shape: tuple[int, ...], scheme: KernelPattern) -> int:
    out_channels, in_channels = shape[:2]
    rate = 1.0 if in_channels == 1 else scheme.connectivity
    if scheme.rule == "layer":
        return kernels_per_layer(out_channels * in_channels, rate)
    return out_channels * kernels_per_filter(in_channels, rate)


def _wrong_kernels(weight: NDArray[Any], scheme: KernelPattern, library: PatternLibrary) -> str:
    check_kernel_size(weight.shape, library)
    most = _most_kernels(weight.shape, scheme)
    alive = (kernel_rows(weight) != 0).reshape(*weight.shape[:2], -1)
    outside = outside_library(alive, library)
    if outside.any():
        filter_, channel = np.argwhere(outside)[0]
        return (
            f"kernel [{filter_}, {channel}] wears none of the {len(library)} patterns, nor do "
            f"{np.count_nonzero(outside) - 1} others"
        )
    kept = alive.any(axis=2).sum(axis=1)
    if scheme.rule == "layer":
        found = int(kept.sum())
        return f"{found} kernels are kept, expected at most {most}" if found > most else ""
    most //= len(weight)
    if kept.max() > most:
        fullest = int(kept.argmax())
        return f"filter {fullest} keeps {kept[fullest]} kernels, expected at most {most}"
    if scheme.rule == "aligned" and aligned_groups(weight, library, most) is None:
        return "no groups of four filters were found that share their kernels and patterns"
    return ""


def _wrong_groups(weight: NDArray[Any], scheme: NM) -> str:
    check_nm(weight.shape, scheme)
    kept = nm_groups(weight != 0, scheme, filler=0).sum(axis=-1)
    if kept.max() <= scheme.keep:
        return ""
    wrong = np.count_nonzero(kept > scheme.keep)
    return (
        f"{wrong} of {kept.size} groups of {scheme.of} keep more than {scheme.keep} weights, "
        f"up to {kept.max()}"
    )
