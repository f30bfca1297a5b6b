# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes networks over from ONNX and PyTorch, and finds the sparsity in their weights."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pconv_mlir.errors import ModelError, ShapeError
from pconv_mlir.module import Module

if TYPE_CHECKING:
    import onnx
    import torch

__all__ = ["import_model"]


def import_model(
    model: str
    | os.PathLike[str]
    | onnx.ModelProto
    | torch.nn.Module
    | torch.export.ExportedProgram
    | Module,
    example_inputs: Sequence[Any] | None = None,
) -> Module:
    """Import a network: its layers into IR at the stage `imported`, its weights as they are.

    How a layer was pruned is found from the zeros of its weights; nothing else about it is needed.
    A model is imported for inference: dropout goes, batch normalisation uses its statistics. The
    weights of a torch model are shared with it, not copied: import it again after changing them.

    Args:
        model: Path of an .onnx file, an ONNX model, a torch module or exported program; or a module
            of ours at the stage `imported`, whose sparsity is then found again.
        example_inputs: Arrays or tensors that the model takes. Needed for a torch module, and for
            an ONNX model that leaves more open than the batch size.

    Raises:
        ModelError: The model cannot be read.
        UnsupportedOpError: The model holds ops that cannot be compiled; the message has all.
        WeightsError: A weight is NaN or infinite, or a layer has no filter left.
        ShapeError: The example inputs do not fit the model.
        DependencyError: torch-mlir is not installed.
    """
    inputs = _as_list(example_inputs)
    if isinstance(model, Module):
        from pconv_mlir.importer.sparsity import refresh

        return refresh(model)
    if isinstance(model, (str, os.PathLike)) or _is_a(model, "onnx", "ModelProto"):
        from pconv_mlir.importer.onnx import import_onnx

        shapes = None if inputs is None else [tuple(x.shape) for x in inputs]
        return import_onnx(model, shapes)
    if _is_a(model, "torch.nn", "Module") or _is_a(model, "torch.export", "ExportedProgram"):
        from pconv_mlir.importer.torch import import_torch

        return import_torch(model, inputs)
    raise ModelError(
        "expected an .onnx file, an ONNX model, a torch module or exported program, got "
        f"{type(model).__name__}"
    )


def _as_list(inputs: Any) -> list[Any] | None:
    """One array stands for a list of one."""
    if inputs is None or hasattr(inputs, "shape"):
        return None if inputs is None else [inputs]
    if not isinstance(inputs, Sequence) or not all(hasattr(x, "shape") for x in inputs):
        raise ShapeError("expected example inputs as a list of arrays or tensors")
    return list(inputs)


def _is_a(value: object, module: str, name: str) -> bool:
    """`isinstance`, without importing a module for it."""
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(value, kind)
