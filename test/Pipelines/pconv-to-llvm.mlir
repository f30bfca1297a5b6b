// RUN: sed 's/#TARGET/#pattern.target<lanes = 4, registers = 16, fma = false, l1 = 32768, l2 = 524288>/' %S/Inputs/sparse.mlir \
// RUN:   | pconv-opt -pconv-to-llvm -pattern-verify-stage | FileCheck %s --check-prefixes=CHECK,SSE
// RUN: sed 's/#TARGET/#pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>/' %S/Inputs/sparse.mlir \
// RUN:   | pconv-opt -pconv-to-llvm -pattern-verify-stage | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: sed 's/#TARGET/#pattern.target<lanes = 16, registers = 32, fma = true, l1 = 32768, l2 = 524288>/' %S/Inputs/sparse.mlir \
// RUN:   | pconv-opt -pconv-to-llvm -pattern-verify-stage | FileCheck %s --check-prefixes=CHECK,AVX512
// RUN: sed 's/#TARGET/#pattern.target<lanes = 4, registers = 32, fma = true, l1 = 65536, l2 = 524288>/' %S/Inputs/sparse.mlir \
// RUN:   | pconv-opt -pconv-to-llvm -pattern-verify-stage | FileCheck %s --check-prefixes=CHECK,NEON
// A whole network, from what the importer writes to the LLVM dialect, on machines of four kinds.

// Batch norm, activation and addition became parts of the convolutions.
// CHECK: pattern.stage = "lowered"
// CHECK-SAME: pattern.steps = [
// CHECK-SAME: kind = "conv2d", layer = "conv1"}, {items = [[#]] : i64, kind = "conv2d", layer = "conv2"}
// CHECK-SAME: kind = "conv2d", layer = "down"}
// CHECK-SAME: kind = "linear", layer = "fc"}, {items = 10 : i64, kind = "softmax", layer = "softmax"}]

// Plain pointers, so that C can call it; nothing but the LLVM dialect is left.
// CHECK: llvm.func @pconv_parallel_for(!llvm.ptr, i64, !llvm.ptr, i64, !llvm.ptr, !llvm.ptr, !llvm.ptr)
// CHECK: llvm.func @pconv_network(%{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr, %{{.*}}: !llvm.ptr) {
// CHECK-NOT: {{(builtin|func|scf|cf|arith|math|vector|memref|pattern)\.[a-z]}}
// CHECK: llvm.mlir.addressof @step_0
// CHECK: llvm.call @pconv_parallel_for
// CHECK: llvm.func @step_0(%{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias}, %{{.*}}: !llvm.ptr {llvm.noalias})
// SSE-NOT: fma
// SSE: llvm.fmul {{.*}} : vector<4xf32>
// SSE-NOT: fma
// AVX2: llvm.intr.fmuladd({{.*}} -> vector<8xf32>
// AVX512: llvm.intr.fmuladd({{.*}} -> vector<16xf32>
// NEON: llvm.intr.fmuladd({{.*}} -> vector<4xf32>
