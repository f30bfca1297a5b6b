# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes over what another tool has pruned, and moves its zeros to a scheme."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import ConfigError, ModelError, OptionError, PruneError, SchemeError
from pconv_mlir.prune.config import PruneConfig
from pconv_mlir.prune.layers import Layer, find_layers, mask_of, unwrapped
from pconv_mlir.prune.magnitude import magnitude
from pconv_mlir.prune.mining import mine_natural
from pconv_mlir.prune.patterns import FoundLibrary, find_library
from pconv_mlir.prune.projections import library_of
from pconv_mlir.prune.report import PruneReport, describe, norm
from pconv_mlir.prune.schemes import Dense, KernelPattern, Scheme, Unstructured, parse_scheme
from pconv_mlir.prune.sources import read_masked, read_masks
from pconv_mlir.prune.units import Mask, UnitScheme

if TYPE_CHECKING:
    import torch

#: What `snap` tries; the rates do not matter.
CANDIDATES = ("pattern:8", "block-punched:8x4@1", "block:16x16@1")

#: A layer with a smaller share of zeros is not pruned, as far as `snap` is concerned.
MIN_ZEROS = 0.1


def adopt(
    model: torch.nn.Module | MutableMapping[str, NDArray[Any]], source: Any = None
) -> PruneReport:
    """Make a plain model with zeros in it of one that another tool has pruned, in place.

    Args:
        model: A torch module, whose masks of torch.nn.utils.prune or torch.ao.pruning are made
            permanent; or weights by name.
        source: Where else masks come from: anything that `read_masks` reads. They are applied to
            the layers of the same names; a name may end in `.weight`.

    Returns:
        The report. Its config describes the zeros as they are: `MagnitudePruner` with it retrains
        the network and keeps them.

    Raises:
        ModelError: A source cannot be read, or a mask does not fit its weight.
        ConfigError: The source has no mask for any layer, or has one for a layer that is not there.
        PruneError: The model is being pruned by a pruner of this package.
        WeightsError: A layer is wholly zero.
    """
    before: dict[str, float] = {}
    if not isinstance(model, MutableMapping):
        before = _make_permanent(unwrapped(model))
    layers = find_layers(model)
    before = {layer.name: before.get(layer.name, norm(layer.value)) for layer in layers}
    if source is not None:
        masks = _masks_for(layers, read_masks(source))
        for layer in layers:
            if layer.name in masks:
                layer.apply(masks[layer.name])
    config = PruneConfig(Dense(), layers={x.name: s for x in layers if (s := _as_it_is(x))})
    rows = [
        describe(choice, norm(choice.layer.value) / (before[choice.layer.name] or 1))
        for choice in config.choose(layers)
    ]
    return PruneReport(tuple(rows), config.made_for(layers))


def snap(
    model: torch.nn.Module | MutableMapping[str, NDArray[Any]],
    schemes: Iterable[str | Scheme] = CANDIDATES,
    *,
    match_rates: bool = True,
) -> PruneReport:
    """Move every pruned layer to the scheme that loses least of its norm, in place.

    Layers with hardly any zeros are left alone, and zeros that show kernel patterns as they are.
    `report.layers` has the norm kept and lost; `report.config` is what to retrain with.

    Args:
        model: A torch module with zeros in it (see `adopt`), or weights by name.
        schemes: The candidates. Mined patterns are mined from each layer.
        match_rates: Set the rates of the candidates for each layer, so that it keeps about as many
            weights as it has; else they are taken as they are.

    Raises:
        OptionError: There are no candidates.
        SchemeError: No candidate fits a layer.
        WeightsError: A weight is NaN or infinite, or a layer wholly zero.
    """
    candidates = [parse_scheme(scheme) for scheme in schemes]
    if not candidates:
        raise OptionError("expected schemes to choose from, got none")
    chosen = {}
    for layer in find_layers(model):
        zeros = 1 - np.count_nonzero(layer.value) / layer.value.size
        if zeros >= MIN_ZEROS:
            chosen[layer.name] = _nearest(layer, candidates, match_rates)
    return magnitude(model, PruneConfig(Dense(), layers=chosen))


