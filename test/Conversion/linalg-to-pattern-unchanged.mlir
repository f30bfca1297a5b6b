// RUN: pconv-opt %s -convert-linalg-to-pattern | FileCheck %s

// What is not recognised stays as it is.

// CHECK-NOT: pattern.weights @

#same = affine_map<(d0, d1) -> (d0, d1)>

// Nobody says that the second argument holds weights.
// CHECK-LABEL: @weights_unknown
// CHECK: linalg.conv_2d_nchw_fchw
func.func @weights_unknown(%x: tensor<1x3x5x7xf32>, %w: tensor<4x3x3x3xf32>)
    -> tensor<1x4x3x5xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x4x3x5xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x5x7xf32>, tensor<4x3x3x3xf32>)
      outs(%zero : tensor<1x4x3x5xf32>) -> tensor<1x4x3x5xf32>
  return %y : tensor<1x4x3x5xf32>
}

// CHECK-LABEL: @start_of_ones
// CHECK-SAME: %{{.*}}: tensor<4x3x3x3xf32> {pattern.weights = @a.weight}
// CHECK: linalg.conv_2d_nchw_fchw
func.func @start_of_ones(%x: tensor<1x3x5x7xf32>,
    %w: tensor<4x3x3x3xf32> {pattern.weights = @a.weight}) -> tensor<1x4x3x5xf32> {
  %one = arith.constant dense<1.0> : tensor<1x4x3x5xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x5x7xf32>, tensor<4x3x3x3xf32>)
      outs(%one : tensor<1x4x3x5xf32>) -> tensor<1x4x3x5xf32>
  return %y : tensor<1x4x3x5xf32>
}

// CHECK-LABEL: @dynamic_batch
// CHECK: linalg.conv_2d_nchw_fchw
func.func @dynamic_batch(%x: tensor<?x3x5x7xf32>, %init: tensor<?x4x3x5xf32>,
    %w: tensor<4x3x3x3xf32> {pattern.weights = @b.weight}) -> tensor<?x4x3x5xf32> {
  %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<?x3x5x7xf32>, tensor<4x3x3x3xf32>)
      outs(%init : tensor<?x4x3x5xf32>) -> tensor<?x4x3x5xf32>
  return %y : tensor<?x4x3x5xf32>
}

// CHECK-LABEL: @double_precision
// CHECK: linalg.matmul
func.func @double_precision(%x: tensor<2x12xf64>,
    %w: tensor<5x12xf64> {pattern.weights = @c.weight}) -> tensor<2x5xf64> {
  %zero = arith.constant dense<0.0> : tensor<2x5xf64>
  %empty = tensor.empty() : tensor<12x5xf64>
  %t = linalg.transpose ins(%w : tensor<5x12xf64>) outs(%empty : tensor<12x5xf64>)
      permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<2x12xf64>, tensor<12x5xf64>)
      outs(%zero : tensor<2x5xf64>) -> tensor<2x5xf64>
  return %y : tensor<2x5xf64>
}

// On buffers.
// CHECK-LABEL: @buffers
// CHECK: linalg.pooling_nchw_max
func.func @buffers(%x: memref<1x4x6x8xf32>, %w: memref<2x2xf32>, %y: memref<1x4x5x7xf32>) {
  linalg.pooling_nchw_max ins(%x, %w : memref<1x4x6x8xf32>, memref<2x2xf32>)
      outs(%y : memref<1x4x5x7xf32>)
  return
}

