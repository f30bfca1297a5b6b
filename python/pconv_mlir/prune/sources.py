# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights and masks as other tools leave them: in modules, state dicts and files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import DependencyError, ModelError
from pconv_mlir.prune.layers import to_numpy, unwrapped
from pconv_mlir.prune.tensor_file import read_tensors
from pconv_mlir.prune.units import Mask

#: What torch.nn.utils.prune and torch.nn.utils.parametrize call the weight that they mask.
_PRUNED = re.compile(r"(?P<name>.+)_orig")
_PARAMETRIZED = re.compile(r"(?P<layer>(?:.+\.)?)parametrizations\.(?P<what>[^.]+)\.original")


@dataclass(frozen=True)
class Masked:
    """A tensor as it was before a mask, and the mask: True where it is kept."""

    value: NDArray[Any]
    mask: Mask


def read_weights(source: Any) -> dict[str, NDArray[Any]]:
    """Every tensor of a network by name, with its masks multiplied in.

    Args:
        source: A torch module or its state dict, also one that torch.nn.utils.prune
            (`weight_orig`, `weight_mask`) or the sparsifiers of torch.ao.pruning (FakeSparsity)
            mask; a dict of arrays; a `.safetensors`, `.onnx`, `.pt` or `.pth` file; an ONNX model.
            Nothing is executed from a file.

    Raises:
        ModelError: The source cannot be read, or a mask does not fit its weight.
        DependencyError: torch or onnx is needed for this source, and not installed.
    """
    return {
        name: np.where(tensor.mask, tensor.value, np.zeros((), tensor.value.dtype))
        for name, tensor in read_masked(source).items()
    }


def read_masks(source: Any) -> dict[str, Mask]:
    """The masks of a network's matrices and kernels by name; True where a weight is kept.

    Where there is no mask, zeros count as removed. Arguments and errors are those of
    `read_weights`.
    """
    return {
        name: tensor.mask
        for name, tensor in read_masked(source).items()
        if tensor.value.ndim in (2, 4) and np.issubdtype(tensor.value.dtype, np.floating)
    }


def read_masked(source: Any) -> dict[str, Masked]:
    """Every tensor of a network by name; zeros are the mask where there is no other.

    Arguments and errors are those of `read_weights`.
    """
    tensors = {name: _array(name, value) for name, value in _tensors(source).items()}
    return dict(_masked(tensors))


def _masked(tensors: dict[str, NDArray[Any]]) -> Iterator[tuple[str, Masked]]:
    """Puts weights and masks together."""
    used: set[str] = set()
    for name in tensors:
        if match := _PARAMETRIZED.fullmatch(name):
            plain, what = match["layer"] + match["what"], name.removesuffix("original")
            masks = [other for other in tensors if other.startswith(what) and other != name]
            _check_all_masks(plain, [mask.removeprefix(what) for mask in masks])
        elif (match := _PRUNED.fullmatch(name)) and f"{match['name']}_mask" in tensors:
            plain, masks = match["name"], [f"{match['name']}_mask"]
        else:
            continue
        mask = np.logical_and.reduce([_mask(plain, tensors[name], tensors[m]) for m in masks])
        used |= {name, *masks}
        yield plain, Masked(tensors[name], mask)
    for name, value in tensors.items():
        if name not in used:
            yield name, Masked(value, np.asarray(value != 0))


def _check_all_masks(name: str, parts: list[str]) -> None:
    """
    Raises:
        ModelError: The parts of a parametrization are not masks alone.
    """
    if not parts:  # FakeSparsity keeps its mask out of state dicts
        raise ModelError(
            "the mask is not in the state dict: give the module itself, or call squash_mask() of "
            "its sparsifier first",
            layer=name,
        )
    if not all(re.fullmatch(r"\d+\.mask", part) for part in parts):
        raise ModelError(
            "a parametrization that is no mask computes the weight: make it permanent first",
            layer=name,
        )


def _mask(name: str, value: NDArray[Any], mask: NDArray[Any]) -> Mask:
    if mask.shape != value.shape:
        raise ModelError(
            f"expected a mask of the shape of its weight, {value.shape}, got {mask.shape}",
            layer=name,
        )
    if not np.isin(mask, (0, 1)).all():
        raise ModelError("expected a mask of zeros and ones, got other numbers", layer=name)
    return mask.astype(np.bool_)


def _array(name: str, value: object) -> NDArray[Any]:
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "detach"):
        return to_numpy(value)
    raise ModelError(f"expected a tensor or an array, got {type(value).__name__}", layer=name)


def _tensors(source: Any) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    if isinstance(source, str | os.PathLike):
        return _read_file(Path(source))
    if hasattr(source, "state_dict"):
        source = unwrapped(source)
        hidden = {name: tensor for name, tensor in source.named_buffers() if name.endswith(".mask")}
        return {**source.state_dict(), **hidden}
    if hasattr(source, "graph"):
        from pconv_mlir.models import weights

        return weights(source)
    raise ModelError(
        "expected a torch module, a state dict, an ONNX model or a file, got "
        f"{type(source).__name__}"
    )


def _read_file(path: Path) -> Mapping[str, Any]:
    if path.suffix == ".safetensors":
        return read_tensors(path)[0]
    readers = {".onnx": _read_onnx, ".pt": _read_torch, ".pth": _read_torch}
    if path.suffix not in readers:
        raise ModelError(f"expected a .safetensors, .onnx, .pt or .pth file, got {path}")
    try:
        return readers[path.suffix](path)
    except FileNotFoundError as error:
        raise ModelError(f"there is no file {path}") from error
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except ImportError as error:
        raise DependencyError(f"reading {path.suffix} files needs {error.name}") from error
    except ModelError:
        raise
    except Exception as error:  # protobuf and pickle have errors of their own in every version
        raise ModelError(f"{path} is damaged or holds more than tensors: {error}") from error


def _read_onnx(path: Path) -> Mapping[str, Any]:
    import onnx

    from pconv_mlir.models import weights

    return weights(onnx.load(path))


def _read_torch(path: Path) -> Mapping[str, Any]:
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping):
        raise ModelError(f"expected a state dict in {path}, got {type(state).__name__}")
    return state
