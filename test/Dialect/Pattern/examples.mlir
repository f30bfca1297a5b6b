// RUN: pconv-opt %s | pconv-opt | FileCheck %s
// The examples of docs/Dialect.md that ops.mlir and attrs.mlir show in another form.

// CHECK-LABEL: module
pattern.weights @conv.weight : tensor<4x3x3x3xf32>, #pattern.dense
pattern.weights @conv.bias : tensor<4xf32>, #pattern.dense
pattern.weights @bn.weight : tensor<4xf32>, #pattern.dense
pattern.weights @bn.bias : tensor<4xf32>, #pattern.dense
pattern.weights @bn.mean : tensor<4xf32>, #pattern.dense
pattern.weights @bn.var : tensor<4xf32>, #pattern.dense

// CHECK: pattern.weights @fc.weight : tensor<32x32xf32>, #pattern.block<rows = 16, cols = 16>
pattern.weights @fc.weight : tensor<32x32xf32>, #pattern.block<rows = 16, cols = 16>

// CHECK-LABEL: @conv2d
// CHECK: pattern.conv2d %{{.*}} weights(@conv.weight) bias(@conv.bias)
// CHECK: pattern.batch_norm %{{.*}} {parameters = #pattern.batch_norm<scale = @bn.weight,
func.func @conv2d(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) bias(@conv.bias)
      {padding = array<i64: 1, 1, 1, 1>, activation = #pattern.activation<relu>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.batch_norm %y
      {parameters = #pattern.batch_norm<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean,
                                        variance = @bn.var, epsilon = 1.000000e-05 : f64>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @pooling
// CHECK: pattern.adaptive_avg_pool2d %{{.*}} : tensor<1x4x6x8xf32> -> tensor<1x4x1x1xf32>
// CHECK: pattern.reshape %{{.*}} : tensor<1x4x1x1xf32> -> tensor<1x4xf32>
// CHECK: pattern.avg_pool2d %{{.*}} {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
// CHECK: pattern.resize %{{.*}} {mode = #pattern.resize_mode<nearest>}
func.func @pooling(%x: tensor<1x4x6x8xf32>, %small: tensor<1x4x3x4xf32>)
    -> (tensor<1x4xf32>, tensor<1x4x3x4xf32>, tensor<1x4x6x8xf32>) {
  %mean = pattern.adaptive_avg_pool2d %x : tensor<1x4x6x8xf32> -> tensor<1x4x1x1xf32>
  %flat = pattern.reshape %mean : tensor<1x4x1x1xf32> -> tensor<1x4xf32>
  %half = pattern.avg_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  %double = pattern.resize %small {mode = #pattern.resize_mode<nearest>}
      : tensor<1x4x3x4xf32> -> tensor<1x4x6x8xf32>
  return %flat, %half, %double : tensor<1x4xf32>, tensor<1x4x3x4xf32>, tensor<1x4x6x8xf32>
}
