// RUN: pconv-opt %s -convert-pattern-to-linalg -convert-linalg-to-pattern | FileCheck %s
// RUN: pconv-opt %s -convert-pattern-to-linalg -convert-linalg-to-pattern -convert-pattern-to-linalg -convert-linalg-to-pattern | FileCheck %s

// What goes to linalg comes back as it was, with schemes, masks and names of layers.

module attributes {pattern.stage = "imported"} {

// CHECK: pattern.weights @conv.weight : tensor<4x3x3x3xf32>, #pattern.kernel<#pattern.library<3x3, {{\[\[}}0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<{{\[\[}}1, 0, 2], [2, 1, 1], [0, 0, 1], [1, 0, 0]]> : tensor<4x3xi8>
pattern.weights @conv.weight : tensor<4x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>,
    kernels = dense<[[1, 0, 2], [2, 1, 1], [0, 0, 1], [1, 0, 0]]> : tensor<4x3xi8>
// CHECK: pattern.weights @conv.bias : tensor<4xf32>, #pattern.dense
pattern.weights @conv.bias : tensor<4xf32>, #pattern.dense

// CHECK-LABEL: func.func @conv2d
// CHECK-SAME: (%{{.*}}: tensor<1x3x9x8xf32> {pattern.name = "input"}) -> (tensor<1x4x5x3xf32> {pattern.name = "output"})
// CHECK-NEXT: pattern.conv2d %{{.*}} weights(@conv.weight) bias(@conv.bias) {layer = "features.0", padding = array<i64: 1, 0, 1, 2>, strides = array<i64: 2, 3>} : tensor<1x3x9x8xf32> -> tensor<1x4x5x3xf32>
// CHECK-NEXT: return
func.func @conv2d(%x: tensor<1x3x9x8xf32> {pattern.name = "input"})
    -> (tensor<1x4x5x3xf32> {pattern.name = "output"}) {
  %y = pattern.conv2d %x weights(@conv.weight) bias(@conv.bias)
      {strides = array<i64: 2, 3>, padding = array<i64: 1, 0, 1, 2>, layer = "features.0"}
      : tensor<1x3x9x8xf32> -> tensor<1x4x5x3xf32>
  return %y : tensor<1x4x5x3xf32>
}

pattern.weights @grouped.weight : tensor<6x2x3x1xf32>, #pattern.unstructured
pattern.weights @grouped.bias : tensor<6xf32>, #pattern.dense

// CHECK: pattern.weights @grouped.weight : tensor<6x2x3x1xf32>, #pattern.unstructured
// CHECK-LABEL: func.func @conv2d_with_groups
// CHECK-NEXT: pattern.conv2d %{{.*}} weights(@grouped.weight) bias(@grouped.bias) {groups = 2 : i64}
// CHECK-NEXT: return
func.func @conv2d_with_groups(%x: tensor<2x4x9x8xf32>) -> tensor<2x6x7x8xf32> {
  %y = pattern.conv2d %x weights(@grouped.weight) bias(@grouped.bias) {groups = 2 : i64}
      : tensor<2x4x9x8xf32> -> tensor<2x6x7x8xf32>
  return %y : tensor<2x6x7x8xf32>
}

// What a layer had taken up is beside it again: fusing is the work of pattern-fuse-layers.
// CHECK-LABEL: func.func @conv2d_with_what_follows
// CHECK-SAME: (%[[X:.*]]: tensor<1x3x6x6xf32>, %[[R:.*]]: tensor<1x4x4x4xf32>)
// CHECK-NEXT: %[[CONV:.*]] = pattern.conv2d %[[X]] weights(@conv.weight) {layer = "block"}
// CHECK-NEXT: %[[SUM:.*]] = pattern.add %[[CONV]], %[[R]] {layer = "block"}
// CHECK-NEXT: %[[RELU:.*]] = pattern.activate %[[SUM]] {activation = #pattern.activation<relu>, layer = "block"}
// CHECK-NEXT: pattern.max_pool2d %[[RELU]] {kernel = array<i64: 2, 2>, layer = "block", strides = array<i64: 2, 2>}
// CHECK-NEXT: return
func.func @conv2d_with_what_follows(%x: tensor<1x3x6x6xf32>, %r: tensor<1x4x4x4xf32>)
    -> tensor<1x4x2x2xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) residual(%r : tensor<1x4x4x4xf32>)
      {activation = #pattern.activation<relu>, layer = "block",
       pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>}
      : tensor<1x3x6x6xf32> -> tensor<1x4x2x2xf32>
  return %y : tensor<1x4x2x2xf32>
}

