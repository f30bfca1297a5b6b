# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""One-shot magnitude pruning: project every suitable layer of a network to a scheme."""

from __future__ import annotations

from collections.abc import Collection, Iterator, MutableMapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError, WeightsError
from pconv_mlir.prune.mining import mine_natural
from pconv_mlir.prune.patterns import PatternLibrary
from pconv_mlir.prune.projections import Mask, project
from pconv_mlir.prune.schemes import Block, Dense, KernelPattern, Scheme, parse_scheme

if TYPE_CHECKING:
    import torch

Kind = Literal["first", "1x1", "depthwise", "linear", "conv"]

# What is left alone unless asked for, and how to say so. The first layer reads few channels and is
# the most sensitive; the others have no kernels to speak of, or one per filter.
LEFT_ALONE: dict[Kind, str] = {
    "first": "first convolution",
    "1x1": "1x1 convolution",
    "depthwise": "depthwise convolution",
    "linear": "linear layer",
}


@dataclass(frozen=True)
class LayerReport:
    """What pruning did to one layer.

    Attributes:
        name: The layer in the user's model.
        shape: Of its weight.
        scheme: What it was projected to, or `dense`.
        zeros: Share of its weights that are zero now.
        kept_norm: L2 norm of the weight now over its norm before.
        empty_filters: Filters without a weight; their output is the bias alone.
        note: Why the layer was left alone.
    """

    name: str
    shape: tuple[int, ...]
    scheme: str
    zeros: float
    kept_norm: float
    empty_filters: int
    note: str = ""


@dataclass(frozen=True)
class PruneReport:
    """Every layer with a weight, in the order of the model; `str()` is a table."""

    layers: tuple[LayerReport, ...]

    def __str__(self) -> str:
        rows = [("layer", "shape", "zeros", "norm kept", "scheme")]
        for layer in self.layers:
            shape = "x".join(map(str, layer.shape))
            scheme = f"{layer.scheme} ({layer.note})" if layer.note else layer.scheme
            if layer.empty_filters:
                scheme += f", {layer.empty_filters} empty filters"
            rows.append((layer.name, shape, f"{layer.zeros:.1%}", f"{layer.kept_norm:.1%}", scheme))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)


def magnitude(
    model: torch.nn.Module | MutableMapping[str, NDArray[Any]],
    scheme: str | Scheme,
    *,
    skip: Collection[str] = (),
    leave_alone: Collection[Kind] | None = None,
) -> PruneReport:
    """Zero the smallest weights that a scheme allows, in place, without training.

    All masks are computed before the first weight changes, so an error leaves the model as it was.

    Args:
        model: A torch module, or weights by name (4-d: convolution, 2-d: linear, others are left
            alone); in a dict the pruned entries are replaced by new arrays.
        scheme: One scheme for all layers, or its text.
        skip: Layers that stay as they are, by name; `*` and `?` match as in file names.
        leave_alone: Kinds of layers that stay as they are: by default the first convolution, 1x1,
            depthwise and linear layers; for `Block`, which is made for matrices, the first and
            depthwise convolutions.

    Raises:
        SchemeError: The scheme does not fit a layer, its rate would leave nothing of one, a name in
            `skip` matches none, or no layer is left to prune.
        WeightsError: A weight is NaN or infinite, or wholly zero.

    Not handled: weights that a parametrization or `torch.nn.utils.prune` computes (make them
    permanent first), transposed and 1-d or 3-d convolutions (left alone).
    """
    scheme = parse_scheme(scheme)
    if leave_alone is None:
        leave_alone = ("first", "depthwise") if isinstance(scheme, Block) else tuple(LEFT_ALONE)
    layers = list(_torch_layers(model) if not isinstance(model, MutableMapping) else _arrays(model))
    notes = {layer.name: _why_left_alone(layer, scheme, skip, leave_alone) for layer in layers}
    _check_names(skip, layers)
    chosen = [layer for layer in layers if not notes[layer.name]]
    if not chosen and not isinstance(scheme, Dense):
        raise SchemeError(f"no layer is left to prune with {scheme}: see `skip` and `leave_alone`")
    libraries = _mine(scheme, chosen)
    masks = {layer.name: _mask(layer, scheme, libraries) for layer in chosen}
    reports = []
    for layer in layers:
        norm = _norm(layer.value)
        if layer.name in masks:
            layer.apply(masks[layer.name])
        reports.append(_report(layer, norm, scheme, notes[layer.name]))
    return PruneReport(tuple(reports))


@dataclass
class _Array:
    """A NumPy weight in the caller's dict."""

    name: str
    kind: Kind
    home: MutableMapping[str, NDArray[Any]]

    @property
    def value(self) -> NDArray[Any]:
        return self.home[self.name]

    def apply(self, mask: Mask) -> None:
        self.home[self.name] = np.where(mask, self.value, np.zeros((), self.value.dtype))


