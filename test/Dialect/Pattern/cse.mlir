// RUN: pconv-opt %s -cse | FileCheck %s

pattern.weights @a.weight : tensor<2x3x3x3xf32>, #pattern.dense
pattern.weights @b.weight : tensor<2x3x3x3xf32>, #pattern.dense

// CHECK-LABEL: @equal_layers
// CHECK: %[[Y:.*]] = pattern.conv2d
// CHECK-NEXT: %[[Z:.*]] = pattern.add %[[Y]], %[[Y]]
// CHECK-NEXT: return %[[Z]]
func.func @equal_layers(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32> {
  %a = pattern.conv2d %x weights(@a.weight) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  %b = pattern.conv2d %x weights(@a.weight) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  %y = pattern.add %a, %b : tensor<1x2x3x5xf32>, tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
  return %y : tensor<1x2x3x5xf32>
}

// CHECK-LABEL: @layers_with_different_weights
// CHECK: weights(@a.weight)
// CHECK: weights(@b.weight)
func.func @layers_with_different_weights(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32> {
  %a = pattern.conv2d %x weights(@a.weight) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  %b = pattern.conv2d %x weights(@b.weight) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  %y = pattern.add %a, %b : tensor<1x2x3x5xf32>, tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
  return %y : tensor<1x2x3x5xf32>
}
