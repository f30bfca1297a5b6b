// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A small network with every packed form, ready to be packed.
#library = #pattern.library<3x3, [[0, 1, 3], [1, 4, 7]]>
#machine = #pattern.target<lanes = 4, registers = 16, fma = false, l1 = 32768, l2 = 524288>
#x = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 112>
#y = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 112>
#z = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 80>
#one = #pattern.plane<halo = 0, row_stride = 1, channel_stride = 48>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 2, filter_block = 2, channel_block = 2>
#records = #pattern.schedule<dataflow = staged, rows = 2, vectors = 2, filter_block = 2, channel_block = 2>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 2, channel_block = 3>
#panel = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 8, channel_block = 3>
#shared = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1, 2, 1], uses = [[0, 1, 2], [1, 3, 4]]>
#pairs = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0, 0, 1, 1, 1, 2, 1], uses = [[0, 1, 2], [2, 3, 4]], pairs = 1>
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-3 : f64>
module attributes {pattern.stage = "planned", pattern.target = #machine} {
  pattern.weights @w : tensor<3x3x3x3xf32>, #pattern.kernel<#library>,
      kernels = dense<[[1, 0, 2], [2, 1, 0], [0, 2, 1]]> : tensor<3x3xi8>
  pattern.weights @d : tensor<3x3x3x3xf32>, #pattern.dense
  pattern.weights @s : tensor<3xf32>, #pattern.dense
  pattern.weights @fc : tensor<5x3xf32>, #pattern.dense
  pattern.weights @fc.bias : tensor<5xf32>, #pattern.dense
  func.func @main(%in: tensor<2x3x5x7xf32> {pattern.name = "x"}) -> (tensor<2x5xf32> {pattern.name = "y"}) {
    %x = pattern.relayout %in : tensor<2x3x5x7xf32> -> tensor<2x3x5x7xf32, #x>
    %0 = pattern.conv2d %x weights(@w) bias(@s)
        {filter_order = array<i32: 2, 0, 1>, loads = #shared, padding = array<i64: 1, 1, 1, 1>, schedule = #runs}
        : tensor<2x3x5x7xf32, #x> -> tensor<2x3x5x7xf32, #y>
    %1 = pattern.conv2d %0 weights(@w) residual(%x : tensor<2x3x5x7xf32, #x>)
        {filter_order = array<i32: 0, 2, 1>, loads = #pairs, padding = array<i64: 1, 1, 1, 1>, schedule = #records}
        : tensor<2x3x5x7xf32, #y> -> tensor<2x3x5x7xf32, #y>
    %2 = pattern.conv2d %1 weights(@d) {padding = array<i64: 1, 1, 1, 1>, schedule = #dense}
        : tensor<2x3x5x7xf32, #y> -> tensor<2x3x5x7xf32, #z>
    %3 = pattern.batch_norm %2 {parameters = #bn} : tensor<2x3x5x7xf32, #z> -> tensor<2x3x5x7xf32, #z>
    %4 = pattern.adaptive_avg_pool2d %3 : tensor<2x3x5x7xf32, #z> -> tensor<2x3x1x1xf32, #one>
    %5 = pattern.relayout %4 : tensor<2x3x1x1xf32, #one> -> tensor<2x3x1x1xf32>
    %6 = pattern.reshape %5 : tensor<2x3x1x1xf32> -> tensor<2x3xf32>
    %y = pattern.linear %6 weights(@fc) bias(@fc.bias) {schedule = #panel} : tensor<2x3xf32> -> tensor<2x5xf32>
    return %y : tensor<2x5xf32>
  }
}