@dataclass
class _Parameter:
    """The weight of a torch layer."""

    name: str
    kind: Kind
    weight: torch.Tensor

    @property
    def value(self) -> NDArray[Any]:
        weight = self.weight.detach().cpu()
        if weight.element_size() < 4:  # NumPy has no bfloat16
            weight = weight.float()
        values: NDArray[Any] = weight.numpy()
        return values

    def apply(self, mask: Mask) -> None:
        import torch

        with torch.no_grad():
            self.weight.masked_fill_(torch.from_numpy(~mask).to(self.weight.device), 0)


_Layer = _Array | _Parameter


def _arrays(weights: MutableMapping[str, NDArray[Any]]) -> Iterator[_Layer]:
    first = True
    for name, value in weights.items():
        if value.ndim == 4:
            yield _Array(name, _conv_kind(value.shape, value.shape[1] == 1, first), weights)
            first = False
        elif value.ndim == 2:
            yield _Array(name, "linear", weights)


def _torch_layers(model: torch.nn.Module) -> Iterator[_Layer]:
    from torch import nn

    if not isinstance(model, nn.Module):
        raise SchemeError(
            f"expected a torch.nn.Module or a dict of NumPy weights, got {type(model).__name__}"
        )
    first = True
    for name, module in model.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.Linear)):
            continue
        if not isinstance(module._parameters.get("weight"), nn.Parameter):
            raise SchemeError(
                "the weight is computed by a parametrization: make it permanent first, for example "
                "by torch.nn.utils.prune.remove(layer, 'weight')",
                layer=name,
            )
        if isinstance(module, nn.Linear):
            yield _Parameter(name, "linear", module.weight)
            continue
        depthwise = module.groups > 1 and module.weight.shape[1] == 1
        yield _Parameter(
            name, _conv_kind(tuple(module.weight.shape), depthwise, first), module.weight
        )
        first = False


def _conv_kind(shape: tuple[int, ...], depthwise: bool, first: bool) -> Kind:
    if first:
        return "first"
    if shape[2:] == (1, 1):
        return "1x1"
    return "depthwise" if depthwise else "conv"


def _why_left_alone(
    layer: _Layer, scheme: Scheme, skip: Collection[str], leave_alone: Collection[Kind]
) -> str:
    if isinstance(scheme, Dense):
        return "dense asked for"
    if any(fnmatchcase(layer.name, name) for name in skip):
        return "skipped by name"
    return LEFT_ALONE[layer.kind] if layer.kind in leave_alone else ""


def _check_names(skip: Collection[str], layers: list[_Layer]) -> None:
    for name in skip:
        if not any(fnmatchcase(layer.name, name) for layer in layers):
            raise SchemeError(
                f"no layer to skip is called {name!r}: the model has "
                + ", ".join(layer.name for layer in layers)
            )


def _mine(scheme: Scheme, layers: list[_Layer]) -> dict[tuple[int, ...], PatternLibrary]:
    """One mined library per kernel size of the network, where the scheme wants them mined."""
    if not isinstance(scheme, KernelPattern) or scheme.fixed_library is not None:
        return {}
    assert isinstance(scheme.patterns, int)
    by_size: dict[tuple[int, ...], list[NDArray[Any]]] = {}
    for layer in layers:
        if layer.value.ndim == 4 and layer.value.shape[2:] != (1, 1):
            by_size.setdefault(layer.value.shape[2:], []).append(layer.value)
    return {size: mine_natural(found, scheme.patterns) for size, found in by_size.items()}


def _mask(layer: _Layer, scheme: Scheme, libraries: dict[tuple[int, ...], PatternLibrary]) -> Mask:
    if not np.isfinite(layer.value).all():
        raise WeightsError("a weight is NaN or infinite: retrain or repair it", layer=layer.name)
    if not layer.value.any():
        raise WeightsError("every weight is zero: leave the layer out", layer=layer.name)
    try:
        return project(layer.value, scheme, library=libraries.get(layer.value.shape[2:]))
    except SchemeError as error:
        raise SchemeError(error.message, layer=layer.name) from None


def _norm(weight: NDArray[Any]) -> float:
    return float(np.sqrt(np.square(weight, dtype=np.float64).sum()))


def _report(layer: _Layer, norm: float, scheme: Scheme, note: str) -> LayerReport:
    value = layer.value
    return LayerReport(
        name=layer.name,
        shape=tuple(value.shape),
        scheme="dense" if note else str(scheme),
        zeros=1 - np.count_nonzero(value) / value.size,
        kept_norm=_norm(value) / norm if norm else 1.0,
        empty_filters=int(np.count_nonzero(~value.any(axis=tuple(range(1, value.ndim))))),
        note=note,
    )
