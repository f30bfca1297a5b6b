# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The layers that can be pruned: convolutions and matrices of torch modules or dicts of arrays."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError, WeightsError
from pconv_mlir.prune.patterns import PatternLibrary
from pconv_mlir.prune.projections import project
from pconv_mlir.prune.schemes import Scheme
from pconv_mlir.prune.units import Mask

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


@dataclass
class ArrayLayer:
    """A NumPy weight in the caller's dict."""

    key: str
    kind: Kind
    home: MutableMapping[str, NDArray[Any]]
    trouble = ""

    @property
    def name(self) -> str:
        """Without `.weight`: as a module of the same network calls the layer."""
        return self.key.removesuffix(".weight")

    @property
    def value(self) -> NDArray[Any]:
        """The weight."""
        return self.home[self.key]

    def apply(self, mask: Mask) -> None:
        """Zero what the mask leaves out, in a new array."""
        self.home[self.key] = np.where(mask, self.value, np.zeros((), self.value.dtype))


@dataclass
class TorchLayer:
    """A torch module with a weight; `trouble` says why it cannot be pruned, if so."""

    name: str
    kind: Kind
    module: torch.nn.Module
    trouble: str = ""

    @property
    def value(self) -> NDArray[Any]:
        """A copy of the weight, or a view of it."""
        return to_numpy(self.module.weight)

    def apply(self, mask: Mask) -> None:
        """Zero what the mask leaves out, in place."""
        import torch

        weight = self.module.weight
        with torch.no_grad():
            weight.masked_fill_(torch.from_numpy(~mask).to(weight.device), 0)


Layer = ArrayLayer | TorchLayer


def find_layers(model: torch.nn.Module | MutableMapping[str, NDArray[Any]]) -> list[Layer]:
    """Every layer with a weight that some scheme could prune, in the order of the model.

    The order of the modules or of the dict decides which convolution counts as the first one.

    Raises:
        SchemeError: The model is neither a torch module nor a dict.
        WeightsError: A value of the dict is no array, or a layer of the module has no values yet.
    """
    return list(_arrays(model) if isinstance(model, MutableMapping) else _torch_layers(model))


def to_numpy(tensor: torch.Tensor) -> NDArray[Any]:
    """The values of a tensor; those of fewer than four bytes as float32."""
    tensor = tensor.detach().cpu()
    if tensor.element_size() < 4:  # NumPy has no bfloat16
        tensor = tensor.float()
    values: NDArray[Any] = tensor.numpy()
    return values


def unwrapped(model: torch.nn.Module) -> torch.nn.Module:
    """The network inside what torch.compile or data parallelism made of it; they rename layers."""
    return list(wrappers(model))[-1]


def wrappers(model: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """The modules that each wrap the next one, and the network at last."""
    from torch.nn.parallel import DataParallel, DistributedDataParallel

    parallel = (DataParallel, DistributedDataParallel)
    yield model
    while isinstance(model, parallel) or hasattr(model, "_orig_mod"):
        model = model.module if isinstance(model, parallel) else model._orig_mod
        yield model


def mask_of(
    name: str,
    value: NDArray[Any],
    scheme: Scheme,
    library: PatternLibrary | None = None,
    scores: NDArray[Any] | None = None,
) -> Mask:
    """Project the weight of a layer, whose name goes into every error.

    Raises:
        SchemeError: The scheme does not fit the layer, or its rate would leave nothing of it.
        WeightsError: The weight is NaN or infinite somewhere, or wholly zero.
    """
    if not np.isfinite(value).all():
        raise WeightsError("a weight is NaN or infinite: retrain or repair it", layer=name)
    if not value.any():
        raise WeightsError("every weight is zero: leave the layer out", layer=name)
    try:
        return project(value, scheme, library=library, scores=scores)
    except SchemeError as error:
        raise SchemeError(error.message, layer=name) from None


def _arrays(weights: MutableMapping[str, NDArray[Any]]) -> Iterator[ArrayLayer]:
    first = True
    for name, value in weights.items():
        if not isinstance(value, np.ndarray):
            raise WeightsError(f"expected a NumPy array, got {type(value).__name__}", layer=name)
        if value.ndim == 4:
            yield ArrayLayer(name, _conv_kind(value.shape, value.shape[1] == 1, first), weights)
            first = False
        elif value.ndim == 2:
            yield ArrayLayer(name, "linear", weights)


def _torch_layers(model: torch.nn.Module) -> Iterator[TorchLayer]:
    from torch import nn

    if not isinstance(model, nn.Module):
        raise SchemeError(
            f"expected a torch.nn.Module or a dict of NumPy weights, got {type(model).__name__}"
        )
    model = unwrapped(model)
    owners = _owners(model)
    first = True
    for name, module in model.named_modules():
        if not isinstance(module, (nn.Conv2d, nn.Linear)):
            continue
        _check_has_values(name, module)
        kind: Kind = "linear"
        if isinstance(module, nn.Conv2d):
            shape = tuple(module.weight.shape)
            kind = _conv_kind(shape, module.groups > 1 and shape[1] == 1, first)
            first = False
        yield TorchLayer(name, kind, module, _trouble(name, module, owners))


def _check_has_values(name: str, module: torch.nn.Module) -> None:
    """
    Raises:
        WeightsError: The weight is on the meta device, or of a lazy module.
    """
    from torch.nn.parameter import is_lazy

    weight = module._parameters.get("weight")
    if weight is not None and (is_lazy(weight) or weight.is_meta):
        raise WeightsError("the weight has no values yet: load or initialise it", layer=name)


def _owners(model: torch.nn.Module) -> dict[int, list[str]]:
    """Names of the modules that own each parameter, by its identity."""
    owners: dict[int, list[str]] = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        owners.setdefault(id(parameter), []).append(name.rpartition(".")[0])
    return owners


def _trouble(name: str, module: torch.nn.Module, owners: dict[int, list[str]]) -> str:
    from torch import nn

    weight = module._parameters.get("weight")
    if not isinstance(weight, nn.Parameter):
        if any(getattr(part, "prunes", False) for part in module.modules()):
            return "the layer is being pruned already: call squash_mask() of its pruner first"
        return (
            "the weight is computed by a parametrization: make it permanent first, for example "
            "by torch.nn.utils.prune.remove(layer, 'weight')"
        )
    others = [owner for owner in owners.get(id(weight), []) if owner != name]
    if others:
        return f"the weight is shared with {', '.join(map(repr, others))}: leave the layers dense"
    return ""


def _conv_kind(shape: tuple[int, ...], depthwise: bool, first: bool) -> Kind:
    if first:
        return "first"
    if shape[2:] == (1, 1):
        return "1x1"
    return "depthwise" if depthwise else "conv"
