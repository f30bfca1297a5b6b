# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes an ONNX model over, through torch-mlir's ONNX importer.

torch-mlir turns the nodes into MLIR ops of the torch dialect (`torch.operator "onnx.Conv"`), which
are walked here; it does not need torch for that. Weights never pass through it: to the imported
function they are arguments.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pconv_mlir import ir
from pconv_mlir.errors import DependencyError, ModelError
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import Constant
from pconv_mlir.importer.operands import imported_shape
from pconv_mlir.importer.report import UnsupportedOps, malformed
from pconv_mlir.module import Module

if TYPE_CHECKING:
    import onnx

    from pconv_mlir.importer.onnx_file import Graph


def import_onnx(
    source: str | os.PathLike[str] | onnx.ModelProto,
    shapes: Sequence[Sequence[int]] | None = None,
) -> Module:
    """Import an ONNX model; see `pconv_mlir.importer.import_model`.

    Args:
        source: A file, or a model in memory.
        shapes: Of the inputs, for a model that leaves some sizes open.
    """
    try:
        from torch_mlir.extras import onnx_importer
    except ImportError as error:
        raise DependencyError(
            f"importing ONNX models needs {error.name}: pip install 'pconv-mlir[onnx]'"
        ) from error
    from pconv_mlir.importer.onnx_file import read_graph
    from pconv_mlir.importer.onnx_layers import LAYERS

    with malformed("the model"):
        graph = read_graph(source, shapes)
        del source  # half of the memory, where nobody else holds it
        for node in graph.model.graph.node:
            if node.op_type not in LAYERS:
                del node.attribute[:]  # may be anything, also whole graphs
        module = _Walk(_torch_module(onnx_importer, graph.model), graph).module()
    module.notes.update(graph.notes)
    return module


def _torch_module(onnx_importer: Any, model: onnx.ModelProto) -> Any:
    from torch_mlir import ir as torch_ir
    from torch_mlir.dialects import torch as torch_dialect

    context = torch_ir.Context()
    torch_dialect.register_dialect(context)
    info = onnx_importer.ModelInfo(model)
    module = info.create_module(context=context)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # results of unknown ops have no type
        onnx_importer.NodeImporter.define_function(info.main_graph, module.operation).import_all()
    return module


class _Walk:
    """Emits the ops of the imported function one by one."""

    def __init__(self, imported: Any, graph: Graph) -> None:
        self._imported = imported  # keeps the ops alive
        self._block = imported.body.operations[0].regions[0].blocks[0]
        self._graph = graph
        self._emitter = Emitter(graph.inputs)
        self._unsupported = UnsupportedOps()
        self._opset = next(
            (entry.version for entry in graph.model.opset_import if not entry.domain), 0
        )
        # What each value of the imported function is here; None where that is not known, because
        # an unsupported op makes it.
        self._values: dict[Any, ir.Value | Constant | None] = dict(
            zip(
                self._block.arguments,
                [*self._emitter.inputs, *graph.constants.values()],
                strict=True,
            )
        )

    def module(self) -> Module:
        for op in self._block.operations:
            if op.operation.name == "func.return":
                self._unsupported.raise_if_any()
                return self._emitter.finish(self._outputs(op), self._graph.outputs)
            self._visit(op.operation)
        raise ModelError("the network does not return")

    def _visit(self, op: Any) -> None:
        from pconv_mlir.importer.onnx_layers import LAYERS

        name = op.attributes["name"].value if "name" in op.attributes else op.name
        kind, layer = name.removeprefix("onnx."), op.location.name_str
        if name == "torch.constant.none":
            self._values[op.result] = None
            return
        for result in op.results:
            self._values[result] = None
        result = None
        try:
            if kind not in LAYERS:
                self._unsupported.add(kind, layer)
            elif all(self._values[v] is not None or _is_none(v) for v in op.operands):
                result = LAYERS[kind](self._emitter, self._node(op, kind, layer))
        except Unsupported as error:
            self._unsupported.add(kind, layer, str(error))
        if result is None and (shape := imported_shape(op.results[0])) is not None:
            result = self._emitter.unknown(shape)
        self._values[op.results[0]] = result

    def _node(self, op: Any, kind: str, layer: str) -> Any:
        from pconv_mlir.importer.onnx_node import Node

        prefix = "torch.onnx."
        attributes = {
            name.removeprefix(prefix): _python(op.attributes[name])
            for name in op.attributes
            if name.startswith(prefix)
        }
        inputs = [self._values[value] for value in op.operands]
        used = [next(iter(result.uses), None) is not None for result in op.results]
        return Node(kind, layer, inputs, used, attributes, self._opset)

    def _outputs(self, op: Any) -> list[ir.Value]:
        outputs = []
        for name, value in zip(self._graph.outputs, op.operands, strict=True):
            output = self._values[value]
            if output is None or isinstance(output, Constant):
                raise ModelError(f"the output {name!r} does not depend on the input")
            outputs.append(output)
        return outputs


def _is_none(value: Any) -> bool:
    """Whether this stands for an optional input that was left out."""
    return str(value.type) == "!torch.none" and value.owner.name == "torch.constant.none"


def _python(attribute: Any) -> Any:
    """A number, a text or a list of these; for anything else the attribute itself."""
    if hasattr(attribute, "value"):
        return attribute.value
    try:
        return [_python(element) for element in attribute]
    except TypeError:
        return attribute
