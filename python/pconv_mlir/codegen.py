# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running passes, and machine code from the LLVM dialect: the calls into MLIR and LLVM."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import ir, passmanager, pipelines
from ._mlir_libs import _pconv
from .errors import CompileError, OptionError
from .parsing import message
from .pipelines import Pass
from .targets import Target


def run_passes(module: ir.Module, passes: Sequence[Pass]) -> None:
    """Runs passes in place, one after the other.

    Raises:
        CompileError: A pass failed. The message names the pass, the layer, a folder with the input
            of that pass, and the command that repeats the failure.
    """
    before = str(module)
    for index, step in enumerate(passes):
        try:
            _manager(module.context, [step]).run(module.operation)
        except ir.MLIRError as error:
            with module.context:
                raise _failure(before, passes[:index], step, error) from error


def emit(module: ir.Module, target: Target, opt_level: int = 3, *, assembly: bool = False) -> bytes:
    """Compiles a module of the LLVM dialect to an object file, or to assembly text.

    Raises:
        CompileError: LLVM cannot; the message names a file with the module.
    """
    try:
        return bytes(
            _pconv.emit_object(
                module.operation,
                target.triple,
                target.cpu,
                target.features,
                opt_level,
                assembly,
            )
        )
    except ValueError as error:
        path = _write_reproducer(str(module), str(error))
        raise CompileError(
            f"LLVM made no code for {target.name}: {message(error)}; its input is in {path}"
        ) from error


def _manager(context: ir.Context, steps: Sequence[Pass]) -> passmanager.PassManager:
    text = pipelines.text(step.text for step in steps)
    try:
        return passmanager.PassManager.parse(text, context)
    except ValueError as error:
        raise OptionError(f"no pass or option of this kind: {message(error)}") from error


def _failure(before: str, done: Sequence[Pass], step: Pass, error: ir.MLIRError) -> CompileError:
    """Writes down the IR that a pass failed on.

    Printing it before every pass would cost more than to run the passes before it again.
    """
    module = ir.Module.parse(before)
    if done:
        _manager(module.context, done).run(module.operation)
    reason = message(error)
    path = _write_reproducer(str(module), f"{error}\n")
    line = f"pconv-opt {path} --pass-pipeline='{pipelines.text([step.text])}'"
    name = step.text.partition("{")[0]
    layer = re.search(r'layer = "((?:[^"\\]|\\.)*)"', str(error))
    return CompileError(
        f"{name} failed: {reason}; reproduce it with: {line}", layer=layer[1] if layer else None
    )


def _write_reproducer(text: str, message: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="pconv-reproducer-"))
    (folder / "error.txt").write_text(message)
    (folder / "input.mlir").write_text(text)
    return folder / "input.mlir"
