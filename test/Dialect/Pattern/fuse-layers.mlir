// RUN: pconv-opt %s -split-input-file -pattern-fuse-layers | FileCheck %s
// Twice is once:
// RUN: pconv-opt %s -split-input-file -pattern-fuse-layers > %t.once
// RUN: pconv-opt %t.once -split-input-file -pattern-fuse-layers | diff %t.once -

#bn = #pattern.batch_norm<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var, epsilon = 1.0e-05 : f64>

// The example of the pass: a whole chain, and the weights that it leaves.
// CHECK: module attributes {pattern.stage = "fused"} {
// CHECK-NEXT: pattern.weights @c.weight : tensor<4x3x3x3xf32>, #pattern.dense
// CHECK-DAG: pattern.weights @c.weight.bn : tensor<4x3x3x3xf32>, #pattern.dense source(@c.weight) batch_norm(<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var, epsilon = 1.000000e-05 : f64>)
// CHECK-DAG: pattern.weights @c.bias.bn : tensor<4xf32>, #pattern.dense batch_norm(<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var, epsilon = 1.000000e-05 : f64>)
module attributes {pattern.stage = "imported"} {
  pattern.weights @c.weight : tensor<4x3x3x3xf32>, #pattern.dense
  pattern.weights @bn.weight : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.bias : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.mean : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.var : tensor<4xf32>, #pattern.dense
  // CHECK-LABEL: func.func @chain(
  // CHECK-SAME: %[[X:.*]]: tensor<1x3x8x10xf32>, %[[R:.*]]: tensor<1x4x6x8xf32>)
  // CHECK-NEXT: %[[Y:.*]] = pattern.conv2d %[[X]] weights(@c.weight.bn) bias(@c.bias.bn) residual(%[[R]] : tensor<1x4x6x8xf32>)
  // CHECK-SAME: activation = #pattern.activation<relu>, layer = "c", pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>
  // CHECK-SAME: : tensor<1x3x8x10xf32> -> tensor<1x4x3x4xf32>
  // CHECK-NEXT: return %[[Y]]
  func.func @chain(%x: tensor<1x3x8x10xf32>, %r: tensor<1x4x6x8xf32>) -> tensor<1x4x3x4xf32> {
    %0 = pattern.conv2d %x weights(@c.weight) {layer = "c"} : tensor<1x3x8x10xf32> -> tensor<1x4x6x8xf32>
    %1 = pattern.batch_norm %0 {layer = "bn", parameters = #bn} : tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
    %2 = pattern.add %1, %r : tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
    %3 = pattern.activate %2 {activation = #pattern.activation<relu>} : tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
    %4 = pattern.max_pool2d %3 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
    return %4 : tensor<1x4x3x4xf32>
  }
}

// -----

#bn = #pattern.batch_norm<scale = @s, shift = @h, mean = @m, variance = @v, epsilon = 1.0e-03 : f64>

// Masks stay: scaling a filter changes none. A bias that exists is folded too.
// CHECK-DAG: pattern.weights @c.weight.bn : tensor<2x3x3x3xf32>, #pattern.kernel<#pattern.library<3x3, {{\[}}[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<{{\[}}[1, 0, 2], [0, 1, 1]]> : tensor<2x3xi8> source(@c.weight) batch_norm(
// CHECK-DAG: pattern.weights @c.bias.bn : tensor<2xf32>, #pattern.dense source(@c.bias) batch_norm(
// CHECK-DAG: pattern.weights @fc.weight.bn : tensor<2x6xf32>, #pattern.block<rows = 2, cols = 2> source(@fc.weight) batch_norm(
// CHECK-DAG: pattern.weights @fc.bias.bn : tensor<2xf32>, #pattern.dense batch_norm(
module {
  pattern.weights @c.weight : tensor<2x3x3x3xf32>, #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<[[1, 0, 2], [0, 1, 1]]> : tensor<2x3xi8>
  pattern.weights @c.bias : tensor<2xf32>, #pattern.dense
  pattern.weights @fc.weight : tensor<2x6xf32>, #pattern.block<rows = 2, cols = 2>
  pattern.weights @s : tensor<2xf32>, #pattern.dense
  pattern.weights @h : tensor<2xf32>, #pattern.dense
  pattern.weights @m : tensor<2xf32>, #pattern.dense
  pattern.weights @v : tensor<2xf32>, #pattern.dense
  // CHECK-LABEL: func.func @masks_and_bias(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@c.weight.bn) bias(@c.bias.bn) {activation = #pattern.activation<silu>} :
  // CHECK-NEXT: return
  func.func @masks_and_bias(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32> {
    %0 = pattern.conv2d %x weights(@c.weight) bias(@c.bias) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
    %2 = pattern.activate %1 {activation = #pattern.activation<silu>} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
    return %2 : tensor<1x2x3x5xf32>
  }
  // CHECK-LABEL: func.func @linear(
  // CHECK-NEXT: pattern.linear %{{.*}} weights(@fc.weight.bn) bias(@fc.bias.bn) {activation = #pattern.activation<relu6>} :
  // CHECK-NEXT: return
  func.func @linear(%x: tensor<3x6xf32>) -> tensor<3x2xf32> {
    %0 = pattern.linear %x weights(@fc.weight) : tensor<3x6xf32> -> tensor<3x2xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<3x2xf32> -> tensor<3x2xf32>
    %2 = pattern.activate %1 {activation = #pattern.activation<relu6>} : tensor<3x2xf32> -> tensor<3x2xf32>
    return %2 : tensor<3x2xf32>
  }
}

// -----

#bn = #pattern.batch_norm<scale = @s, shift = @h, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>
#bn2 = #pattern.batch_norm<scale = @h, shift = @s, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>

// CHECK: pattern.weights @w : tensor<2x3x1x1xf32>
// CHECK-DAG: pattern.weights @w.bn : tensor<2x3x1x1xf32>, #pattern.dense source(@w) batch_norm(<scale = @s,
// CHECK-DAG: pattern.weights @w.bias.bn : tensor<2xf32>, #pattern.dense batch_norm(<scale = @s,
// CHECK-DAG: pattern.weights @w.bn_0 : tensor<2x3x1x1xf32>, #pattern.dense source(@w) batch_norm(<scale = @h,
// CHECK-DAG: pattern.weights @w.bn.bn : tensor<2x3x1x1xf32>, #pattern.dense source(@w.bn) batch_norm(<scale = @h,
// CHECK-DAG: pattern.weights @w.bias.bn.bn : tensor<2xf32>, #pattern.dense source(@w.bias.bn) batch_norm(<scale = @h,
module {
  pattern.weights @w : tensor<2x3x1x1xf32>, #pattern.dense
  pattern.weights @s : tensor<2xf32>, #pattern.dense
  pattern.weights @h : tensor<2xf32>, #pattern.dense
  pattern.weights @m : tensor<2xf32>, #pattern.dense
  pattern.weights @v : tensor<2xf32>, #pattern.dense
  // Two layers that share weights and batch norm share the folded weights; one with another batch
  // norm gets its own, under a name that is free.
  // CHECK-LABEL: func.func @shared_weights(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w.bn) bias(@w.bias.bn) :
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w.bn) bias(@w.bias.bn) :
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w.bn_0) bias(@w.bias.bn_{{.*}}) :
  // CHECK-NEXT: return
  func.func @shared_weights(%x: tensor<1x3x5x7xf32>, %y: tensor<1x3x2x4xf32>) -> (tensor<1x2x5x7xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>) {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x2x5x7xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x2x5x7xf32> -> tensor<1x2x5x7xf32>
    %2 = pattern.conv2d %y weights(@w) : tensor<1x3x2x4xf32> -> tensor<1x2x2x4xf32>
    %3 = pattern.batch_norm %2 {parameters = #bn} : tensor<1x2x2x4xf32> -> tensor<1x2x2x4xf32>
    %4 = pattern.conv2d %y weights(@w) : tensor<1x3x2x4xf32> -> tensor<1x2x2x4xf32>
    %5 = pattern.batch_norm %4 {parameters = #bn2} : tensor<1x2x2x4xf32> -> tensor<1x2x2x4xf32>
    return %1, %3, %5 : tensor<1x2x5x7xf32>, tensor<1x2x2x4xf32>, tensor<1x2x2x4xf32>
  }
  // CHECK-LABEL: func.func @two_batch_norms(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w.bn.bn) bias(@w.bias.bn.bn) :
  // CHECK-NEXT: return
  func.func @two_batch_norms(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x2x5x7xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x2x5x7xf32> -> tensor<1x2x5x7xf32>
    %2 = pattern.batch_norm %1 {parameters = #bn2} : tensor<1x2x5x7xf32> -> tensor<1x2x5x7xf32>
    return %2 : tensor<1x2x5x7xf32>
  }
}

// -----

// Weights that nothing uses go, and with them the weights that only they refer to.
// CHECK-LABEL: module
// CHECK-NEXT: pattern.weights @w
// CHECK-NEXT: func.func @dead_weights
module {
  pattern.weights @w : tensor<4x3x1x1xf32>, #pattern.dense
  pattern.weights @lost : tensor<4xf32>, #pattern.dense
  pattern.weights @lost.bn : tensor<4xf32>, #pattern.dense source(@lost) batch_norm(<scale = @lost, shift = @lost, mean = @lost, variance = @lost, epsilon = 1.0e-05 : f64>)
  func.func @dead_weights(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    return %0 : tensor<1x4x5x7xf32>
  }

  // Of two convolutions that are added, the later one takes the other as its residual.
  // CHECK-LABEL: func.func @later_convolution(
  // CHECK-NEXT: %[[A:.*]] = pattern.conv2d %{{.*}} weights(@w) {layer = "a"} :
  // CHECK-NEXT: %[[B:.*]] = pattern.conv2d %{{.*}} weights(@w) residual(%[[A]] : tensor<1x4x5x7xf32>) {layer = "b"} :
  // CHECK-NEXT: return %[[B]]
  func.func @later_convolution(%x: tensor<1x3x5x7xf32>, %y: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) {layer = "a"} : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.conv2d %y weights(@w) {layer = "b"} : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %2 = pattern.add %0, %1 : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %2 : tensor<1x4x5x7xf32>
  }

  // A convolution waits for its residual, and takes over the activation of the addition.
  // CHECK-LABEL: func.func @residual_comes_later(
  // CHECK-SAME: %[[X:[^:]*]]:
  // CHECK-NEXT: %[[S:.*]] = pattern.softmax
  // CHECK-NEXT: %[[Y:.*]] = pattern.conv2d %[[X]] weights(@w) residual(%[[S]] : tensor<1x4x5x7xf32>) {activation = #pattern.activation<relu>} :
  // CHECK-NEXT: return %[[Y]]
  func.func @residual_comes_later(%x: tensor<1x3x5x7xf32>, %y: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.softmax %y {axis = 1 : i64} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %2 = pattern.add %0, %1 {activation = #pattern.activation<relu>} : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %2 : tensor<1x4x5x7xf32>
  }

  // The layer pools last, but maximum and relu may change places.
  // CHECK-LABEL: func.func @pool_then_relu(
  // CHECK-NEXT: pattern.conv2d %{{.*}} {activation = #pattern.activation<relu>, pool = #pattern.pool<max, kernel = [2, 3], strides = [2, 3]>} : tensor<1x3x5x7xf32> -> tensor<1x4x2x2xf32>
  // CHECK-NEXT: return
  func.func @pool_then_relu(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x2x2xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.max_pool2d %0 {kernel = array<i64: 2, 3>, strides = array<i64: 2, 3>} : tensor<1x4x5x7xf32> -> tensor<1x4x2x2xf32>
    %2 = pattern.activate %1 {activation = #pattern.activation<relu>} : tensor<1x4x2x2xf32> -> tensor<1x4x2x2xf32>
    return %2 : tensor<1x4x2x2xf32>
  }

  // CHECK-LABEL: func.func @add_and_mul(
  // CHECK-NEXT: %[[A:.*]] = pattern.add %{{.*}} {activation = #pattern.activation<hardswish>} :
  // CHECK-NEXT: %[[M:.*]] = pattern.mul %[[A]], %{{.*}} {activation = #pattern.activation<leaky_relu, alpha = 1.000000e-01 : f32>} :
  // CHECK-NEXT: return %[[M]]
  func.func @add_and_mul(%a: tensor<1x4x5x7xf32>, %b: tensor<1x4x1x1xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.add %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.activate %0 {activation = #pattern.activation<hardswish>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %2 = pattern.mul %1, %b : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
    %3 = pattern.activate %2 {activation = #pattern.activation<leaky_relu, alpha = 0.1 : f32>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %3 : tensor<1x4x5x7xf32>
  }
}
