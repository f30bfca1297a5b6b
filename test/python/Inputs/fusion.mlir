// Every fusion there is, and every one that has to be left alone for the sake of the numbers.

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7]]>
#bn = #pattern.batch_norm<scale = @bn.s, shift = @bn.h, mean = @bn.m, variance = @bn.v, epsilon = 1.0e-03 : f64>
#bn2 = #pattern.batch_norm<scale = @bn2.s, shift = @bn2.h, mean = @bn2.m, variance = @bn2.v, epsilon = 1.0e-05 : f64>
#relu = #pattern.activation<relu>
#silu = #pattern.activation<silu>
#leaky = #pattern.activation<leaky_relu, alpha = 0.1 : f32>
module attributes {pattern.stage = "imported"} {
  pattern.weights @a : tensor<4x3x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1, 0, 3], [0, 2, 1], [2, 2, 0], [0, 3, 1]]> : tensor<4x3xi8>
  pattern.weights @b : tensor<4x4x3x3xf32>, #pattern.dense
  pattern.weights @b.bias : tensor<4xf32>, #pattern.dense
  pattern.weights @c : tensor<4x4x1x1xf32>, #pattern.dense
  pattern.weights @fc : tensor<4x12xf32>, #pattern.dense
  pattern.weights @bn.s : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.h : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.m : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.v : tensor<4xf32>, #pattern.dense
  pattern.weights @bn2.s : tensor<4xf32>, #pattern.dense
  pattern.weights @bn2.h : tensor<4xf32>, #pattern.dense
  pattern.weights @bn2.m : tensor<4xf32>, #pattern.dense
  pattern.weights @bn2.v : tensor<4xf32>, #pattern.dense
  func.func @main(%x: tensor<2x3x7x11xf32>) -> (tensor<2x4xf32>, tensor<2x4x3x5xf32>) {
    // conv, batch norm, activation; its result is used three times
    %0 = pattern.conv2d %x weights(@a) {padding = array<i64: 1, 1, 1, 1>} : tensor<2x3x7x11xf32> -> tensor<2x4x7x11xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<2x4x7x11xf32> -> tensor<2x4x7x11xf32>
    %2 = pattern.activate %1 {activation = #relu} : tensor<2x4x7x11xf32> -> tensor<2x4x7x11xf32>
    // two batch norms; a residual that is there before; pooling of an odd plane
    %3 = pattern.conv2d %2 weights(@b) bias(@b.bias) {padding = array<i64: 1, 1, 1, 1>} : tensor<2x4x7x11xf32> -> tensor<2x4x7x11xf32>
    %4 = pattern.batch_norm %3 {parameters = #bn} : tensor<2x4x7x11xf32> -> tensor<2x4x7x11xf32>
    %5 = pattern.batch_norm %4 {parameters = #bn2} : tensor<2x4x7x11xf32> -> tensor<2x4x7x11xf32>
    %6 = pattern.add %2, %5 : tensor<2x4x7x11xf32>, tensor<2x4x7x11xf32> -> tensor<2x4x7x11xf32>
    %7 = pattern.activate %6 {activation = #silu} : tensor<2x4x7x11xf32> -> tensor<2x4x7x11xf32>
    %8 = pattern.max_pool2d %7 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<2x4x7x11xf32> -> tensor<2x4x3x5xf32>
    // pooled first: relu and leaky relu may change places with the maximum, silu may not
    %9 = pattern.conv2d %8 weights(@c) : tensor<2x4x3x5xf32> -> tensor<2x4x3x5xf32>
    %10 = pattern.max_pool2d %9 {kernel = array<i64: 1, 2>, strides = array<i64: 1, 2>} : tensor<2x4x3x5xf32> -> tensor<2x4x3x2xf32>
    %11 = pattern.activate %10 {activation = #leaky} : tensor<2x4x3x2xf32> -> tensor<2x4x3x2xf32>
    %12 = pattern.conv2d %8 weights(@c) : tensor<2x4x3x5xf32> -> tensor<2x4x3x5xf32>
    %13 = pattern.max_pool2d %12 {kernel = array<i64: 1, 2>, strides = array<i64: 1, 2>} : tensor<2x4x3x5xf32> -> tensor<2x4x3x2xf32>
    %14 = pattern.activate %13 {activation = #silu} : tensor<2x4x3x2xf32> -> tensor<2x4x3x2xf32>
    %15 = pattern.mul %11, %14 : tensor<2x4x3x2xf32>, tensor<2x4x3x2xf32> -> tensor<2x4x3x2xf32>
    %16 = pattern.max_pool2d %15 {kernel = array<i64: 1, 2>, strides = array<i64: 1, 2>} : tensor<2x4x3x2xf32> -> tensor<2x4x3x1xf32>
    %17 = pattern.reshape %16 : tensor<2x4x3x1xf32> -> tensor<2x12xf32>
    %18 = pattern.linear %17 weights(@fc) : tensor<2x12xf32> -> tensor<2x4xf32>
    %19 = pattern.batch_norm %18 {parameters = #bn2} : tensor<2x4xf32> -> tensor<2x4xf32>
    // a residual that has to wait for its other operand, and a batch norm that has to stay
    %20 = pattern.conv2d %8 weights(@c) : tensor<2x4x3x5xf32> -> tensor<2x4x3x5xf32>
    %21 = pattern.batch_norm %8 {parameters = #bn} : tensor<2x4x3x5xf32> -> tensor<2x4x3x5xf32>
    %22 = pattern.add %20, %21 : tensor<2x4x3x5xf32>, tensor<2x4x3x5xf32> -> tensor<2x4x3x5xf32>
    %23 = pattern.activate %22 {activation = #relu} : tensor<2x4x3x5xf32> -> tensor<2x4x3x5xf32>
    return %19, %23 : tensor<2x4xf32>, tensor<2x4x3x5xf32>
  }
}
