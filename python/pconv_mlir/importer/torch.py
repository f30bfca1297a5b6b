# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes a PyTorch model over, through torch.export and torch-mlir's FX importer.

The exported program is made functional, but its ops stay whole (`conv2d`, `linear`, batch
normalisation); torch-mlir turns them into MLIR ops of the torch dialect, which are walked here.
Weights never pass through it: a hook puts an op with their name in their place.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pconv_mlir import ir
from pconv_mlir.errors import DependencyError, ModelError, ShapeError
from pconv_mlir.importer.emitter import Emitter, Unsupported
from pconv_mlir.importer.graph import Constant
from pconv_mlir.importer.operands import Operands, imported_shape
from pconv_mlir.importer.report import UnsupportedOps, malformed
from pconv_mlir.importer.torch_folding import fold
from pconv_mlir.importer.torch_layers import LAYERS
from pconv_mlir.modes import modes_kept
from pconv_mlir.module import Module, TensorSpec

_KEY = "pconv.key"  # attribute of the op that stands for a weight
_UNKNOWN = object()  # what an unsupported op makes


def import_torch(model: Any, inputs: Sequence[Any] | None = None) -> Module:
    """Import a torch module or exported program; see `pconv_mlir.importer.import_model`.

    Args:
        model: A `torch.nn.Module` or `torch.export.ExportedProgram`.
        inputs: Tensors or arrays that the model takes; a program has them already.
    """
    try:
        import torch
        import torch_mlir.fx as torch_mlir_fx
    except ImportError as error:
        raise DependencyError(
            f"importing torch models needs {error.name}: pip install 'pconv-mlir[torch]'"
        ) from error
    program = model
    if isinstance(model, torch.nn.Module):
        program = _export(model, inputs)
    with malformed("the exported program"), _quiet():
        program = program.run_decompositions({})
        specs = _inputs(program, inputs)
        constants = {
            id(tensor): Constant(name, tensor.detach().cpu().numpy())
            for name, tensor in {**program.constants, **program.state_dict}.items()
            if isinstance(tensor, torch.Tensor) and tensor.dtype == torch.float32
        }
        _name_locations(program.graph)
        imported = torch_mlir_fx.export_and_import(
            program, output_type="raw", decomposition_table={}, hooks=_hooks(constants)
        )
        names = list(program.graph_signature.user_outputs)
        by_name = {constant.name: constant for constant in constants.values()}
        return _Walk(imported, specs, by_name).module(names)


def _export(model: Any, inputs: Sequence[Any] | None) -> Any:
    """Export for inference; the model is in the same mode afterwards."""
    import torch

    if any(getattr(module, "prunes", False) for module in model.modules()):
        raise ModelError("the model still wears masks: call squash_mask() of its pruner first")
    if inputs is None:
        raise ModelError("a torch module needs example inputs, to know their shapes")
    tensors = tuple(torch.as_tensor(x) for x in inputs)
    try:
        with modes_kept(model), _quiet():
            model.eval()
            return torch.export.export(model, tensors, strict=False)
    except Exception as error:  # anything can happen in a user's forward
        text = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"torch.export cannot export the model: {text}") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings of torch about its own insides."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _inputs(program: Any, examples: Sequence[Any] | None) -> list[TensorSpec]:
    """What the program takes.

    Raises:
        ModelError: An input is no float32 tensor, or has no static shape.
        ShapeError: The example inputs have other shapes.
    """
    import torch

    names = set(program.graph_signature.user_inputs)
    specs = []
    for node in program.graph.nodes:
        if node.op != "placeholder" or node.name not in names:
            continue
        value = node.meta["val"]
        if not isinstance(value, torch.Tensor) or value.dtype != torch.float32:
            kind = getattr(value, "dtype", type(value).__name__)
            raise ModelError(f"the input {node.name!r} is {kind}: only networks on float32 work")
        if not all(isinstance(n, int) for n in value.shape):
            raise ModelError(f"the input {node.name!r} has an open size: export with static shapes")
        specs.append(TensorSpec(node.name, tuple(value.shape)))
    shapes = [spec.shape for spec in specs]
    given = shapes if examples is None else [tuple(x.shape) for x in examples]
    if given != shapes:
        raise ShapeError(f"the program takes inputs of shape {shapes}, the examples have {given}")
    return specs


def _name_locations(graph: Any) -> None:
    """Hand the layer of each op over as its location, which torch-mlir takes from stack traces."""
    for node in graph.nodes:
        layer = layer_name(node).replace('"', "'")
        node.meta["stack_trace"] = f'File "{layer}", line 1, in forward'


