# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""emit.py FILE.mlir TARGET: compiles an imported network to an object file, on standard output."""

from __future__ import annotations

import sys
from pathlib import Path

from pconv_mlir import codegen, compiler, ir, targets
from pconv_mlir.module import Module
from pconv_mlir.parsing import parse


def main(path: str, name: str) -> None:
    target = targets.parse(name)
    lowered = compiler.lower(Module(Path(path).read_text(), {}, [], []), target=target)
    with ir.Context():
        sys.stdout.buffer.write(codegen.emit(parse(lowered.ir), target))


main(*sys.argv[1:])
