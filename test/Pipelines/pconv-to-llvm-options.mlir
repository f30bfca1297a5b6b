// RUN: sed 's/#TARGET/#pattern.target<lanes = 4, registers = 32, fma = true, l1 = 65536, l2 = 524288>/' %S/Inputs/sparse.mlir > %t.mlir
// RUN: pconv-opt %t.mlir -pconv-to-llvm -mlir-print-ir-after=pattern-eliminate-redundant-loads -o %t.on 2>&1 | FileCheck %s --check-prefix=ON
// RUN: pconv-opt %t.mlir -pconv-to-llvm=fuse=false -mlir-print-ir-after=pattern-eliminate-redundant-loads -o %t.fuse 2>&1 | FileCheck %s --check-prefix=FUSE
// RUN: pconv-opt %t.mlir -pconv-to-llvm=reorder=false -mlir-print-ir-after=pattern-eliminate-redundant-loads -o %t.reorder 2>&1 | FileCheck %s --check-prefix=REORDER
// RUN: pconv-opt %t.mlir -pconv-to-llvm=eliminate-loads=false -mlir-print-ir-after=pattern-eliminate-redundant-loads -o %t.loads 2>&1 | FileCheck %s --check-prefix=LOADS
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t.on
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t.fuse
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t.reorder
// RUN: FileCheck %s --check-prefix=LLVM --input-file=%t.loads
// What makes code faster switches off alone; the rest of the pipeline runs all the same.

// In conv2, filter 2 has no kernel left and comes last.
// ON-NOT: pattern.batch_norm
// ON: layer = "conv1", loads = #pattern.loads<scope = run,
// ON: weights(@conv2.weight) residual
// ON-SAME: filter_order = array<i32: 0, 1, 3, 2>
// ON-NOT: pattern.add

// FUSE: layer = "conv1", loads = #pattern.loads<scope = run,
// FUSE: pattern.batch_norm
// FUSE: pattern.activate
// FUSE: filter_order = array<i32: 0, 1, 3, 2>
// FUSE: pattern.add

// REORDER-NOT: pattern.batch_norm
// REORDER: layer = "conv1", loads = #pattern.loads<scope = run,
// REORDER: weights(@conv2.weight) residual
// REORDER-SAME: filter_order = array<i32: 0, 1, 2, 3>

// LOADS-NOT: pattern.batch_norm
// LOADS: layer = "conv1", loads = #pattern.loads<scope = kernel,
// LOADS: weights(@conv2.weight) residual
// LOADS-SAME: filter_order = array<i32: 0, 1, 3, 2>

// LLVM: pattern.stage = "lowered"
// LLVM: llvm.func @pconv_network
