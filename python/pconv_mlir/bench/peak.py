# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The most that this processor's vector units can do, measured: what kernels are compared with.

The kernel is generated like any other: independent chains of fused multiply-adds, as many as
registers allow, so that neither latency nor memory is in the way.
"""

from __future__ import annotations

import ctypes
import functools

import numpy as np

from .. import codegen, ir, targets
from ..parsing import parse
from ..pipelines import TO_LLVM, Pass
from ..runtime.library import Code, library
from ..targets import Target

_ROUNDS = 1 << 18  # of the loop: about a millisecond
_RUNS = 30


@functools.cache
def fma_peak(threads: int = 1, target: Target | None = None) -> float:
    """Measured peak of this processor in GFLOP/s, by its best of several short runs.

    Args:
        threads: How many threads work at the same time.
        target: With which vectors; by default the widest of this machine.
    """
    target = target or targets.parse("host")
    chains = _chains(target)
    with ir.Context():
        module = parse(_kernel(target, chains, threads))
        codegen.run_passes(module, [Pass("llvm", TO_LLVM)])
        code = Code(codegen.emit(module, target))
    entry = code.address("pconv_network")
    arena = np.full(64 * max(threads, 1), 0.5, np.float32)
    step_ns = np.zeros((_RUNS, 1), np.int64)
    for run in step_ns:
        library().pconv_execute(
            entry, threads, arena.ctypes.data, None, None, run.ctypes.data_as(ctypes.c_void_p), 1
        )
    operations = 2 * chains * target.lanes * _ROUNDS * threads
    return float(operations / step_ns.min())


def _chains(target: Target) -> int:
    """Two registers are for the operands. 24 chains cover 12 cycles of latency on two units."""
    return min(target.registers - 2, 24)


def _kernel(target: Target, chains: int, threads: int) -> str:
    """A network of one step in which every item is one run of the loop."""
    vector = f"vector<{target.lanes}xf32>"
    names = [f"%a{i}" for i in range(chains)]
    types = ", ".join([vector] * chains)
    initial = ", ".join(f"{name} = %x" for name in names)
    if target.fma:
        chain = "\n".join(f"%n{i} = vector.fma %x, %a{i}, %y : {vector}" for i in range(chains))
    else:
        chain = "\n".join(
            f"%m{i} = arith.mulf %x, %a{i} : {vector}\n%n{i} = arith.addf %m{i}, %y : {vector}"
            for i in range(chains)
        )
    results = ", ".join(f"%n{i}" for i in range(chains))
    sums = "\n".join(f"%s{i + 1} = arith.addf %s{i}, %loop#{i} : {vector}" for i in range(chains))
    arena = f"memref<{64 * threads}xf32>"
    body = f"(index, index, index, {arena}, memref<1xf32>, memref<1xi32>) -> ()"
    return f"""
func.func private @pconv_parallel_for(!llvm.ptr, i64, {body}, i64, {arena}, memref<1xf32>,
                                      memref<1xi32>)
func.func private @chains(%begin: index, %end: index, %thread: index, %arena: {arena},
                          %values: memref<1xf32>, %indices: memref<1xi32>) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  %rounds = arith.constant {_ROUNDS} : index
  %own = arith.muli %begin, %c64 : index
  %next = arith.addi %own, %c1 : index
  %result = arith.addi %own, %c32 : index
  %x = vector.load %arena[%own] : {arena}, {vector}
  %y = vector.load %arena[%next] : {arena}, {vector}
  %s0 = arith.subf %x, %x : {vector}
  %loop:{chains} = scf.for %i = %c0 to %rounds step %c1 iter_args({initial}) -> ({types}) {{
    {chain}
    scf.yield {results} : {types}
  }}
  {sums}
  vector.store %s{chains}, %arena[%result] : {arena}, {vector}
  return
}}
func.func @pconv_network(%run: !llvm.ptr, %arena: {arena}, %values: memref<1xf32>,
                         %indices: memref<1xi32>) {{
  %c0 = arith.constant 0 : i64
  %items = arith.constant {threads} : i64
  %body = func.constant @chains : {body}
  call @pconv_parallel_for(%run, %c0, %body, %items, %arena, %values, %indices)
      : (!llvm.ptr, i64, {body}, i64, {arena}, memref<1xf32>, memref<1xi32>) -> ()
  return
}}
"""
