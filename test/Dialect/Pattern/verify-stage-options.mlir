// RUN: pconv-opt %s -verify-diagnostics -pattern-verify-stage=stage=reordered
// RUN: pconv-opt %s -pattern-verify-stage | FileCheck %s
// RUN: pconv-opt %s -pattern-reorder-filters -pattern-verify-stage=stage=reordered | FileCheck %s
// The option asks for a stage that the module does not claim to be in.

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
module attributes {pattern.stage = "fused"} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2]]> : tensor<2x1xi8>
  // CHECK-LABEL: func.func @not_yet_reordered
  func.func @not_yet_reordered(%x: tensor<1x1x5x7xf32>) -> tensor<1x2x3x5xf32> {
    // expected-error @+2 {{'pattern.conv2d' op expected a filter_order, since its weights wear kernel patterns}}
    // expected-note @+1 {{promised by stage 'reordered', which pattern-reorder-filters ensures}}
    %0 = pattern.conv2d %x weights(@w) : tensor<1x1x5x7xf32> -> tensor<1x2x3x5xf32>
    return %0 : tensor<1x2x3x5xf32>
  }
}