// The sum is wanted without its bias, too.
// CHECK-LABEL: @sum_with_two_uses
// CHECK: %[[SUM:.*]] = pattern.linear
// CHECK-NOT: bias
// CHECK: arith.addf
// CHECK: return %[[SUM]]
func.func @sum_with_two_uses(%x: tensor<2x12xf32>) -> (tensor<2x5xf32>, tensor<2x5xf32>) {
  %w = arith.constant dense<0.5> : tensor<5x12xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0]> : tensor<5xf32>
  %zero = arith.constant dense<0.0> : tensor<2x5xf32>
  %empty = tensor.empty() : tensor<12x5xf32>
  %t = linalg.transpose ins(%w : tensor<5x12xf32>) outs(%empty : tensor<12x5xf32>)
      permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<2x12xf32>, tensor<12x5xf32>)
      outs(%zero : tensor<2x5xf32>) -> tensor<2x5xf32>
  %out = tensor.empty() : tensor<2x5xf32>
  %z = linalg.generic {indexing_maps = [#same, affine_map<(d0, d1) -> (d1)>, #same],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<2x5xf32>, tensor<5xf32>) outs(%out : tensor<2x5xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> tensor<2x5xf32>
  return %y, %z : tensor<2x5xf32>, tensor<2x5xf32>
}

// A maximum with zeros around it is no maximum over the cells of the input alone.
// CHECK-LABEL: @padding_with_zeros
// CHECK: tensor.pad
// CHECK: pattern.max_pool2d %{{.*}} {kernel = array<i64: 2, 2>} : tensor<1x4x7x8xf32> -> tensor<1x4x6x7xf32>
func.func @padding_with_zeros(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x6x7xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant dense<0xFF800000> : tensor<1x4x6x7xf32>
  %padded = tensor.pad %x low[0, 0, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%n: index, %c: index, %h: index, %i: index):
    tensor.yield %zero : f32
  } : tensor<1x4x6x8xf32> to tensor<1x4x7x8xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %y = linalg.pooling_nchw_max ins(%padded, %window : tensor<1x4x7x8xf32>, tensor<2x2xf32>)
      outs(%low : tensor<1x4x6x7xf32>) -> tensor<1x4x6x7xf32>
  return %y : tensor<1x4x6x7xf32>
}

// A maximum with one is no relu, and the square of the input no activation.
// CHECK-LABEL: @other_functions
// CHECK: arith.maximumf
// CHECK: arith.mulf
func.func @other_functions(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %one = arith.constant 1.0 : f32
  %out = tensor.empty() : tensor<2x5xf32>
  %y = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x5xf32>) outs(%out : tensor<2x5xf32>) {
  ^bb0(%i: f32, %o: f32):
    %s = arith.maximumf %i, %one : f32
    linalg.yield %s : f32
  } -> tensor<2x5xf32>
  %z = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<2x5xf32>) outs(%out : tensor<2x5xf32>) {
  ^bb0(%i: f32, %o: f32):
    %s = arith.mulf %i, %i : f32
    linalg.yield %s : f32
  } -> tensor<2x5xf32>
  return %z : tensor<2x5xf32>
}

// Text of this would be as long as all numbers that go into it.
// CHECK-LABEL: @numbers_used_many_times
// CHECK-COUNT-13: math.fma
func.func @numbers_used_many_times(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %out = tensor.empty() : tensor<2x5xf32>
  %y = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x5xf32>) outs(%out : tensor<2x5xf32>) {
  ^bb0(%i: f32, %o: f32):
    %n0 = math.fma %i, %i, %i : f32
    %n1 = math.fma %n0, %n0, %n0 : f32
    %n2 = math.fma %n1, %n1, %n1 : f32
    %n3 = math.fma %n2, %n2, %n2 : f32
    %n4 = math.fma %n3, %n3, %n3 : f32
    %n5 = math.fma %n4, %n4, %n4 : f32
    %n6 = math.fma %n5, %n5, %n5 : f32
    %n7 = math.fma %n6, %n6, %n6 : f32
    %n8 = math.fma %n7, %n7, %n7 : f32
    %n9 = math.fma %n8, %n8, %n8 : f32
    %n10 = math.fma %n9, %n9, %n9 : f32
    %n11 = math.fma %n10, %n10, %n10 : f32
    %n12 = math.fma %n11, %n11, %n11 : f32
    linalg.yield %n12 : f32
  } -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// Weights become symbols of the module: a function in another one keeps its own.
// CHECK-LABEL: @module_in_a_function
// CHECK: linalg.matmul
func.func @module_in_a_function() {
  builtin.module {
    func.func @inner(%x: tensor<2x3xf32>) -> tensor<2x4xf32> {
      %w = arith.constant dense<1.0> : tensor<4x3xf32>
      %zero = arith.constant dense<0.0> : tensor<2x4xf32>
      %y = linalg.matmul
          indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>,
                           affine_map<(d0, d1, d2) -> (d0, d1)>]
          ins(%x, %w : tensor<2x3xf32>, tensor<4x3xf32>) outs(%zero : tensor<2x4xf32>)
          -> tensor<2x4xf32>
      return %y : tensor<2x4xf32>
    }
  }
  return
}
