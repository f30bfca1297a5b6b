# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Units of weights: what a scheme keeps or removes as a whole, a budget of them for a layer.

A unit is a weight for `Unstructured`, a filter, an input channel, a column of a block for `Block`,
and a kernel position of a block for `BlockPunched`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.patterns import kernel_rows
from pconv_mlir.prune.schemes import Block, BlockPunched, Channel, Filter, Unstructured

UnitScheme = Unstructured | Filter | Channel | Block | BlockPunched

Mask = NDArray[np.bool_]
Norms = NDArray[np.float64]

#: What a unit is called.
_UNITS: dict[type, str] = {
    Unstructured: "weights",
    Filter: "filters",
    Channel: "input channels",
    Block: "block columns",
    BlockPunched: "block positions",
}


def name_of_units(scheme: UnitScheme) -> str:
    """In words, for messages."""
    return _UNITS[type(scheme)]


def unit_sums(values: NDArray[Any], scheme: UnitScheme) -> Norms:
    """Sum over every unit of values of the shape of the weight.

    Raises:
        SchemeError: `BlockPunched` on anything but a convolution's weight.
    """
    match scheme:
        case Filter():
            return np.asarray(values.sum(axis=_others(values.ndim, 0), dtype=np.float64))
        case Channel():
            return np.asarray(values.sum(axis=_others(values.ndim, 1), dtype=np.float64))
        case Block(rows):
            return _block_sum(values.reshape(values.shape[0], -1), rows, axis=0)
        case BlockPunched(filters, channels):
            kernel_rows(values)
            return _block_sum(_block_sum(values, filters, axis=0), channels, axis=1)
    return values.astype(np.float64)


def unit_sizes(shape: tuple[int, ...], scheme: UnitScheme) -> Norms:
    """Weights in every unit; units at the edge of a layer may have fewer than the others."""
    return unit_sums(np.broadcast_to(1.0, shape), scheme)


def spread_units(kept: Mask, scheme: UnitScheme, shape: tuple[int, ...]) -> Mask:
    """The mask of the weights, from one of the units."""
    match scheme:
        case Filter():
            kept = np.expand_dims(kept, _others(len(shape), 0))
        case Channel():
            kept = np.expand_dims(kept, _others(len(shape), 1))
        case Block(rows):
            kept = np.repeat(kept, rows, axis=0)[: shape[0]].reshape(shape)
        case BlockPunched(filters, channels):
            kept = np.repeat(kept, filters, axis=0)[: shape[0]]
            kept = np.repeat(kept, channels, axis=1)[:, : shape[1]]
    return np.broadcast_to(kept, shape).copy()


def units_kept(count: int, scheme: UnitScheme) -> int:
    """How many of `count` units the scheme keeps.

    Raises:
        SchemeError: None.
    """
    return kept_of(count, scheme.rate, name_of_units(scheme))


def kept_of(count: int, rate: float, what: str) -> int:
    """How many of `count` things a rate keeps: `round(count / rate)`, halves up.

    Raises:
        SchemeError: None.
    """
    if count / rate < 1:
        raise SchemeError(
            f"rate {rate:g} would leave none of {count} {what}: use at most {count}, or leave the "
            "layer out"
        )
    return math.floor(count / rate + 0.5)


def top(scores: Norms, keep: int) -> Mask:
    """Mask of the `keep` largest scores of each row; ties keep the lowest column."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :keep]
    mask = np.zeros(scores.shape, np.bool_)
    np.put_along_axis(mask, order, True, axis=1)
    return mask


def _others(dimensions: int, axis: int) -> tuple[int, ...]:
    """All axes but one."""
    return tuple(other for other in range(dimensions) if other != axis)


def _block_sum(values: NDArray[Any], size: int, axis: int) -> Norms:
    """Sum over runs of `size` along an axis; the last run may be short."""
    starts = np.arange(0, values.shape[axis], size)
    return np.asarray(np.add.reduceat(values, starts, axis=axis, dtype=np.float64))
