// RUN: pconv-opt %s -convert-linalg-to-pattern -verify-diagnostics -split-input-file

// expected-error @below {{expected a network at stage 'imported' or before, got stage 'fused'}}
module attributes {pattern.stage = "fused"} {}

// -----

// The masks on the argument do not fit the library.
func.func @masks(%x: tensor<1x3x5x7xf32>,
    // expected-error @below {{expected pattern numbers in 0..1, got 2 for kernel (0, 0)}}
    %w: tensor<4x3x3x3xf32> {
        pattern.weights = @conv.weight,
        pattern.scheme = #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4]]>>,
        pattern.kernels = dense<2> : tensor<4x3xi8>}) -> tensor<1x4x3x5xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x4x3x5xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x3x5xf32>) -> tensor<1x4x3x5xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x5x7xf32>, tensor<4x3x3x3xf32>)
      outs(%init : tensor<1x4x3x5xf32>) -> tensor<1x4x3x5xf32>
  return %y : tensor<1x4x3x5xf32>
}
