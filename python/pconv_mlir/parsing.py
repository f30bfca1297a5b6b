# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads the IR of a network, whoever wrote it."""

from __future__ import annotations

from typing import Any

from . import ir
from .errors import ModelError


def parse(text: str) -> ir.Module:
    """Parses a module in the current context.

    Raises:
        ModelError: The text is malformed or does not verify.
    """
    try:
        return ir.Module.parse(text)
    except ir.MLIRError as error:
        raise ModelError(f"the IR of the network is malformed: {message(error)}") from error


def main_function(module: ir.Module) -> Any:
    """The function that is the network.

    Raises:
        ModelError: There is none.
    """
    for op in module.body.operations:
        if symbol(op) == "main" and op.operation.name == "func.func" and op.regions[0].blocks:
            return op
    raise ModelError("the IR of the network has no function @main with a body")


def stage(module: ir.Module) -> str:
    """What has been done to the network; see `pipelines.STAGES`."""
    attributes = module.operation.attributes
    return str(attributes["pattern.stage"].value) if "pattern.stage" in attributes else "imported"


def symbol(op: Any) -> str | None:
    """The symbol that an op defines, if it defines one."""
    return op.attributes["sym_name"].value if "sym_name" in op.attributes else None


def message(error: Exception) -> str:
    """The first diagnostic, without the dump of the operation that follows it."""
    diagnostics = error.error_diagnostics if isinstance(error, ir.MLIRError) else []
    return str(diagnostics[0].message if diagnostics else error).partition("\n")[0]
