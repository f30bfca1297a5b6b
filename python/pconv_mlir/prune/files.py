# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The kinds of model files that are written: ONNX and safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pconv_mlir import container
from pconv_mlir.errors import OptionError

if TYPE_CHECKING:
    import onnx

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


def write_model(path: str | Path, model: onnx.ModelProto) -> None:
    """Write an ONNX file, whole or not at all.

    Raises:
        ArtefactError: The file cannot be written.
    """
    with container.write_atomically(path) as file:
        file.write(model.SerializeToString())
