// A small network as the importer leaves it: a convolution with kernel patterns and all that can be
// fused into it, a strided one, a residual, and a classifier.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#bn = #pattern.batch_norm<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var, epsilon = 1.0e-05 : f64>
module attributes {pattern.stage = "imported", pattern.target = #TARGET} {
  pattern.weights @conv1.weight : tensor<4x4x3x3xf32>, #pattern.kernel<#library>,
      kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0], [1, 0, 0, 0], [0, 0, 2, 0]]> : tensor<4x4xi8>
  pattern.weights @bn.weight : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.bias : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.mean : tensor<4xf32>, #pattern.dense
  pattern.weights @bn.var : tensor<4xf32>, #pattern.dense
  pattern.weights @conv2.weight : tensor<4x4x3x3xf32>, #pattern.kernel<#library>,
      kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0], [0, 0, 0, 0], [0, 0, 1, 0]]> : tensor<4x4xi8>
  pattern.weights @down.weight : tensor<6x4x1x1xf32>, #pattern.dense
  pattern.weights @fc.weight : tensor<10x6xf32>, #pattern.dense
  pattern.weights @fc.bias : tensor<10xf32>, #pattern.dense
  func.func @main(%x: tensor<1x4x14x14xf32> {pattern.name = "input"}) -> (tensor<1x10xf32> {pattern.name = "output"}) {
    %0 = pattern.conv2d %x weights(@conv1.weight) {layer = "conv1", padding = array<i64: 1, 1, 1, 1>}
        : tensor<1x4x14x14xf32> -> tensor<1x4x14x14xf32>
    %1 = pattern.batch_norm %0 {layer = "bn", parameters = #bn} : tensor<1x4x14x14xf32> -> tensor<1x4x14x14xf32>
    %2 = pattern.activate %1 {activation = #pattern.activation<relu>, layer = "relu"}
        : tensor<1x4x14x14xf32> -> tensor<1x4x14x14xf32>
    %3 = pattern.conv2d %2 weights(@conv2.weight) {layer = "conv2", padding = array<i64: 1, 1, 1, 1>}
        : tensor<1x4x14x14xf32> -> tensor<1x4x14x14xf32>
    %4 = pattern.add %3, %2 {layer = "add"}
        : tensor<1x4x14x14xf32>, tensor<1x4x14x14xf32> -> tensor<1x4x14x14xf32>
    %5 = pattern.conv2d %4 weights(@down.weight) {layer = "down", strides = array<i64: 2, 2>}
        : tensor<1x4x14x14xf32> -> tensor<1x6x7x7xf32>
    %6 = pattern.adaptive_avg_pool2d %5 {layer = "mean"} : tensor<1x6x7x7xf32> -> tensor<1x6x1x1xf32>
    %7 = pattern.reshape %6 {layer = "flat"} : tensor<1x6x1x1xf32> -> tensor<1x6xf32>
    %8 = pattern.linear %7 weights(@fc.weight) bias(@fc.bias) {layer = "fc"} : tensor<1x6xf32> -> tensor<1x10xf32>
    %9 = pattern.softmax %8 {axis = 1 : i64, layer = "softmax"} : tensor<1x10xf32> -> tensor<1x10xf32>
    return %9 : tensor<1x10xf32>
  }
}
