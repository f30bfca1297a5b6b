# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads an ONNX model into a graph without constants, and the constants as NumPy arrays.

Parameters, constant nodes and whatever can be computed from these (shape arithmetic, transposed
weights) become arrays; what is left are the layers, with static shapes.
"""

from __future__ import annotations

import ast
import contextlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.inliner
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from pconv_mlir.errors import ModelError, ShapeError
from pconv_mlir.importer.graph import Constant
from pconv_mlir.importer.report import malformed
from pconv_mlir.module import TensorSpec

# Ops that are computed here when all of their inputs are constant.
_ARITHMETIC = ("Add", "Sub", "Mul", "Div", "Neg", "Sqrt", "Floor", "Ceil", "Round", "Cast")
_MOVES = ("Gather", "Slice", "Concat", "Reshape", "Squeeze", "Unsqueeze", "Transpose")
_FOLDABLE = frozenset((*_ARITHMETIC, *_MOVES, "Identity", "Shape", "Size"))
_SMALL = 1024  # elements of a constant that shape inference may want to see
_ROUNDS = 8  # of shape inference and folding, which feed each other
# All that is computed may have this many elements for each one of the file, and so many more: a
# small file cannot exhaust the memory.
_GROWTH, _SPARE = 4, 1 << 20


@dataclass
class Graph:
    """The layers of a model.

    Args:
        model: Nodes only, each named like its layer; constants are inputs of the graph, after
            those of the network.
        constants: By the name of the value.
        inputs: What the network takes.
        outputs: Names of its results.
        notes: What had to be assumed, by input.
    """

    model: onnx.ModelProto
    constants: dict[str, Constant]
    inputs: list[TensorSpec]
    outputs: list[str]
    notes: dict[str, str]


def read_graph(
    source: str | os.PathLike[str] | onnx.ModelProto, shapes: Sequence[Sequence[int]] | None
) -> Graph:
    """Read and check a model.

    Args:
        source: A file, or a model in memory (which stays as it is).
        shapes: Of the inputs, for a model that leaves some sizes open.

    Raises:
        ModelError: The file is missing, truncated or malformed.
        ShapeError: `shapes` contradict the model.
    """
    folder = ""
    if not isinstance(source, onnx.ModelProto):
        folder = str(Path(source).parent)
        source = _load(Path(source))
    return _Reader(source, folder).read(shapes)


def _load(path: Path) -> onnx.ModelProto:
    if not path.is_file():
        raise ModelError(f"there is no file {str(path)!r}")
    model = onnx.ModelProto()
    try:
        model.ParseFromString(path.read_bytes())
    except Exception as error:  # the error class of protobuf differs between its versions
        raise ModelError(f"{str(path)!r} is no ONNX file, or it is truncated") from error
    return model


class _Reader:
    def __init__(self, model: onnx.ModelProto, folder: str) -> None:
        self.source = model
        self.folder = folder
        self.constants: dict[str, NDArray[Any]] = {}
        self.notes: dict[str, str] = {}
        self.room = 0  # elements that may still be computed

    def read(self, shapes: Sequence[Sequence[int]] | None) -> Graph:
        graph = self.source.graph
        if not graph.node or not graph.output:
            raise ModelError("the model holds no network: it has no nodes or no outputs")
        if graph.sparse_initializer:
            raise ModelError("sparse initializers are not read: save the weights as dense tensors")
        for tensor in graph.initializer:
            self.constants[tensor.name] = self._array(tensor)
        inputs = [value for value in graph.input if value.name not in self.constants]
        self.inputs = self._specs(inputs, shapes)
        nodes = self._inline()
        self.room = _SPARE + _GROWTH * sum(values.size for values in self.constants.values())
        onnx.checker.check_model(self._model(nodes, [*map(_value_of, self.inputs)], small=True))
        nodes = self._fold(nodes)
        for node in nodes:
            node.name = layer_name(node)
        model = self._model(nodes, self._infer(nodes), small=False)
        return Graph(
            model,
            {name: Constant(name, values) for name, values in self.constants.items()},
            self.inputs,
            [value.name for value in graph.output],
            self.notes,
        )

    def _array(self, tensor: onnx.TensorProto) -> NDArray[Any]:
        """The values of a tensor: for raw data a view of one copy of the bytes."""
        if tensor.data_location == TensorProto.EXTERNAL and not self.folder:
            raise ModelError(f"the weight {tensor.name!r} lies in another file: pass the path")
        if any(n < 0 for n in tensor.dims):
            raise ModelError(f"the weight {tensor.name!r} has the shape {list(tensor.dims)}")
        with malformed(f"the weight {tensor.name!r}"):
            values: NDArray[Any] = numpy_helper.to_array(tensor, self.folder)
            return values

    def _specs(
        self, values: list[onnx.ValueInfoProto], shapes: Sequence[Sequence[int]] | None
    ) -> list[TensorSpec]:
        """Static shapes of the inputs; an open batch size is taken as 1."""
        if shapes is not None and len(shapes) != len(values):
            raise ShapeError(f"the model has {len(values)} inputs, got {len(shapes)} examples")
        specs = []
        for index, value in enumerate(values):
            tensor = value.type.tensor_type
            if tensor.elem_type != TensorProto.FLOAT:
                raise ModelError(
                    f"the input {value.name!r} is {_type_name(tensor.elem_type)}: only networks on "
                    "float32 work, so export the model in single precision"
                )
            declared = [d.dim_value if d.HasField("dim_value") else 0 for d in tensor.shape.dim]
            if not tensor.HasField("shape") or any(n < 0 for n in declared):
                raise ModelError(f"the input {value.name!r} has no valid shape")
            given = None if shapes is None else [int(n) for n in shapes[index]]
            specs.append(TensorSpec(value.name, self._shape(value.name, declared, given)))
        return specs

    def _shape(self, name: str, declared: list[int], given: list[int] | None) -> tuple[int, ...]:
        if given is not None:
            fits = len(given) == len(declared)
            if not fits or any(d not in (0, g) for d, g in zip(declared, given, strict=True)):
                raise ShapeError(
                    f"the input {name!r} of the model has the shape {declared} (0: open), the "
                    f"example {given}"
                )
            return tuple(given)
        if declared and declared[0] == 0:
            self.notes[name] = "the model leaves the batch size open: taken as 1"
            declared = [1, *declared[1:]]
        if 0 in declared:
            raise ModelError(
                f"the input {name!r} has the shape {declared} (0: open): give example inputs, or "
                "--shape on the command line"
            )
        return tuple(declared)

    def _inline(self) -> list[onnx.NodeProto]:
        """Copies of the nodes, with local functions expanded and constant nodes taken out."""
        nodes = list(self.source.graph.node)
        if self.source.functions:
            model = self._model(nodes, [], small=False)
            model.functions.extend(self.source.functions)
            nodes = list(onnx.inliner.inline_local_functions(model).graph.node)
        rest = []
        for node in nodes:
            values = self._constant_node(node) if node.op_type == "Constant" else None
            if values is None:
                rest.append(onnx.NodeProto())
                rest[-1].CopyFrom(node)
            else:
                self.constants[node.output[0]] = values
        return rest

    def _constant_node(self, node: onnx.NodeProto) -> NDArray[Any] | None:
        attribute = node.attribute[0] if len(node.attribute) == 1 else None
        if attribute is None or len(node.output) != 1:
            return None
        value = helper.get_attribute_value(attribute)
        match attribute.name:
            case "value":
                return self._array(value)
            case "value_float" | "value_floats":
                return np.asarray(value, np.float32)
            case "value_int" | "value_ints":
                return np.asarray(value, np.int64)
        return None

    def _fold(self, nodes: list[onnx.NodeProto]) -> list[onnx.NodeProto]:
        """Compute what depends on constants and shapes alone."""
        for _ in range(_ROUNDS):
            shapes = {
                value.name: [d.dim_value for d in value.type.tensor_type.shape.dim]
                for value in self._infer(nodes)
                if value.type.tensor_type.HasField("shape")
            }
            rest = [node for node in nodes if not self._computed(node, shapes)]
            if len(rest) == len(nodes):
                break
            nodes = rest
        return nodes

    def _computed(self, node: onnx.NodeProto, shapes: dict[str, list[int]]) -> bool:
        """Whether the node's result is a constant now."""
        if node.domain not in ("", "ai.onnx") or node.op_type not in _FOLDABLE:
            return False
        known = [name for name in node.input if name]
        if node.op_type in ("Shape", "Size") and known[0] not in self.constants:
            shape = shapes.get(known[0], [0])
            if 0 in shape:
                return False
            # Its values do not matter, and this takes no memory.
            feeds = {known[0]: np.broadcast_to(np.float32(0), shape)}
        elif all(name in self.constants for name in known):
            feeds = {name: self.constants[name] for name in known}
        else:
            return False
        if node.op_type == "Identity":
            self.constants[node.output[0]] = feeds[known[0]]
            return True
        if (size := _most_elements(node, [feeds[name] for name in known])) > self.room:
            return False
        self.room -= size
        from onnx.reference import ReferenceEvaluator

        graph = helper.make_graph(
            [node],
            "constant",
            [helper.make_empty_tensor_value_info(name) for name in feeds],
            [helper.make_empty_tensor_value_info(node.output[0])],
        )
        model = helper.make_model(graph, opset_imports=self.source.opset_import)
        with np.errstate(all="ignore"):
            (result,) = ReferenceEvaluator(model).run(None, feeds)
        self.constants[node.output[0]] = np.asarray(result)
        return True

    def _infer(self, nodes: list[onnx.NodeProto]) -> list[onnx.ValueInfoProto]:
        """Types of all values that are not constant, the network's inputs first."""
        inputs = [_value_of(spec) for spec in self.inputs]
        model = onnx.shape_inference.infer_shapes(
            self._model(nodes, inputs, small=True), data_prop=True
        )
        return [*inputs, *model.graph.value_info, *model.graph.output]

    def _model(
        self, nodes: list[onnx.NodeProto], values: list[onnx.ValueInfoProto], *, small: bool
    ) -> onnx.ModelProto:
        """A model of these nodes, with its constants as inputs; with `small`, small ones inside.

        `values` are the network's inputs and, after them, types of other values.
        """
        names = {spec.name for spec in self.inputs}
        model = onnx.ModelProto(ir_version=self.source.ir_version)
        model.opset_import.extend(self.source.opset_import)
        graph = model.graph
        graph.name = "main"
        graph.node.extend(nodes)
        outputs = {value.name for value in self.source.graph.output}
        types = {value.name: value for value in values}
        for value in values:
            if value.name in names:
                graph.input.append(value)
            elif value.name not in outputs:
                graph.value_info.append(value)
        for value in self.source.graph.output:
            output = graph.output.add()
            output.CopyFrom(types.get(value.name, value))
            if value.name not in types:  # may be declared for another batch size
                for dimension in output.type.tensor_type.shape.dim:
                    dimension.Clear()
        for name, array in self.constants.items():
            if small and array.size <= _SMALL:
                graph.initializer.append(numpy_helper.from_array(array, name))
            else:
                element = helper.np_dtype_to_tensor_dtype(array.dtype)
                graph.input.append(helper.make_tensor_value_info(name, element, array.shape))
        return model


