# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A pruned model in one file, with what was done to it as JSON in the metadata."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pconv_mlir.container import parse_json
from pconv_mlir.errors import ConfigError, ModelError, PConvError, PruneError
from pconv_mlir.prune.config import PruneConfig
from pconv_mlir.prune.layers import find_layers, to_numpy, unwrapped
from pconv_mlir.prune.report import LayerReport, PruneReport
from pconv_mlir.prune.tensor_file import read_tensors, write_tensors

if TYPE_CHECKING:
    import onnx
    import torch

    from pconv_mlir.prune.training.fit import FitReport

KEY = "pconv.prune"
VERSION = 1
COUNTER = ".num_batches_tracked"  # of batch norm; not a weight


def save(
    model: torch.nn.Module | Mapping[str, NDArray[Any]],
    path: str | os.PathLike[str],
    report: PruneReport | FitReport,
) -> None:
    """Writes a pruned model, its config and its report into one safetensors file.

    The weights are dense tensors with zeros in them, which any program can read. The file appears
    under its name only when it is complete.

    Args:
        model: A torch module, or weights by name.
        path: The file.
        report: From `magnitude`, `fit` or `squash_mask()`; it holds the config.

    Raises:
        ConfigError: The report is of another network.
        SchemeError: The model is neither a module nor a dict.
        PruneError: The model still wears masks.
        ModelError: A tensor has a type that safetensors files do not have.
        ArtefactError: The file cannot be written.
    """
    report = report if isinstance(report, PruneReport) else report.layers
    model = dict(model) if isinstance(model, Mapping) else model
    report.config.check_network(find_layers(model))
    arrays, halves = _state(model)
    write_tensors(path, arrays, {KEY: _facts(report)}, bfloat16=halves)


def annotate(model: onnx.ModelProto, report: PruneReport) -> None:
    """Writes the config and the report into the metadata of an ONNX model, in place."""
    from onnx import helper

    old = {entry.key: entry.value for entry in model.metadata_props}
    helper.set_model_props(model, {**old, KEY: _facts(report)})


def load(
    model: torch.nn.Module | MutableMapping[str, NDArray[Any]], path: str | os.PathLike[str]
) -> PruneReport:
    """Reads what `save` or `pconv prune` wrote into a model, in place.

    Args:
        model: A torch module of the same network, or a dict, which is given the weights by name.
        path: The file; its name ends in `.onnx` if it is one. Counters of batch norm, which such
            files lack, stay as they are in a module.

    Returns:
        The report; `report.config` is the config.

    Raises:
        ModelError: The file cannot be read, is damaged, or has no report.
        ConfigError: It is of another network.
        DependencyError: It is an ONNX file, and the package `onnx` is not installed.
    """
    arrays, metadata = _read(path)
    report = _report(path, metadata)
    if isinstance(model, MutableMapping):
        report.config.check_network(find_layers(model or dict(arrays)))
        model.update(arrays)
        return report
    report.config.check_network(find_layers(model))
    import torch

    model = unwrapped(model)
    state = model.state_dict()
    counters = {name: state[name] for name in state if name.endswith(COUNTER)}
    arrays = {**{name: to_numpy(counter) for name, counter in counters.items()}, **arrays}
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    for name in {**shapes, **arrays}:
        here = shapes.get(name, "no such tensor")
        there = arrays[name].shape if name in arrays else "no such tensor"
        if here != there:
            raise ConfigError(
                f"{path} is of another network: it has {there}, this one {here}", layer=name
            )
    model.load_state_dict({name: torch.tensor(array) for name, array in arrays.items()})
    return report


def _facts(report: PruneReport) -> str:
    facts = {
        "version": VERSION,
        "config": report.config.to_dict(),
        "layers": [asdict(layer) for layer in report.layers],
    }
    return json.dumps(facts)


def _read(path: str | os.PathLike[str]) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays and the metadata of a file."""
    if Path(path).suffix != ".onnx":
        return read_tensors(path)
    from pconv_mlir import models, sources  # they import this package

    model = sources.find(os.fspath(path)).model
    return models.weights(model), {entry.key: entry.value for entry in model.metadata_props}


def _report(path: object, metadata: Mapping[str, str]) -> PruneReport:
    if KEY not in metadata:
        raise ModelError(
            f"{path} was not written by pconv_mlir.prune.save or pconv prune: read it with adopt"
        )
    try:
        facts: Any = parse_json(metadata[KEY].encode())
        if facts["version"] != VERSION:
            raise ModelError(
                f"{path} has version {facts['version']!r} of the format, expected {VERSION}"
            )
        layers = tuple(_layer(row) for row in facts["layers"])
        return PruneReport(layers, PruneConfig.of(facts["config"]))
    except ModelError:
        raise
    except (KeyError, TypeError, ValueError, PConvError) as error:
        raise ModelError(f"the report in {path} is damaged: {error}") from error


def _layer(row: Mapping[str, Any]) -> LayerReport:
    return LayerReport(
        name=str(row["name"]),
        shape=tuple(int(size) for size in row["shape"]),
        scheme=str(row["scheme"]),
        zeros=float(row["zeros"]),
        kept_norm=float(row["kept_norm"]),
        empty_filters=int(row["empty_filters"]),
        note=str(row["note"]),
        mined=str(row.get("mined", "")),
    )


def _state(
    model: torch.nn.Module | Mapping[str, NDArray[Any]],
) -> tuple[dict[str, NDArray[Any]], frozenset[str]]:
    """All arrays of a model, and the names of those that are the bits of bfloat16 numbers."""
    if isinstance(model, Mapping):
        return dict(model), frozenset()
    import torch

    model = unwrapped(model)
    if any(getattr(module, "prunes", False) for module in model.modules()):
        raise PruneError("the model still wears masks: call squash_mask() of its pruner first")
    state = {name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}
    halves = frozenset(name for name, tensor in state.items() if tensor.dtype == torch.bfloat16)
    state |= {name: state[name].contiguous().view(torch.uint16) for name in halves}
    return {name: _array(name, tensor) for name, tensor in state.items()}, halves


def _array(name: str, tensor: torch.Tensor) -> NDArray[Any]:
    try:
        array: NDArray[Any] = tensor.numpy()
    except TypeError as error:  # a float of eight bits, for example
        message = f"cannot save numbers of type {tensor.dtype}: convert it"
        raise ModelError(message, layer=name) from error
    return array
