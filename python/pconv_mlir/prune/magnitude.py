# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One-shot magnitude pruning: project every suitable layer of a network to its scheme."""

from __future__ import annotations

from collections.abc import Collection, MutableMapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pconv_mlir.errors import OptionError
from pconv_mlir.prune.config import Choice, PruneConfig
from pconv_mlir.prune.importance import (
    Importance,
    check_importance,
    check_ranked,
    geometric_median,
)
from pconv_mlir.prune.layers import LEFT_ALONE, Kind, find_layers
from pconv_mlir.prune.report import PruneReport, describe, norm
from pconv_mlir.prune.schemes import Channel, Dense, Filter, Scheme
from pconv_mlir.prune.units import Mask

if TYPE_CHECKING:
    import torch


def magnitude(
    model: torch.nn.Module | MutableMapping[str, NDArray[Any]],
    scheme: str | Scheme | PruneConfig,
    *,
    skip: Collection[str] = (),
    leave_alone: Collection[Kind] | None = None,
    importance: Importance = "l2",
) -> PruneReport:
    """Zero the smallest weights that a scheme allows, in place, without training.

    All masks are computed before the first weight changes, so an error leaves the model as it was.

    Args:
        model: A torch module, or weights by name (4-d: convolution, 2-d: linear [out, in], others
            are left alone), where the first convolution is the first one in the dict's order; the
            pruned entries of a dict are replaced by new arrays.
        scheme: One scheme for all layers, or its text, or a config with one for each.
        skip: Layers that stay as they are, by name; `*` and `?` match as in file names.
        leave_alone: Kinds of layers that stay as they are: by default the first convolution, 1x1,
            depthwise and linear layers; for `Block` and `NM`, which are made for matrices, the
            first and depthwise convolutions. A config says this itself.
        importance: What ranks filters and input channels: `l2`, or `geometric-median`; see
            `MagnitudePruner` for `taylor`, which needs gradients.

    Raises:
        SchemeError: The scheme does not fit a layer, its rate would leave nothing of one, a name in
            `skip` matches none, or no layer is left to prune; a weight is shared between layers.
        ConfigError: The config does not fit the model, or there is no such kind of layers.
        WeightsError: A weight is NaN or infinite, or wholly zero.
        OptionError: An unknown importance, or `taylor`.

    Not handled: weights that a parametrization or `torch.nn.utils.prune` computes (make them
    permanent first), transposed and 1-d or 3-d convolutions (left alone).
    """
    check_importance(importance)
    if importance == "taylor":
        raise OptionError(
            "taylor importance needs gradients: use MagnitudePruner(steps=100, importance='taylor')"
        )
    config = scheme if isinstance(scheme, PruneConfig) else _config(scheme, leave_alone)
    dense = dict.fromkeys(skip, Dense())
    config = replace(config, layers={**dense, **config.layers, **dense})
    layers = find_layers(model)
    choices = config.choose(layers)
    masks = [None if choice.note else _mask(choice, importance) for choice in choices]
    reports = []
    for choice, mask in zip(choices, masks, strict=True):
        before = norm(choice.layer.value)
        if mask is not None:
            choice.layer.apply(mask)
        kept = norm(choice.layer.value) / before if before else 1.0
        reports.append(describe(choice, kept))
    return PruneReport(tuple(reports), config.made_for(layers))


def _mask(choice: Choice, importance: Importance) -> Mask:
    check_ranked(choice, importance)
    value, scheme = choice.layer.value, choice.scheme
    if importance == "geometric-median" and isinstance(scheme, (Filter, Channel)):
        return choice.mask(value, geometric_median(value, scheme))
    return choice.mask(value)


def _config(scheme: str | Scheme, leave_alone: Collection[Kind] | None) -> PruneConfig:
    """The config that says what the arguments of `magnitude` say."""
    if leave_alone is None:
        return PruneConfig(scheme)
    pruned: dict[Kind, Scheme | str] = dict.fromkeys(LEFT_ALONE, scheme)
    return PruneConfig(scheme, {**pruned, **dict.fromkeys(leave_alone, Dense())})
