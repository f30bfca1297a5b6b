// RUN: sed 's/#TARGET/#pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>/' %S/Inputs/sparse.mlir > %t.mlir
// RUN: pconv-opt %t.mlir -pattern-verify-stage \
// RUN:   -pattern-fuse-layers -pattern-verify-stage=stage=fused \
// RUN:   -pattern-reorder-filters -pattern-verify-stage=stage=reordered \
// RUN:   -pattern-assign-layouts -pattern-verify-stage=stage=laid_out \
// RUN:   -pattern-assign-schedules -pattern-verify-stage=stage=scheduled \
// RUN:   -pattern-eliminate-redundant-loads -pattern-verify-stage=stage=planned \
// RUN:   -pattern-pack-weights -pattern-verify-stage=stage=packed \
// RUN:   -pattern-plan-memory -pattern-verify-stage=stage=placed \
// RUN:   -convert-pattern-to-vector -pattern-verify-stage=stage=lowered \
// RUN:   -pconv-vector-to-llvm -pattern-verify-stage=stage=lowered > %t.steps
// RUN: FileCheck %s --input-file=%t.steps
// RUN: pconv-opt %t.mlir -pconv-to-llvm | diff %t.steps -
// Every pass leads to its stage, and one after the other they are the pipeline. Text in between
// changes nothing either.
// RUN: pconv-opt %t.mlir -pattern-fuse-layers | pconv-opt -pattern-reorder-filters \
// RUN:   | pconv-opt -pattern-assign-layouts | pconv-opt -pattern-assign-schedules \
// RUN:   | pconv-opt -pattern-eliminate-redundant-loads | pconv-opt -pattern-pack-weights \
// RUN:   | pconv-opt -pattern-plan-memory | pconv-opt -convert-pattern-to-vector \
// RUN:   | pconv-opt -pconv-vector-to-llvm | diff %t.steps -

// CHECK: pattern.stage = "lowered"
// CHECK: llvm.func @pconv_network
