# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the dense meaning that the compiler gives a network: linalg, as loops, as machine code.

Nothing between `convert-pattern-to-linalg` and the instructions is ours, so that a mistake of the
sparse compiler cannot hide here.
"""

from __future__ import annotations

import ctypes
import re
import threading

import numpy as np
from numpy.typing import NDArray
from pconv_mlir._mlir_libs import _pconv

from pconv_mlir import ir, passmanager, targets
from pconv_mlir.module import Module
from pconv_mlir.runtime import Code

TO_BUFFERS = (
    "convert-pattern-to-linalg,one-shot-bufferize{bufferize-function-boundaries=1 "
    "function-boundary-type-conversion=identity-layout-map},buffer-results-to-out-params{"
    "hoist-static-allocs=1 modify-public-functions=1}"
)
# The loader knows no malloc, so buffers live on the stack.
TO_LLVM = (
    "convert-linalg-to-loops,func.func(promote-buffers-to-stack{max-alloc-size-in-bytes=1000000000}"
    "),canonicalize,expand-strided-metadata,lower-affine,convert-math-to-libm,convert-scf-to-cf,"
    "convert-arith-to-llvm,finalize-memref-to-llvm,convert-func-to-llvm{"
    "use-bare-ptr-memref-call-conv=1},convert-cf-to-llvm,reconcile-unrealized-casts"
)
COPY = re.compile(r"memref\.copy (%\S+), (%\S+) : (memref<.*>) to (memref<.*>)")
STACK = 1 << 28  # bytes


def run(network: Module, *inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """One array per output of `@main`.

    `Module.weights` gives the arguments that the conversion adds.
    """
    with ir.Context():
        parsed = ir.Module.parse(network.ir)
        _apply(TO_BUFFERS, parsed)
        # Copies of strided buffers would be calls of an MLIR run-time library.
        parsed = ir.Module.parse(COPY.sub(r"linalg.copy ins(\1 : \3) outs(\2 : \4)", str(parsed)))
        names = re.findall(r"pattern\.weights = @([\w.$-]+)", str(parsed))
        _apply(TO_LLVM, parsed)
        host = targets.parse("host")
        code = _pconv.emit_object(parsed.operation, host.triple, host.cpu, host.features, 2, False)
    weights = [network.weights[name] for name in names]
    outputs = [np.full(spec.shape, np.nan, np.float32) for spec in network.outputs]
    _call(Code(bytes(code)), [*inputs, *weights, *outputs])
    return outputs


def _apply(passes: str, module: ir.Module) -> None:
    passmanager.PassManager.parse(f"builtin.module({passes})").run(module.operation)


def _call(code: Code, arrays: list[NDArray[np.float32]]) -> None:
    assert all(a.dtype == np.float32 and a.flags.c_contiguous for a in arrays)
    main = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(arrays))(code.address("main"))
    before = threading.stack_size(STACK)
    thread = threading.Thread(target=main, args=[a.ctypes.data for a in arrays])
    thread.start()
    threading.stack_size(before)
    thread.join()
