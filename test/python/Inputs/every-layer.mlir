// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small network with every layer of the dialect.
module attributes {pattern.stage = "imported"} {
  pattern.weights @sparse : tensor<5x3x3x3xf32>,
      #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4], [4]]>>,
      kernels = dense<[[1, 0, 2], [0, 1, 0], [2, 1, 0], [1, 0, 3], [0, 0, 2]]> : tensor<5x3xi8>
  pattern.weights @strided : tensor<4x5x3x3xf32>,
      #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>,
      kernels = dense<[[1, 0, 2, 0, 0], [0, 1, 0, 1, 0], [2, 1, 0, 0, 2], [1, 0, 0, 0, 0]]> : tensor<4x5xi8>
  pattern.weights @grouped : tensor<4x1x3x2xf32>, #pattern.unstructured
  pattern.weights @bias : tensor<5xf32>, #pattern.dense
  pattern.weights @mean : tensor<4xf32>, #pattern.dense
  pattern.weights @variance : tensor<4xf32>, #pattern.dense
  pattern.weights @classes : tensor<6x24xf32>, #pattern.dense
  pattern.weights @classes.bias : tensor<6xf32>, #pattern.dense
  func.func @main(%x: tensor<2x3x11x13xf32> {pattern.name = "x"})
      -> (tensor<2x6xf32> {pattern.name = "y"}, tensor<2x9x5x6xf32> {pattern.name = "z"}) {
    %a = pattern.conv2d %x weights(@sparse) bias(@bias)
        {layer = "a", padding = array<i64: 1, 1, 1, 1>}
        : tensor<2x3x11x13xf32> -> tensor<2x5x11x13xf32>
    %b = pattern.activate %a {layer = "b", activation = #pattern.activation<leaky_relu, alpha = 0.125 : f32>}
        : tensor<2x5x11x13xf32> -> tensor<2x5x11x13xf32>
    %c = pattern.max_pool2d %b {layer = "c", kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
        : tensor<2x5x11x13xf32> -> tensor<2x5x5x6xf32>
    %d = pattern.conv2d %b weights(@strided)
        {layer = "d", strides = array<i64: 2, 2>, padding = array<i64: 0, 0, 0, 1>}
        : tensor<2x5x11x13xf32> -> tensor<2x4x5x6xf32>
    %e = pattern.batch_norm %d {layer = "e", parameters = #pattern.batch_norm<scale = @mean,
        shift = @variance, mean = @mean, variance = @variance, epsilon = 1.0e-5 : f64>}
        : tensor<2x4x5x6xf32> -> tensor<2x4x5x6xf32>
    %f = pattern.conv2d %e weights(@grouped)
        {layer = "f", groups = 4 : i64, padding = array<i64: 2, 1, 0, 0>, dilations = array<i64: 1, 1>}
        : tensor<2x4x5x6xf32> -> tensor<2x4x5x6xf32>
    %g = pattern.add %f, %d {layer = "g"}
        : tensor<2x4x5x6xf32>, tensor<2x4x5x6xf32> -> tensor<2x4x5x6xf32>
    %h = pattern.adaptive_avg_pool2d %g {layer = "h"}
        : tensor<2x4x5x6xf32> -> tensor<2x4x1x1xf32>
    %i = pattern.mul %g, %h {layer = "i"}
        : tensor<2x4x5x6xf32>, tensor<2x4x1x1xf32> -> tensor<2x4x5x6xf32>
    %j = pattern.concat %i, %c {layer = "j", axis = 1 : i64}
        : tensor<2x4x5x6xf32>, tensor<2x5x5x6xf32> -> tensor<2x9x5x6xf32>
    %k = pattern.avg_pool2d %i {layer = "k", kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>,
        padding = array<i64: 1, 0, 0, 0>, count_padding}
        : tensor<2x4x5x6xf32> -> tensor<2x4x2x3xf32>
    %l = pattern.resize %k {layer = "l", mode = #pattern.resize_mode<bilinear>, align_corners}
        : tensor<2x4x2x3xf32> -> tensor<2x4x3x2xf32>
    %m = pattern.reshape %l {layer = "m"} : tensor<2x4x3x2xf32> -> tensor<2x24xf32>
    %n = pattern.linear %m weights(@classes) bias(@classes.bias) {layer = "n"}
        : tensor<2x24xf32> -> tensor<2x6xf32>
    %y = pattern.softmax %n {layer = "y", axis = 1 : i64} : tensor<2x6xf32> -> tensor<2x6xf32>
    return %y, %j : tensor<2x6xf32>, tensor<2x9x5x6xf32>
  }
}