def layer_name(node: onnx.NodeProto) -> str:
    """The layer that a node belongs to in the user's model.

    The module path, where the exporter left one: in the name of a parameter
    (`features.0.weight` -> `features.0`), in the scopes that torch's exporter notes, or in a node
    name such as `/layer1/layer1.0/relu/Relu` (-> `layer1.0.relu`). Else the name of the node, or of
    its result.
    """
    for name in node.input[1:]:
        layer, _, parameter = name.rpartition(".")
        if layer and parameter in ("weight", "running_mean"):
            return str(layer)
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes":
            with contextlib.suppress(ValueError, SyntaxError, TypeError, IndexError):
                scope = ast.literal_eval(entry.value)[-2]
                if scope:
                    return str(scope)
    if node.name.startswith("/") and node.name.count("/") > 1:
        return _module_path(node.name.strip("/").split("/")[:-1])
    return str(node.name.lstrip("/") or next(iter(node.output), "") or node.op_type)


def _module_path(parts: Sequence[str]) -> str:
    """`layer1`, `layer1.0`, `relu` -> `layer1.0.relu`.

    In the names of torch's older exporter a list repeats its own name before the index.
    """
    path: list[str] = []
    for part in parts:
        if path and part.startswith(f"{path[-1]}."):
            path.pop()
        path.append(part)
    return ".".join(path)


def _value_of(spec: TensorSpec) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(spec.name, TensorProto.FLOAT, spec.shape)


def _type_name(element: int) -> str:
    try:
        return str(TensorProto.DataType.Name(element).lower())
    except ValueError:
        return f"of the unknown element type {element}"


def _most_elements(node: onnx.NodeProto, inputs: list[NDArray[Any]]) -> int:
    """An upper bound for the result of a foldable op.

    Raises:
        ValueError: The shapes do not fit.
    """
    if node.op_type in ("Shape", "Size"):
        return max(1, inputs[0].ndim)
    if node.op_type in _ARITHMETIC:
        return math.prod(np.broadcast_shapes(*(values.shape for values in inputs)))
    if node.op_type == "Gather":
        return inputs[0].size * inputs[1].size
    return sum(values.size for values in inputs)
