// RUN: pconv-opt %s | pconv-opt | FileCheck %s
// RUN: pconv-opt %s --mlir-print-op-generic | pconv-opt | FileCheck %s
// RUN: pconv-opt %s --emit-bytecode | pconv-opt | FileCheck %s

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>

// CHECK: pattern.weights @conv.weight : tensor<2x3x3x3xf32>, #pattern.kernel<#pattern.library<3x3, {{\[\[}}0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<{{\[\[}}1, 0, 2], [0, 1, 1]]> : tensor<2x3xi8>
pattern.weights @conv.weight : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>,
    kernels = dense<[[1, 0, 2], [0, 1, 1]]> : tensor<2x3xi8>

// CHECK: pattern.weights @splat.weight : tensor<2x3x3x3xf32>,
// CHECK-SAME: kernels = dense<1> : tensor<2x3xi8>
pattern.weights @splat.weight : tensor<2x3x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<1> : tensor<2x3xi8>

// CHECK: pattern.weights @conv.bias : tensor<2xf32>, #pattern.dense
pattern.weights @conv.bias : tensor<2xf32>, #pattern.dense
pattern.weights @bn.weight : tensor<2xf32>, #pattern.dense
pattern.weights @bn.bias : tensor<2xf32>, #pattern.dense
pattern.weights @bn.mean : tensor<2xf32>, #pattern.dense
pattern.weights @bn.var : tensor<2xf32>, #pattern.dense

// CHECK: pattern.weights @folded.weight : tensor<2x3x3x3xf32>, #pattern.unstructured source(@conv.weight)
// CHECK-SAME: batch_norm(<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var, epsilon = 1.000000e-05 : f64>)
pattern.weights @folded.weight : tensor<2x3x3x3xf32>, #pattern.unstructured source(@conv.weight)
    batch_norm(<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var,
                epsilon = 1.000000e-05 : f64>)

// A folded bias whose convolution had none.
// CHECK: pattern.weights @folded.bias : tensor<2xf32>, #pattern.dense batch_norm(
pattern.weights @folded.bias : tensor<2xf32>, #pattern.dense
    batch_norm(<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var,
                epsilon = 1.000000e-05 : f64>)

// CHECK: pattern.weights @grouped.weight : tensor<6x1x3x1xf32>, #pattern.dense
pattern.weights @grouped.weight : tensor<6x1x3x1xf32>, #pattern.dense
pattern.weights @fc.weight : tensor<5x12xf32>, #pattern.dense
pattern.weights @fc.bias : tensor<5xf32>, #pattern.dense

// CHECK: pattern.packed @conv.packed weights(@conv.weight) form = <panels> values = 0 count = 54 indices = 0 {filter_block = 2 : i64}
pattern.packed @conv.packed weights(@conv.weight) form = #pattern.form<panels>
    values = 0 count = 54 indices = 0 {filter_block = 2 : i64}

// CHECK: pattern.packed @conv.runs weights(@conv.weight) bias(@conv.bias) form = <runs> values = 64 count = 4 indices = 3 {csr_bytes = 76 : i64, gather = dense<{{.*}}> : tensor<4xi32>, index = dense<[1, 2, 0]> : tensor<3xi32>, index_bytes = 12 : i64}
pattern.packed @conv.runs weights(@conv.weight) bias(@conv.bias) form = #pattern.form<runs>
    values = 64 count = 4 indices = 3
    {index = dense<[1, 2, 0]> : tensor<3xi32>, gather = dense<[0, 1, 3, 4]> : tensor<4xi32>,
     index_bytes = 12 : i64, csr_bytes = 76 : i64}

// CHECK-LABEL: @conv2d
// CHECK: pattern.conv2d %{{.*}} weights(@conv.weight) bias(@conv.bias) {activation = #pattern.activation<relu>, layer = "features.0", padding = array<i64: 1, 1, 1, 1>} : tensor<1x3x5x7xf32> -> tensor<1x2x5x7xf32>
func.func @conv2d(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x5x7xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) bias(@conv.bias)
      {padding = array<i64: 1, 1, 1, 1>, activation = #pattern.activation<relu>,
       layer = "features.0"}
      : tensor<1x3x5x7xf32> -> tensor<1x2x5x7xf32>
  return %y : tensor<1x2x5x7xf32>
}