def _nearest(layer: Layer, candidates: list[Scheme], match_rates: bool) -> Scheme:
    """The candidate under which most of the layer's norm is left; of equals the first."""
    value = layer.value
    mask_of(layer.name, value, Dense())  # refuses a weight that nothing can be done with
    tried: list[tuple[float, Scheme]] = []
    troubles = []
    for candidate in [*candidates, *_already(value)]:
        try:
            scheme = _for_layer(candidate, value, match_rates)
            mask = mask_of(layer.name, value, scheme)
            tried.append((norm(value[mask]), scheme))
        except SchemeError as error:
            troubles.append(f"{candidate}: {error.message}")
    if not tried:
        raise SchemeError(f"no candidate fits: {'; '.join(troubles)}", layer=layer.name)
    return max(tried, key=lambda pair: pair[0])[1]


def _already(value: NDArray[Any]) -> list[Scheme]:
    """The kernel patterns that the zeros show, if they do."""
    found = find_library(value) if value.ndim == 4 and value[0, 0].size > 1 else None
    if not isinstance(found, FoundLibrary):
        return []
    rate = found.kernels.size / np.count_nonzero(found.kernels)
    return [KernelPattern(found.library, rate, rule="layer")]


def _for_layer(scheme: Scheme, value: NDArray[Any], match_rates: bool) -> Scheme:
    """A candidate with patterns mined and the rate set for a layer."""
    if isinstance(scheme, KernelPattern) and not scheme.fixed_library:
        assert isinstance(scheme.patterns, int)
        scheme = replace(scheme, patterns=mine_natural(value, scheme.patterns), library=None)
    if not match_rates:
        return scheme
    rate = value.size / np.count_nonzero(value)
    if isinstance(scheme, KernelPattern) and value.ndim == 4:
        cells = library_of(scheme).masks.sum(axis=1).mean()
        return replace(scheme, connectivity=max(1.0, rate * float(cells) / value[0, 0].size))
    return replace(scheme, rate=rate) if isinstance(scheme, UnitScheme) else scheme


def _as_it_is(layer: Layer) -> Scheme | None:
    """The scheme whose projection changes nothing; None for a layer without zeros."""
    kept = np.count_nonzero(layer.value)
    if kept == layer.value.size or layer.trouble:
        return None
    if not kept:
        mask_of(layer.name, layer.value, Dense())  # refuses it
    return Unstructured(layer.value.size / kept)


def _masks_for(layers: list[Layer], masks: Mapping[str, Mask]) -> dict[str, Mask]:
    """The masks by the names of the layers."""
    shapes = {layer.name: layer.value.shape for layer in layers}
    found: dict[str, Mask] = {}
    for name, mask in masks.items():
        layer = name if name in shapes else name.removesuffix(".weight")
        if layer not in shapes:
            if mask.all():
                continue  # an embedding, for example
            near = get_close_matches(layer, shapes, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else "rename it"
            raise ConfigError(f"the source has a mask for {name!r}, which is no layer here: {hint}")
        if mask.shape != shapes[layer]:
            raise ModelError(
                f"expected a mask of the shape of its weight, {tuple(shapes[layer])}, got "
                f"{mask.shape}",
                layer=layer,
            )
        found[layer] = mask
    if not found:
        raise ConfigError("the source has a mask for none of the layers: compare their names")
    return found


def _make_permanent(model: torch.nn.Module) -> dict[str, float]:
    """Multiplies the masks of a module in and removes them.

    Returns:
        The norms of the weights before, by layer.
    """
    from torch.nn.utils import parametrize
    from torch.nn.utils import prune as torch_prune

    if any(getattr(module, "prunes", False) for module in model.modules()):
        raise PruneError("the model is being pruned here: call squash_mask() of its pruner")
    tensors = read_masked(model)  # before anything is changed: every mask is checked
    before = {name.removesuffix(".weight"): norm(tensor.value) for name, tensor in tensors.items()}
    for module in list(model.modules()):
        if parametrize.is_parametrized(module):
            for name, parts in list(module.parametrizations.items()):
                if all(hasattr(part, "mask") for part in parts):
                    parametrize.remove_parametrizations(module, name, leave_parametrized=True)
        for hook in list(module._forward_pre_hooks.values()):
            if isinstance(hook, torch_prune.BasePruningMethod):
                torch_prune.remove(module, hook._tensor_name)
    return before
