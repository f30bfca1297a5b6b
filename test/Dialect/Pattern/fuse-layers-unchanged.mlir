// RUN: pconv-opt %s -pattern-fuse-layers | FileCheck %s
// What has to stay as it is.

#bn = #pattern.batch_norm<scale = @v, shift = @v, mean = @v, variance = @v, epsilon = 1.0e-05 : f64>
#bn3 = #pattern.batch_norm<scale = @v3, shift = @v3, mean = @v3, variance = @v3, epsilon = 1.0e-05 : f64>
#bordered = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>

module {
  pattern.weights @w : tensor<4x3x1x1xf32>, #pattern.dense
  pattern.weights @v : tensor<4xf32>, #pattern.dense
  pattern.weights @v3 : tensor<3xf32>, #pattern.dense

  // CHECK-LABEL: func.func @batch_norm_of_an_input(
  // CHECK-NEXT: pattern.batch_norm
  // CHECK-NEXT: return
  func.func @batch_norm_of_an_input(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.batch_norm %x {parameters = #bn} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %0 : tensor<1x4x5x7xf32>
  }

  // CHECK-LABEL: func.func @batch_norm_before_convolution(
  // CHECK-NEXT: pattern.batch_norm
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: return
  func.func @batch_norm_before_convolution(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.batch_norm %x {parameters = #bn3} : tensor<1x3x5x7xf32> -> tensor<1x3x5x7xf32>
    %1 = pattern.conv2d %0 weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    return %1 : tensor<1x4x5x7xf32>
  }

  // CHECK-LABEL: func.func @batch_norm_after_activation(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) {activation = #pattern.activation<relu>} :
  // CHECK-NEXT: pattern.batch_norm
  // CHECK-NEXT: return
  func.func @batch_norm_after_activation(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.activate %0 {activation = #pattern.activation<relu>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %2 = pattern.batch_norm %1 {parameters = #bn} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %2 : tensor<1x4x5x7xf32>
  }

  // CHECK-LABEL: func.func @batch_norm_after_residual(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) residual(
  // CHECK-NEXT: pattern.batch_norm
  // CHECK-NEXT: return
  func.func @batch_norm_after_residual(%x: tensor<1x3x5x7xf32>, %r: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.add %r, %0 : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %2 = pattern.batch_norm %1 {parameters = #bn} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %2 : tensor<1x4x5x7xf32>
  }

  // CHECK-LABEL: func.func @result_used_twice(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.batch_norm
  // CHECK-NEXT: pattern.activate
  // CHECK-NEXT: pattern.max_pool2d
  // CHECK-NEXT: return
  func.func @result_used_twice(%x: tensor<1x3x4x8xf32>) -> (tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>, tensor<1x4x2x4xf32>) {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x4x8xf32> -> tensor<1x4x4x8xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32>
    %2 = pattern.activate %0 {activation = #pattern.activation<relu>} : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32>
    %3 = pattern.max_pool2d %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x4x8xf32> -> tensor<1x4x2x4xf32>
    return %1, %2, %3 : tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32>, tensor<1x4x2x4xf32>
  }

  // CHECK-LABEL: func.func @add_to_itself(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.add
  // CHECK-NEXT: return
  func.func @add_to_itself(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.add %0, %0 : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %1 : tensor<1x4x5x7xf32>
  }

  // CHECK-LABEL: func.func @add_that_broadcasts(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.add
  // CHECK-NEXT: return
  func.func @add_that_broadcasts(%x: tensor<1x3x5x7xf32>, %r: tensor<1x4x1x1xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.add %0, %r : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
    return %1 : tensor<1x4x5x7xf32>
  }

  // relu(conv) + r is no residual: the layer would add before it applies the function.
  // CHECK-LABEL: func.func @add_after_activation(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) {activation
  // CHECK-NEXT: pattern.add
  // CHECK-NEXT: return
  func.func @add_after_activation(%x: tensor<1x3x5x7xf32>, %r: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) {activation = #pattern.activation<relu>} : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.add %0, %r : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %1 : tensor<1x4x5x7xf32>
  }

  // CHECK-LABEL: func.func @second_activation(
  // CHECK-NEXT: pattern.conv2d %{{.*}} {activation = #pattern.activation<sigmoid>} :
  // CHECK-NEXT: pattern.activate
  // CHECK-NEXT: return
  func.func @second_activation(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.activate %0 {activation = #pattern.activation<sigmoid>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %2 = pattern.activate %1 {activation = #pattern.activation<relu>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    return %2 : tensor<1x4x5x7xf32>
  }

  // silu falls before it rises: it may not change places with a maximum. Nor may a leaky relu whose
  // left branch falls.
  // CHECK-LABEL: func.func @pool_then_silu(
  // CHECK-NEXT: pattern.conv2d %{{.*}} {pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>} :
  // CHECK-NEXT: pattern.activate
  // CHECK-NEXT: return
  func.func @pool_then_silu(%x: tensor<1x3x4x8xf32>) -> tensor<1x4x2x4xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x4x8xf32> -> tensor<1x4x4x8xf32>
    %1 = pattern.max_pool2d %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x4x8xf32> -> tensor<1x4x2x4xf32>
    %2 = pattern.activate %1 {activation = #pattern.activation<silu>} : tensor<1x4x2x4xf32> -> tensor<1x4x2x4xf32>
    return %2 : tensor<1x4x2x4xf32>
  }

  // CHECK-LABEL: func.func @pool_then_falling_leaky_relu(
  // CHECK-NEXT: pattern.conv2d %{{.*}} {pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>} :
  // CHECK-NEXT: pattern.activate
  // CHECK-NEXT: return
  func.func @pool_then_falling_leaky_relu(%x: tensor<1x3x4x8xf32>) -> tensor<1x4x2x4xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x4x8xf32> -> tensor<1x4x4x8xf32>
    %1 = pattern.max_pool2d %0 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x4x8xf32> -> tensor<1x4x2x4xf32>
    %2 = pattern.activate %1 {activation = #pattern.activation<leaky_relu, alpha = -0.5 : f32>} : tensor<1x4x2x4xf32> -> tensor<1x4x2x4xf32>
    return %2 : tensor<1x4x2x4xf32>
  }

  // CHECK-LABEL: func.func @pools_that_differ(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.max_pool2d
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.max_pool2d
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.max_pool2d
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.max_pool2d
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // CHECK-NEXT: pattern.avg_pool2d
  // CHECK-NEXT: return
  func.func @pools_that_differ(%x: tensor<1x3x5x7xf32>) -> (tensor<1x4x2x3xf32>, tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>, tensor<1x4x1x1xf32>, tensor<1x4x2x3xf32>) {
    // Windows that overlap,
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.max_pool2d %0 {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>} : tensor<1x4x5x7xf32> -> tensor<1x4x2x3xf32>
    // that hang over the edge,
    %2 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %3 = pattern.max_pool2d %2 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x5x7xf32> -> tensor<1x4x3x4xf32>
    // with padding,
    %4 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %5 = pattern.max_pool2d %4 {kernel = array<i64: 2, 2>, padding = array<i64: 1, 1, 0, 0>, strides = array<i64: 2, 2>} : tensor<1x4x5x7xf32> -> tensor<1x4x3x4xf32>
    // with dilation,
    %6 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %7 = pattern.max_pool2d %6 {dilations = array<i64: 2, 2>, kernel = array<i64: 3, 3>, strides = array<i64: 3, 3>} : tensor<1x4x5x7xf32> -> tensor<1x4x1x1xf32>
    // and a mean.
    %8 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %9 = pattern.avg_pool2d %8 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x5x7xf32> -> tensor<1x4x2x3xf32>
    return %1, %3, %5, %7, %9 : tensor<1x4x2x3xf32>, tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>, tensor<1x4x1x1xf32>, tensor<1x4x2x3xf32>
  }

  // CHECK-LABEL: func.func @another_layout(
  // CHECK: pattern.conv2d
  // CHECK: pattern.add
  // CHECK: pattern.conv2d
  // CHECK: pattern.activate
  func.func @another_layout(%x: tensor<1x3x5x7xf32>, %r: tensor<1x4x5x7xf32>)
      -> (tensor<1x4x5x7xf32, #bordered>, tensor<1x4x5x7xf32, #bordered>) {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.add %0, %r : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #bordered>
    %2 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %3 = pattern.activate %2 {activation = #pattern.activation<relu>}
        : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #bordered>
    return %1, %3 : tensor<1x4x5x7xf32, #bordered>, tensor<1x4x5x7xf32, #bordered>
  }
}