pattern.weights @fc.weight : tensor<5x12xf32>, #pattern.dense
pattern.weights @fc.bias : tensor<5xf32>, #pattern.dense

// CHECK-LABEL: func.func @linear
// CHECK-NEXT: pattern.linear %{{.*}} weights(@fc.weight) bias(@fc.bias) : tensor<1x12xf32> -> tensor<1x5xf32>
// CHECK-NEXT: return
func.func @linear(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = pattern.linear %x weights(@fc.weight) bias(@fc.bias) : tensor<1x12xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

pattern.weights @s : tensor<4xf32>, #pattern.dense
pattern.weights @t : tensor<4xf32>, #pattern.dense
pattern.weights @m : tensor<4xf32>, #pattern.dense
pattern.weights @v : tensor<4xf32>, #pattern.dense

// CHECK-LABEL: func.func @batch_norm
// CHECK-NEXT: pattern.batch_norm %{{.*}} {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.250000e-01 : f32>}
// CHECK-NEXT: return
func.func @batch_norm(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.batch_norm %x
      {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                                        epsilon = 0.125 : f32>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: func.func @pooling
// CHECK-NEXT: pattern.max_pool2d %{{.*}} {dilations = array<i64: 2, 1>, kernel = array<i64: 3, 2>, padding = array<i64: 2, 0, 2, 0>}
// CHECK-NEXT: pattern.avg_pool2d %{{.*}} {count_padding, kernel = array<i64: 3, 2>, padding = array<i64: 1, 1, 0, 0>, strides = array<i64: 2, 1>}
// CHECK-NEXT: return
func.func @pooling(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x3x7xf32> {
  %y = pattern.max_pool2d %x
      {kernel = array<i64: 3, 2>, dilations = array<i64: 2, 1>, padding = array<i64: 2, 0, 2, 0>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x6x7xf32>
  %z = pattern.avg_pool2d %y
      {kernel = array<i64: 3, 2>, strides = array<i64: 2, 1>, padding = array<i64: 1, 1, 0, 0>,
       count_padding}
      : tensor<1x4x6x7xf32> -> tensor<1x4x3x7xf32>
  return %z : tensor<1x4x3x7xf32>
}

// CHECK-LABEL: func.func @activations
// CHECK-NEXT: #pattern.activation<relu>
// CHECK-NEXT: #pattern.activation<relu6>
// CHECK-NEXT: #pattern.activation<leaky_relu, alpha = 2.500000e-01 : f32>
// CHECK-NEXT: #pattern.activation<sigmoid>
// CHECK-NEXT: #pattern.activation<silu>
// CHECK-NEXT: #pattern.activation<hardswish>
// CHECK-NEXT: #pattern.activation<hardsigmoid>
// CHECK-NEXT: return
func.func @activations(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %0 = pattern.activate %x {activation = #pattern.activation<relu>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  %1 = pattern.activate %0 {activation = #pattern.activation<relu6>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  %2 = pattern.activate %1 {activation = #pattern.activation<leaky_relu, alpha = 0.25 : f32>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  %3 = pattern.activate %2 {activation = #pattern.activation<sigmoid>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  %4 = pattern.activate %3 {activation = #pattern.activation<silu>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  %5 = pattern.activate %4 {activation = #pattern.activation<hardswish>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  %6 = pattern.activate %5 {activation = #pattern.activation<hardsigmoid>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  return %6 : tensor<2x5xf32>
}

// CHECK-LABEL: func.func @two_operands
// CHECK-NEXT: pattern.add %{{.*}}, %{{.*}} : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
// CHECK-NEXT: pattern.mul %{{.*}}, %{{.*}} : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
// CHECK-NEXT: return
func.func @two_operands(%a: tensor<1x4x5x7xf32>, %b: tensor<1x4x5x7xf32>,
                        %c: tensor<1x4x1x1xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.add %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.mul %y, %c : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}
}