// CHECK-LABEL: @conv2d_with_residual
// CHECK: pattern.conv2d %{{.*}} weights(@conv.weight) residual(%{{.*}} : tensor<1x2x3x5xf32>) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
func.func @conv2d_with_residual(%x: tensor<1x3x5x7xf32>, %r: tensor<1x2x3x5xf32>)
    -> tensor<1x2x3x5xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) residual(%r : tensor<1x2x3x5xf32>)
      : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  return %y : tensor<1x2x3x5xf32>
}

// 4 x 7 before pooling.
// CHECK-LABEL: @conv2d_with_pool
// CHECK: pool = #pattern.pool<max, kernel = [2, 3], strides = [2, 2]>
func.func @conv2d_with_pool(%x: tensor<1x3x6x7xf32>) -> tensor<1x2x2x3xf32> {
  %y = pattern.conv2d %x weights(@conv.weight)
      {padding = array<i64: 0, 1, 0, 1>, pool = #pattern.pool<max, kernel = [2, 3], strides = [2, 2]>}
      : tensor<1x3x6x7xf32> -> tensor<1x2x2x3xf32>
  return %y : tensor<1x2x2x3xf32>
}

// Different numbers for the two directions: (9 + 1 + 0 - 2 * 2 - 1) / 2 + 1 = 3 rows,
// (8 + 0 + 2 - 1) / 3 + 1 = 4 columns.
// CHECK-LABEL: @conv2d_with_groups
// CHECK: pattern.conv2d %{{.*}} weights(@grouped.weight)
// CHECK-SAME: dilations = array<i64: 2, 1>
// CHECK-SAME: groups = 3 : i64
func.func @conv2d_with_groups(%x: tensor<2x3x9x8xf32>) -> tensor<2x6x3x4xf32> {
  %y = pattern.conv2d %x weights(@grouped.weight)
      {groups = 3 : i64, strides = array<i64: 2, 3>, dilations = array<i64: 2, 1>,
       padding = array<i64: 1, 0, 0, 2>}
      : tensor<2x3x9x8xf32> -> tensor<2x6x3x4xf32>
  return %y : tensor<2x6x3x4xf32>
}

// CHECK-LABEL: @conv2d_with_plan
// CHECK: filter_order = array<i32: 1, 0>
// CHECK-SAME: packed = @conv.runs
// CHECK-SAME: place = 128 : i64
func.func @conv2d_with_plan(
    %x: tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>)
    -> tensor<1x2x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>> {
  %y = pattern.conv2d %x weights(@conv.weight) bias(@conv.bias)
      {padding = array<i64: 1, 1, 1, 1>, filter_order = array<i32: 1, 0>,
       schedule = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3,
                                    filter_block = 2, channel_block = 16>,
       loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 0, 2, 1, 0, 1, 1, 1, 2],
                              uses = [[0, 1, 3, 4], [1, 2, 4, 5]]>,
       packed = @conv.runs, place = 128 : i64}
      : tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>
      -> tensor<1x2x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>>
  return %y : tensor<1x2x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>>
}

