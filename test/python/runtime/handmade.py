# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled network without the compiler: y[i] = x[indices[i]] * values[i]; e[i] = exp(y[i]).

It obeys the conventions of compiled code (entry, parallel loops, arena, packed data), so that
loading and running can be tested without any pass of ours.
"""

from __future__ import annotations

import functools

import numpy as np
from pconv_mlir._mlir_libs import _pconv

from pconv_mlir import ir, passmanager, targets
from pconv_mlir.artefact import Artefact
from pconv_mlir.manifest import Manifest, Memory, Slot, Step
from pconv_mlir.targets import Target

ARENA, SCRATCH = "memref<64xf32>", 16
BODY = f"(i64, i64, i64, {ARENA}, memref<8xf32>, memref<8xi32>) -> ()"
TEXT = f"""
func.func private @pconv_parallel_for(!llvm.ptr, i64, {BODY}, i64, {ARENA}, memref<8xf32>,
                                      memref<8xi32>)
func.func private @scale(%begin: i64, %end: i64, %thread: i64, %arena: {ARENA},
                         %values: memref<8xf32>, %indices: memref<8xi32>) {{
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %from = arith.index_cast %begin : i64 to index
  %to = arith.index_cast %end : i64 to index
  scf.for %i = %from to %to step %c1 {{
    %at = memref.load %indices[%i] : memref<8xi32>
    %k = arith.index_cast %at : i32 to index
    %x = memref.load %arena[%k] : {ARENA}
    %w = memref.load %values[%i] : memref<8xf32>
    %y = arith.mulf %x, %w : f32
    %o = arith.addi %i, %c16 : index
    memref.store %y, %arena[%o] : {ARENA}
  }}
  return
}}
func.func private @exponential(%begin: i64, %end: i64, %thread: i64, %arena: {ARENA},
                               %values: memref<8xf32>, %indices: memref<8xi32>) {{
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %from = arith.index_cast %begin : i64 to index
  %to = arith.index_cast %end : i64 to index
  scf.for %i = %from to %to step %c1 {{
    %y = arith.addi %i, %c16 : index
    %v = memref.load %arena[%y] : {ARENA}
    %e = math.exp %v : f32
    %o = arith.addi %i, %c32 : index
    memref.store %e, %arena[%o] : {ARENA}
  }}
  return
}}
func.func @pconv_network(%run: !llvm.ptr, %arena: {ARENA}, %values: memref<8xf32>,
                         %indices: memref<8xi32>) {{
  %0 = arith.constant 0 : i64
  %1 = arith.constant 1 : i64
  %items = arith.constant 8 : i64
  %scale = func.constant @scale : {BODY}
  call @pconv_parallel_for(%run, %0, %scale, %items, %arena, %values, %indices)
      : (!llvm.ptr, i64, {BODY}, i64, {ARENA}, memref<8xf32>, memref<8xi32>) -> ()
  %exp = func.constant @exponential : {BODY}
  call @pconv_parallel_for(%run, %1, %exp, %items, %arena, %values, %indices)
      : (!llvm.ptr, i64, {BODY}, i64, {ARENA}, memref<8xf32>, memref<8xi32>) -> ()
  return
}}
"""
LOWERING = (
    "builtin.module(convert-math-to-libm,convert-scf-to-cf,convert-arith-to-llvm,"
    "finalize-memref-to-llvm,convert-func-to-llvm{use-bare-ptr-memref-call-conv=1},"
    "convert-cf-to-llvm,reconcile-unrealized-casts)"
)


def emit(text: str, target: Target) -> bytes:
    """Object file of a module in the memref, scf and func dialects."""
    with ir.Context():
        module = ir.Module.parse(text)
        passmanager.PassManager.parse(LOWERING).run(module.operation)
        return bytes(
            _pconv.emit_object(
                module.operation, target.triple, target.cpu, target.features, 3, False
            )
        )


@functools.cache
def code() -> bytes:
    """The network's object file for this machine."""
    return emit(TEXT, targets.parse("host"))


def manifest() -> Manifest:
    return Manifest(
        producer="test",
        target=targets.parse("host"),
        inputs=(Slot("x", (2, 4), 0),),
        outputs=(Slot("y", (2, 4), 16), Slot("e", (8,), 32)),
        memory=Memory(arena=64, scratch=SCRATCH, values=8, indices=8),
        steps=(Step("scale", "mul", 8), Step("exp", "activate", 8)),
    )


def artefact() -> Artefact:
    values = np.linspace(-1, 1, 8, dtype=np.float32)
    indices = np.array([7, 6, 5, 4, 0, 1, 2, 3], np.int32)
    return Artefact(manifest(), code(), values, indices, TEXT.encode())


def expected(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both outputs for an input, in NumPy."""
    made = artefact()
    y = (x.ravel()[made.indices] * made.values).reshape(2, 4)
    return y, np.exp(y).ravel()
