// RUN: pconv-opt %s -split-input-file -pattern-assign-schedules -pattern-eliminate-redundant-loads -pattern-pack-weights -pattern-plan-memory -convert-pattern-to-vector | FileCheck %s
// Little IR that asks for much: code is unrolled only where it stays short.

// Four million columns of border between two rows are cleared by a loop.
// CHECK-LABEL: func.func private @step_1
// CHECK: scf.for %{{.*}} = %{{.*}} to %c3999999
// CHECK-NOT: step_2
// CHECK: vector.store
#wide = #pattern.plane<halo = 0, row_stride = 4000000, channel_stride = 40000000>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x2x3x3xf32>, #pattern.kernel<#pattern.library<3x3, [[0]]>>,
    kernels = dense<[[1, 0], [0, 0]]> : tensor<2x2xi8>
func.func @main(%x: tensor<1x2x7x9xf32>) -> tensor<1x2x5x7xf32> {
  %0 = pattern.relayout %x : tensor<1x2x7x9xf32> -> tensor<1x2x7x9xf32, #wide>
  %1 = pattern.conv2d %0 weights(@w) {filter_order = array<i32: 0, 1>}
      : tensor<1x2x7x9xf32, #wide> -> tensor<1x2x5x7xf32, #wide>
  %2 = pattern.relayout %1 : tensor<1x2x5x7xf32, #wide> -> tensor<1x2x5x7xf32>
  return %2 : tensor<1x2x5x7xf32>
}
}