// CHECK-LABEL: @linear
// CHECK: pattern.linear %{{.*}} weights(@fc.weight) bias(@fc.bias) : tensor<1x12xf32> -> tensor<1x5xf32>
func.func @linear(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = pattern.linear %x weights(@fc.weight) bias(@fc.bias) : tensor<1x12xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

// CHECK-LABEL: @batch_norm
// CHECK: pattern.batch_norm %{{.*}} {parameters = #pattern.batch_norm<scale = @bn.weight,
func.func @batch_norm(%x: tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32> {
  %y = pattern.batch_norm %x
      {parameters = #pattern.batch_norm<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean,
                                        variance = @bn.var, epsilon = 1.000000e-05 : f64>}
      : tensor<1x2x5x7xf32> -> tensor<1x2x5x7xf32>
  return %y : tensor<1x2x5x7xf32>
}

// CHECK-LABEL: @max_pool2d
// CHECK: pattern.max_pool2d %{{.*}} {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
func.func @max_pool2d(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x3x4xf32> {
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

// (6 - 3) / 2 + 1 is 2 rounded down and 3 rounded up, (9 - 3) / 2 + 1 is 4.
// CHECK-LABEL: @max_pool2d_rounded_up
// CHECK: tensor<1x4x6x9xf32> -> tensor<1x4x3x4xf32>
func.func @max_pool2d_rounded_up(%x: tensor<1x4x6x9xf32>) -> tensor<1x4x3x4xf32> {
  %y = pattern.max_pool2d %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x9xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

// CHECK-LABEL: @avg_pool2d
// CHECK: pattern.avg_pool2d %{{.*}} {count_padding, kernel = array<i64: 3, 2>, padding = array<i64: 1, 0, 1, 0>, strides = array<i64: 2, 2>}
func.func @avg_pool2d(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x3x4xf32> {
  %y = pattern.avg_pool2d %x
      {kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>, padding = array<i64: 1, 0, 1, 0>,
       count_padding}
      : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

// CHECK-LABEL: @adaptive_avg_pool2d
// CHECK: pattern.adaptive_avg_pool2d %{{.*}} : tensor<1x4x6x8xf32> -> tensor<1x4x1x3xf32>
func.func @adaptive_avg_pool2d(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x1x3xf32> {
  %y = pattern.adaptive_avg_pool2d %x : tensor<1x4x6x8xf32> -> tensor<1x4x1x3xf32>
  return %y : tensor<1x4x1x3xf32>
}

// CHECK-LABEL: @activate
// CHECK: pattern.activate %{{.*}} {activation = #pattern.activation<silu>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
func.func @activate(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<silu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @add
// CHECK: pattern.add %{{.*}}, %{{.*}} : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
func.func @add(%a: tensor<1x4x5x7xf32>, %b: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.add %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @mul
// CHECK: pattern.mul %{{.*}}, %{{.*}} {activation = #pattern.activation<relu6>} : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
func.func @mul(%a: tensor<1x4x5x7xf32>, %b: tensor<1x4x1x1xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.mul %a, %b {activation = #pattern.activation<relu6>}
      : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @concat
// CHECK: pattern.concat %{{.*}}, %{{.*}} {axis = 1 : i64} : tensor<1x4x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x6x5x7xf32>
func.func @concat(%a: tensor<1x4x5x7xf32>, %b: tensor<1x2x5x7xf32>) -> tensor<1x6x5x7xf32> {
  %y = pattern.concat %a, %b {axis = 1 : i64}
      : tensor<1x4x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x6x5x7xf32>
  return %y : tensor<1x6x5x7xf32>
}

// CHECK-LABEL: @reshape
// CHECK: pattern.reshape %{{.*}} : tensor<1x4x2x3xf32> -> tensor<1x24xf32>
func.func @reshape(%x: tensor<1x4x2x3xf32>) -> tensor<1x24xf32> {
  %y = pattern.reshape %x : tensor<1x4x2x3xf32> -> tensor<1x24xf32>
  return %y : tensor<1x24xf32>
}

// CHECK-LABEL: @softmax
// CHECK: pattern.softmax %{{.*}} {axis = 1 : i64} : tensor<2x5xf32> -> tensor<2x5xf32>
func.func @softmax(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %y = pattern.softmax %x {axis = 1 : i64} : tensor<2x5xf32> -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// CHECK-LABEL: @resize
// CHECK: pattern.resize %{{.*}} {align_corners, mode = #pattern.resize_mode<bilinear>} : tensor<1x4x3x4xf32> -> tensor<1x4x6x9xf32>
func.func @resize(%x: tensor<1x4x3x4xf32>) -> tensor<1x4x6x9xf32> {
  %y = pattern.resize %x {mode = #pattern.resize_mode<bilinear>, align_corners}
      : tensor<1x4x3x4xf32> -> tensor<1x4x6x9xf32>
  return %y : tensor<1x4x6x9xf32>
}

// CHECK-LABEL: @relayout
// CHECK: pattern.relayout %{{.*}} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>
func.func @relayout(%x: tensor<1x4x5x7xf32>)
    -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>> {
  %y = pattern.relayout %x : tensor<1x4x5x7xf32>
      -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>
  return %y : tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>
}
