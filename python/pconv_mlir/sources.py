# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models as the command line names them: a built-in network or an ONNX file, pruned if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import models, prune
from .errors import DependencyError, ModelError, OptionError
from .importer import import_model
from .module import Module

if TYPE_CHECKING:
    import onnx

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Source:
    """A model to compile.

    Attributes:
        name: What the user called it, without folder and suffix.
        scheme: What it was pruned to here, else `as is`.
        model: The network, as ONNX.
        shapes: Of the inputs, where the user gave them.
    """

    name: str
    scheme: str
    model: onnx.ModelProto
    shapes: Sequence[Shape] = ()

    def module(self) -> Module:
        """Imports it."""
        examples = [np.zeros(shape, np.float32) for shape in self.shapes]
        return import_model(self.model, examples or None)


def find(
    name: str, *, batch: int = 1, scheme: str | None = None, shapes: Sequence[Shape] = ()
) -> Source:
    """Builds or reads a model.

    Args:
        name: A built-in network (see `models.names`), or the path of an ONNX file.
        batch: Images that a run takes.
        scheme: What to prune it to, by magnitude and without training; for measurements.
        shapes: Of the inputs of an ONNX file that leaves them open.

    Raises:
        ModelError: There is no such network or file, or it cannot be read.
        OptionError: The batch size or a shape does not fit.
        SchemeError: The scheme is malformed or fits no layer.
        DependencyError: The package `onnx` is not installed.
    """
    if batch < 1:
        raise OptionError(f"expected a batch size of at least 1, got {batch}")
    try:
        if name in models.names():
            model = models.build(name, batch)
        else:
            model = _read(Path(name))
            shapes = shapes or _with_batch(model, batch)
    except ImportError as error:
        raise DependencyError(
            f"reading models needs {error.name}: pip install 'pconv-mlir[onnx]'"
        ) from error
    if scheme is not None:
        weights = models.weights(model)
        prune.magnitude(weights, scheme)
        models.replace_weights(model, weights)
    return Source(Path(name).stem, scheme or "as is", model, shapes)


def _read(path: Path) -> onnx.ModelProto:
    import onnx

    if not path.exists():
        known = ", ".join(models.names())
        raise ModelError(f"there is no file {path} and no built-in network of this name ({known})")
    try:
        return onnx.load(path)
    except Exception as error:  # protobuf has errors of its own in every version
        raise ModelError(f"{path} is damaged or no ONNX model: {error}") from error


def _with_batch(model: onnx.ModelProto, batch: int) -> list[Shape]:
    """Input shapes of a file, with this batch size where the file leaves it open.

    Empty when there is nothing to say: the importer then reads the shapes itself.
    """
    constants = {tensor.name for tensor in model.graph.initializer}
    shapes = []
    for value in model.graph.input:
        if value.name in constants:
            continue
        dims = value.type.tensor_type.shape.dim
        sizes = [dim.dim_value for dim in dims]
        if sizes and sizes[0] == 0:
            sizes[0] = batch
        elif sizes and sizes[0] != batch and batch != 1:
            raise OptionError(f"the model takes batches of {sizes[0]}, got --batch {batch}")
        if not all(sizes):
            return []
        shapes.append(tuple(sizes))
    return shapes
