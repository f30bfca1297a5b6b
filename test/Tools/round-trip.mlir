// RUN: pconv-opt %S/../Dialect/Pattern/examples.mlir > %t.examples
// RUN: pconv-opt %t.examples | diff %t.examples -
// RUN: pconv-opt %t.examples -mlir-print-op-generic | pconv-opt | diff %t.examples -
// RUN: pconv-opt %t.examples -emit-bytecode | pconv-opt | diff %t.examples -
// RUN: pconv-opt %S/../Dialect/Pattern/attrs.mlir -mlir-print-local-scope > %t.attrs
// RUN: pconv-opt %t.attrs -emit-bytecode | pconv-opt -mlir-print-local-scope | diff %t.attrs -
// RUN: sed 's/#TARGET/#pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>/' %S/../Pipelines/Inputs/sparse.mlir \
// RUN:   | pconv-opt -pattern-fuse-layers -pattern-reorder-filters -pattern-assign-layouts -pattern-assign-schedules \
// RUN:     -pattern-eliminate-redundant-loads -pattern-pack-weights -pattern-plan-memory > %t.placed
// RUN: pconv-opt %t.placed | diff %t.placed -
// RUN: pconv-opt %t.placed -mlir-print-op-generic | pconv-opt | diff %t.placed -
// RUN: pconv-opt %t.placed -emit-bytecode | pconv-opt | diff %t.placed -
// RUN: FileCheck %s --input-file=%t.placed
// What is printed reads back as the same, as text, in the generic form and as bytecode: the examples
// of the reference, and a network with all that the compiler decides about it.

// CHECK: pattern.packed
// CHECK: loads = #pattern.loads
// CHECK: schedule = #pattern.schedule
