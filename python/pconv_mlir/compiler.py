# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The whole way, on one page: model -> importer -> passes -> packed weights and code -> network."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

from . import codegen, ir, packing, pipelines, targets
from .artefact import Artefact
from .checks import check_module
from .errors import OptionError, TargetError
from .manifest import Layer, Manifest, Memory, Slot, Step
from .module import Module, TensorSpec
from .options import CompileOptions
from .parsing import main_function, parse, stage
from .report import layers
from .runtime import Network
from .runtime.network import check_threads
from .targets import Target
from .version import version

_log = logging.getLogger("pconv_mlir")


def compile(
    model: Any,
    inputs: Any = None,
    *,
    target: str | Target = "host",
    num_threads: int | None = None,
    options: CompileOptions | None = None,
) -> Network:
    """Compiles a network.

    Args:
        model: A `torch.nn.Module`, an `ExportedProgram`, the path of an `.onnx` file, an ONNX
            model, or a `Module` at any stage before `packed`.
        inputs: Example inputs, where the model does not say what it takes.
        target: The machine to make code for.
        num_threads: How many threads calls use; by default all processors of this process.
        options: What to switch off.

    Returns:
        The network, ready to be called; or, made for another kind of machine, ready to be saved.

    Raises:
        PConvError: One of its children, see `errors`.
    """
    check_threads(num_threads)  # before the work, not after it
    made = build(model, inputs, target=target, options=options)
    return Network(made, num_threads=num_threads)


def lower(
    module: Module,
    *,
    target: str | Target = "host",
    stop_after: str = "llvm",
    options: CompileOptions | None = None,
) -> Module:
    """Takes a network to a later stage, to be looked at; see `pipelines.STAGES`.

    Args:
        module: The network.
        target: As for `compile`.
        stop_after: The stage.
        options: As for `compile`.

    Raises:
        ModelError: The IR of the network is malformed.
        CompileError: A pass failed.
        OptionError: There is no such stage, or the network is past it.
        TargetError: There is no such target.
    """
    with ir.Context():
        parsed = parse(module.ir)
        _run(parsed, targets.parse(target), _checked(options), stop_after)
        return dataclasses.replace(module, ir=str(parsed))


def describe(
    module: Module, *, target: str | Target = "host", options: CompileOptions | None = None
) -> tuple[Layer, ...]:
    """What the compiler would make of every layer: decides, but makes no code.

    Args:
        module: The network, as imported.
        target: As for `compile`.
        options: As for `compile`.

    Raises:
        ModelError: The IR of the network is malformed.
        CompileError: A pass failed.
        OptionError: The network is past the stage `imported`.
        TargetError: There is no such target.
    """
    with ir.Context():
        parsed = parse(module.ir)
        _run(parsed, targets.parse(target), _checked(options), "placed")
        return layers.describe(parsed, module.weights, module.notes)


def build(
    model: Any,
    inputs: Any = None,
    *,
    target: str | Target = "host",
    options: CompileOptions | None = None,
) -> Artefact:
    """Like `compile`, but stops short of loading the code.

    Arguments and errors are those of `compile`.
    """
    target, options = targets.parse(target), _checked(options)
    module = model if isinstance(model, Module) else _import(model, inputs)
    with ir.Context():
        parsed = parse(module.ir)
        if module is model:  # an importer sees to it for its own modules
            check_module(parsed, module)
        _run(parsed, target, options, "planned")
        plan = str(parsed)
        _run(parsed, target, options, "placed")
        _log.info("packing weights")
        values, indices = packing.pack(parsed, module.weights)
        described = layers.describe(parsed, module.weights, module.notes)
        slots = _slots(parsed, module)
        _run(parsed, target, options, "llvm")
        _log.info("making machine code")
        code = codegen.emit(parsed, target, options.opt_level)
        manifest = Manifest(
            producer=f"pconv-mlir {version()}",
            target=target,
            inputs=slots[0],
            outputs=slots[1],
            memory=Memory(*_arena(parsed), len(values), len(indices)),
            steps=_steps(parsed),
            layers=described,
        )
    return Artefact(manifest, code, values, indices, plan.encode())


def _checked(options: CompileOptions | None) -> CompileOptions:
    if options is None:
        return CompileOptions()
    if not isinstance(options, CompileOptions):
        raise OptionError(f"expected CompileOptions, got {type(options).__name__}")
    return options


def _import(model: Any, inputs: Any) -> Module:
    from .importer import import_model  # who brings a Module needs neither ONNX nor torch

    _log.info("importing")
    return import_model(model, inputs)


def _run(parsed: ir.Module, target: Target, options: CompileOptions, stop_after: str) -> None:
    begin = stage(parsed)
    if begin == "imported" and not options.sparse:
        _forget_zeros(parsed)
    parsed.operation.attributes["pattern.target"] = _attribute(target, parsed.context)
    steps = pipelines.passes(options, begin, stop_after)
    _log.info("running passes up to stage %s", stop_after)
    codegen.run_passes(parsed, steps)


def _attribute(target: Target, context: ir.Context) -> ir.Attribute:
    try:
        return ir.Attribute.parse(target.attribute, context)
    except ir.MLIRError as error:  # a target made by hand
        found = error.error_diagnostics[0].message
        raise TargetError(f"the target {target.name} describes no machine: {found}") from error


def _forget_zeros(parsed: ir.Module) -> None:
    """Declares all weights dense."""
    dense = ir.Attribute.parse("#pattern.dense", parsed.context)
    for op in parsed.body.operations:
        if op.operation.name == "pattern.weights":
            op.attributes["scheme"] = dense
            if "kernels" in op.attributes:
                del op.attributes["kernels"]


def _slots(parsed: ir.Module, module: Module) -> tuple[tuple[Slot, ...], tuple[Slot, ...]]:
    """Inputs and outputs with their places in the arena."""
    main = main_function(parsed)

    def slots(specs: list[TensorSpec], attributes: Any) -> tuple[Slot, ...]:
        places = [ir.DictAttr(entry)["pattern.place"].value for entry in attributes]
        return tuple(
            Slot(spec.name, tuple(spec.shape), place)
            for spec, place in zip(specs, places, strict=True)
        )

    return slots(module.inputs, main.attributes["arg_attrs"]), slots(
        module.outputs, main.attributes["res_attrs"]
    )


def _arena(parsed: ir.Module) -> tuple[int, int]:
    memory = ir.DictAttr(parsed.operation.attributes["pattern.memory"])
    return memory["arena"].value, memory["scratch"].value


def _steps(parsed: ir.Module) -> tuple[Step, ...]:
    return tuple(
        Step(step["layer"].value, step["kind"].value, step["items"].value)
        for step in map(ir.DictAttr, parsed.operation.attributes["pattern.steps"])
    )
