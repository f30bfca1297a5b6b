// RUN: pconv-opt %s -pattern-fuse-layers | FileCheck %s
// The example of docs/Passes.md.

#bn = #pattern.batch_norm<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var, epsilon = 1.0e-05 : f64>
pattern.weights @c.weight : tensor<4x3x1x1xf32>, #pattern.dense
pattern.weights @bn.weight : tensor<4xf32>, #pattern.dense
pattern.weights @bn.bias : tensor<4xf32>, #pattern.dense
pattern.weights @bn.mean : tensor<4xf32>, #pattern.dense
pattern.weights @bn.var : tensor<4xf32>, #pattern.dense

// CHECK-LABEL: func.func @main(
// CHECK-NEXT: %[[Y:.*]] = pattern.conv2d %{{.*}} weights(@c.weight.bn) bias(@c.bias.bn)
// CHECK-SAME: residual(%{{.*}} : tensor<1x4x6x8xf32>)
// CHECK-SAME: {activation = #pattern.activation<relu>, layer = "c"}
// CHECK-SAME: : tensor<1x3x6x8xf32> -> tensor<1x4x6x8xf32>
// CHECK-NEXT: return %[[Y]]
func.func @main(%x: tensor<1x3x6x8xf32>, %r: tensor<1x4x6x8xf32>) -> tensor<1x4x6x8xf32> {
  %0 = pattern.conv2d %x weights(@c.weight) {layer = "c"}
      : tensor<1x3x6x8xf32> -> tensor<1x4x6x8xf32>
  %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
  %2 = pattern.add %1, %r
      : tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
  %3 = pattern.activate %2 {activation = #pattern.activation<relu>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
  return %3 : tensor<1x4x6x8xf32>
}
