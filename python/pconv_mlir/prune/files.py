# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights from model files, and into them: ONNX and safetensors. Nothing in a file is executed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from pconv_mlir import container, models, sources
from pconv_mlir.errors import OptionError
from pconv_mlir.prune.tensor_file import read_tensors

if TYPE_CHECKING:
    import onnx

Weights = dict[str, NDArray[Any]]
SUFFIXES = (".onnx", ".safetensors")


def check_suffix(path: str | Path) -> str:
    """The kind of file that a name stands for.

    Raises:
        OptionError: It is none of `SUFFIXES`.
    """
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        raise OptionError(f"expected a name that ends with {' or '.join(SUFFIXES)}, got {path}")
    return suffix


def read_weights(path: str | Path) -> Weights:
    """The weights in an ONNX or safetensors file, by name.

    Raises:
        OptionError: The file's name ends with neither.
        ModelError: There is no such file, or it is damaged.
        DependencyError: The package `onnx` is needed and not installed.
    """
    if check_suffix(path) == ".onnx":
        return models.weights(sources.find(str(path)).model)
    return read_tensors(path)[0]


def write_model(path: str | Path, model: onnx.ModelProto) -> None:
    """Write an ONNX file, whole or not at all.

    Raises:
        ArtefactError: The file cannot be written.
    """
    with container.write_atomically(path) as file:
        file.write(model.SerializeToString())
