// RUN: pconv-opt %s -pattern-reorder-filters | FileCheck %s
// The example of docs/Passes.md: filter 0 shares channel 3 with filter 2, and filter 1 is shorter.

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7]]>
pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[2, 0, 1, 2], [0, 3, 0, 1], [1, 0, 2, 2]]> : tensor<3x4xi8>

// CHECK-LABEL: func.func @main(
// CHECK-NEXT: %[[Y:.*]] = pattern.conv2d %{{.*}} weights(@w) {filter_order = array<i32: 0, 2, 1>}
// CHECK-SAME: : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
func.func @main(%x: tensor<1x4x5x7xf32>) -> tensor<1x3x3x5xf32> {
  %y = pattern.conv2d %x weights(@w) : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
  return %y : tensor<1x3x3x5xf32>
}