def layer_name(node: Any) -> str:
    """The layer that a node belongs to: the path of its module, with the op where it is not alone.

    `features.0` for a layer of torch.nn, `layer1.0.add` for an addition in a block of the user's,
    the name of the node where there is no module.
    """
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    path, kind = stack[-1] if stack else ("", "")
    if not path:
        return str(node.name)
    kind = kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"
    if kind.startswith("torch.nn.modules."):
        return str(path)
    op = str(node.target).removeprefix("aten.").split(".")[0]
    return f"{path}.{op}"


def _hooks(constants: Mapping[int, Constant]) -> Any:
    """Hooks that put the name of a weight in its place."""
    from torch_mlir import ir as torch_ir
    from torch_mlir.extras.fx_importer import FxImporterHooks

    class Hooks(FxImporterHooks):  # type: ignore[misc]
        def resolve_literal(self, node_importer: Any, literal: Any, info: Any) -> Any:
            constant = constants.get(id(literal))
            if constant is None:
                return None  # no weight: torch-mlir makes a literal of it
            sizes = ",".join(map(str, constant.values.shape))
            kind = torch_ir.Type.parse(f"!torch.vtensor<[{sizes}],f32>")
            names = {"name": "pconv.weight", _KEY: constant.name}
            attributes = {key: torch_ir.StringAttr.get(name) for key, name in names.items()}
            return torch_ir.Operation.create(
                "torch.operator", results=[kind], attributes=attributes
            ).result

    return Hooks()


class _Walk:
    """Emits the ops of the imported function one by one."""

    def __init__(
        self, imported: Any, specs: list[TensorSpec], constants: Mapping[str, Constant]
    ) -> None:
        self._imported = imported  # keeps the ops alive
        self._block = imported.body.operations[0].regions[0].blocks[0]
        self._constants = constants
        self._emitter = Emitter(specs)
        self._unsupported = UnsupportedOps()
        # What each value of the imported function is here: a value of the network, a constant, a
        # number, text, list or None.
        self._values: dict[Any, Any] = dict(
            zip(self._block.arguments, self._emitter.inputs, strict=True)
        )

    def module(self, names: Sequence[str]) -> Module:
        for op in self._block.operations:
            if op.operation.name == "func.return":
                self._unsupported.raise_if_any()
                outputs = [self._values[value] for value in op.operation.operands]
                for name, output in zip(names, outputs, strict=True):
                    if not isinstance(output, ir.Value):
                        raise ModelError(f"the output {name!r} does not depend on the input")
                return self._emitter.finish(outputs, names)
            self._visit(op.operation)
        raise ModelError("the network does not return")

    def _visit(self, op: Any) -> None:
        attributes = op.attributes
        inputs = [self._values[value] for value in op.operands]
        for result in op.results:
            self._values[result] = _UNKNOWN
        match op.name:
            case "torch.constant.none":
                self._values[op.result] = None
            case "torch.prim.ListConstruct":
                known = _UNKNOWN not in [v for v in inputs if not isinstance(v, ir.Value)]
                self._values[op.result] = inputs if known else _UNKNOWN
            case name if name.startswith("torch.constant."):
                self._values[op.result] = attributes["value"].value
            case "torch.operator" if _KEY in attributes:
                self._values[op.result] = self._constants[attributes[_KEY].value]
            case "torch.vtensor.literal":
                pass  # no float32; an op that needs it will say so
            case _ if op.results:  # without results it only checks something
                self._layer(op, inputs)

    def _layer(self, op: Any, inputs: list[Any]) -> None:
        name = op.attributes["name"].value if op.name == "torch.operator" else op.name
        name, layer = name.removeprefix("torch."), _location(op)
        used = [next(iter(result.uses), None) is not None for result in op.results]
        operands = Operands(name, layer, inputs, used)
        result: Any = _UNKNOWN
        try:
            if any(value is _UNKNOWN for value in inputs):
                if name not in LAYERS:
                    self._unsupported.add(name, layer)
            elif (folded := fold(operands)) is not None:
                result = folded
            elif name in LAYERS:
                result = LAYERS[name](self._emitter, operands)
            else:
                self._unsupported.add(name, layer)
        except Unsupported as error:
            self._unsupported.add(name, layer, str(error))
        if result is _UNKNOWN and (shape := imported_shape(op.results[0])) is not None:
            result = self._emitter.unknown(shape)
        self._values[op.results[0]] = result


def _location(op: Any) -> str:
    """The layer, which stands in the place of a file name."""
    text = str(op.location)
    return text.split('"')[1] if '"' in text else text
