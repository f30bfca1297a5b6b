# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The passes one by one, as functions on a `Module`: for experiments and tests.

`compiler.lower` runs them in the right order; here nobody checks it but the passes themselves. All
take a network that they do not change and raise what `run` raises.
"""

from __future__ import annotations

import dataclasses

from . import codegen, ir
from .module import Module
from .parsing import parse
from .pipelines import Pass


def run(module: Module, flag: str, **options: str | int | bool) -> Module:
    """Runs any registered pass.

    Args:
        module: A network at any stage; it is not changed.
        flag: The pass as `pconv-opt` calls it, without dashes: `pattern-fuse-layers`.
        options: Its options, with `_` for `-`.

    Raises:
        CompileError: The pass failed; the message says how to repeat it.
        OptionError: There is no such pass, or it has no such option.
        ModelError: The IR of the module is malformed.
    """
    words = [f"{name.replace('_', '-')}={_text(value)}" for name, value in options.items()]
    text = f"{flag}{{{' '.join(words)}}}" if words else flag
    with ir.Context():
        parsed = parse(module.ir)
        codegen.run_passes(parsed, [Pass("", text)])
        return dataclasses.replace(module, ir=str(parsed))


def fuse_layers(
    module: Module,
    *,
    batch_norm: bool = True,
    residual: bool = True,
    activation: bool = True,
    pooling: bool = True,
) -> Module:
    """Folds batch norm, residual, activation and pooling into their producers."""
    return run(
        module,
        "pattern-fuse-layers",
        batch_norm=batch_norm,
        residual=residual,
        activation=activation,
        pooling=pooling,
    )


def reorder_filters(module: Module, *, reorder: bool = True, similarity: bool = True) -> Module:
    """Puts similar filters side by side; without `similarity`, only filters of one length."""
    return run(module, "pattern-reorder-filters", reorder=reorder, similarity=similarity)


def assign_layouts(module: Module) -> Module:
    """Stores activations as planes with a border."""
    return run(module, "pattern-assign-layouts")


def assign_schedules(module: Module) -> Module:
    """Chooses the loops of every layer with weights."""
    return run(module, "pattern-assign-schedules")


def eliminate_redundant_loads(module: Module, *, eliminate: bool = True) -> Module:
    """Decides which inputs are loaded once and who uses them."""
    return run(module, "pattern-eliminate-redundant-loads", eliminate=eliminate)


def pack_weights(module: Module) -> Module:
    """Lays out the packed weights."""
    return run(module, "pattern-pack-weights")


def plan_memory(module: Module) -> Module:
    """Places every activation in one arena."""
    return run(module, "pattern-plan-memory")


def convert_to_vector(module: Module) -> Module:
    """Lowers a placed network to vector, scf and memref."""
    return run(module, "convert-pattern-to-vector")


def convert_to_linalg(module: Module) -> Module:
    """Gives a network its dense meaning, as linalg on tensors."""
    return run(module, "convert-pattern-to-linalg")


def convert_from_linalg(module: Module) -> Module:
    """Finds layers in a network of linalg ops."""
    return run(module, "convert-linalg-to-pattern")


def verify_stage(module: Module, stage: str = "") -> Module:
    """Checks the promises of a stage: by default the one that the module says it is in."""
    return run(module, "pattern-verify-stage", **({"stage": stage} if stage else {}))


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
