// RUN: pconv-opt %s -convert-pattern-to-linalg -mlir-print-local-scope | FileCheck %s
// RUN: pconv-opt %s -convert-pattern-to-linalg -convert-pattern-to-linalg -mlir-print-local-scope | FileCheck %s
// What is left runs on upstream passes alone.
// RUN: pconv-opt %s -pass-pipeline='builtin.module(convert-pattern-to-linalg,one-shot-bufferize{bufferize-function-boundaries=1},convert-linalg-to-loops)' | FileCheck %s --check-prefix=LOOPS
// LOOPS-LABEL: func.func @main
// LOOPS-NOT: linalg.
// LOOPS-NOT: pattern.conv2d

module attributes {pattern.stage = "fused"} {

pattern.weights @fc.weight : tensor<5x12xf32>, #pattern.dense
pattern.weights @fc.bias : tensor<5xf32>, #pattern.dense

// The example of the pass description. The stage is gone, and so are the weights.
// CHECK: module {
// CHECK-NEXT: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<1x12xf32>, %[[W:.*]]: tensor<5x12xf32> {pattern.weights = @fc.weight}, %[[B:.*]]: tensor<5xf32> {pattern.weights = @fc.bias}) -> tensor<1x5xf32> {
// CHECK-NEXT: %[[EMPTY:.*]] = tensor.empty() : tensor<1x5xf32>
// CHECK-NEXT: %[[INIT:.*]] = linalg.broadcast ins(%[[B]] : tensor<5xf32>) outs(%[[EMPTY]] : tensor<1x5xf32>) dimensions = [0]
// CHECK-NEXT: %[[Y:.*]] = linalg.matmul indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d1, d2)>, affine_map<(d0, d1, d2) -> (d0, d1)>] ins(%[[X]], %[[W]] : tensor<1x12xf32>, tensor<5x12xf32>) outs(%[[INIT]] : tensor<1x5xf32>) -> tensor<1x5xf32>
// CHECK-NEXT: return %[[Y]] : tensor<1x5xf32>
// CHECK-NEXT: }
func.func @main(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = pattern.linear %x weights(@fc.weight) bias(@fc.bias) : tensor<1x12xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

pattern.weights @z.weight : tensor<4x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4]]>>,
    kernels = dense<[[1, 0, 1], [1, 1, 1], [0, 0, 1], [1, 0, 0]]> : tensor<4x3xi8>
pattern.weights @a.weight : tensor<4x4x1x1xf32>, #pattern.unstructured

// Arguments come in the order of the module, whatever the order of their use, and say how they were
// pruned; ops say which layer they belong to.
// CHECK-LABEL: @order_of_arguments
// CHECK-SAME: (%{{.*}}: tensor<1x3x5x7xf32>,
// CHECK-SAME: %[[Z:.*]]: tensor<4x3x3x3xf32> {pattern.kernels = dense<{{.*}}> : tensor<4x3xi8>, pattern.scheme = #pattern.kernel<#pattern.library<3x3, {{\[\[}}0, 1, 3, 4]]>>, pattern.weights = @z.weight},
// CHECK-SAME: %[[A:.*]]: tensor<4x4x1x1xf32> {pattern.scheme = #pattern.unstructured, pattern.weights = @a.weight})
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-SAME: pattern.layer = "first"
// CHECK-SAME: %[[Z]]
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-SAME: pattern.layer = "second"
// CHECK-SAME: %[[A]]
func.func @order_of_arguments(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x3x5xf32> {
  %y = pattern.conv2d %x weights(@z.weight) {layer = "first"}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  %z = pattern.conv2d %y weights(@a.weight) {layer = "second"}
      : tensor<1x4x3x5xf32> -> tensor<1x4x3x5xf32>
  return %z : tensor<1x4x3x5xf32>
}

pattern.weights @conv.weight : tensor<4x3x3x1xf32>, #pattern.dense

// CHECK-LABEL: @conv2d
// CHECK-SAME: (%[[X:.*]]: tensor<1x3x9x8xf32>, %[[W:.*]]: tensor<4x3x3x1xf32>
// CHECK: %[[INIT:.*]] = linalg.fill
// CHECK: %[[PADDED:.*]] = tensor.pad %[[X]] low[0, 0, 1, 0] high[0, 0, 0, 2]
// CHECK: tensor.yield %{{.*}} : f32
// CHECK: linalg.conv_2d_nchw_fchw {dilations = dense<[2, 1]> : tensor<2xi64>, strides = dense<[2, 3]> : tensor<2xi64>} ins(%[[PADDED]], %[[W]] : tensor<1x3x10x10xf32>, tensor<4x3x3x1xf32>) outs(%[[INIT]] : tensor<1x4x3x4xf32>)
func.func @conv2d(%x: tensor<1x3x9x8xf32>) -> tensor<1x4x3x4xf32> {
  %y = pattern.conv2d %x weights(@conv.weight)
      {strides = array<i64: 2, 3>, dilations = array<i64: 2, 1>, padding = array<i64: 1, 0, 0, 2>}
      : tensor<1x3x9x8xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

pattern.weights @grouped.weight : tensor<6x2x3x1xf32>, #pattern.dense

// CHECK-LABEL: @conv2d_with_groups
// CHECK: linalg.conv_2d_ngchw_gfchw
// CHECK-SAME: tensor<2x2x2x9x8xf32>, tensor<2x3x2x3x1xf32>
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0], [1, 2], [3], [4]] : tensor<2x2x3x7x8xf32> into tensor<2x6x7x8xf32>
func.func @conv2d_with_groups(%x: tensor<2x4x9x8xf32>) -> tensor<2x6x7x8xf32> {
  %y = pattern.conv2d %x weights(@grouped.weight) {groups = 2 : i64}
      : tensor<2x4x9x8xf32> -> tensor<2x6x7x8xf32>
  return %y : tensor<2x6x7x8xf32>
}

// In the order of the formula: residual, activation, pooling.
// CHECK-LABEL: @conv2d_with_what_follows
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK: linalg.pooling_nchw_max
func.func @conv2d_with_what_follows(%x: tensor<1x3x6x4xf32>, %r: tensor<1x4x4x4xf32>)
    -> tensor<1x4x2x2xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) residual(%r : tensor<1x4x4x4xf32>)
      {activation = #pattern.activation<relu>,
       pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>}
      : tensor<1x3x6x4xf32> -> tensor<1x4x2x2xf32>
  return %y : tensor<1x4x2x2xf32>
}

pattern.weights @s : tensor<4xf32>, #pattern.dense
pattern.weights @t : tensor<4xf32>, #pattern.dense
pattern.weights @m : tensor<4xf32>, #pattern.dense
pattern.weights @v : tensor<4xf32>, #pattern.dense
pattern.weights @folded.weight : tensor<4x3x3x1xf32>, #pattern.dense source(@conv.weight)
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 0.5 : f64>)

// Weights that are made from others: the arguments are what they are made from.
// CHECK-LABEL: @folded
// CHECK-SAME: (%{{.*}}: tensor<1x3x5x7xf32>, %[[W:.*]]: tensor<4x3x3x1xf32> {pattern.weights = @conv.weight}, %[[S:.*]]: tensor<4xf32> {pattern.weights = @s}, %{{.*}}: tensor<4xf32> {pattern.weights = @t}, %{{.*}}: tensor<4xf32> {pattern.weights = @m}, %[[V:.*]]: tensor<4xf32> {pattern.weights = @v}
// CHECK: %[[FOLDED:.*]] = linalg.generic
// CHECK-SAME: ins(%[[W]], %[[S]], %[[V]] :
// CHECK: ^bb0(%[[WEIGHT:.*]]: f32, %[[SCALE:.*]]: f32, %[[VARIANCE:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[EPSILON:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: %[[SUM:.*]] = arith.addf %[[VARIANCE]], %[[EPSILON]]
// CHECK: %[[ROOT:.*]] = math.sqrt %[[SUM]]
// CHECK: %[[FACTOR:.*]] = arith.divf %[[SCALE]], %[[ROOT]]
// CHECK: arith.mulf %[[WEIGHT]], %[[FACTOR]]
// CHECK: linalg.conv_2d_nchw_fchw
// CHECK-SAME: %[[FOLDED]]
func.func @folded(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x3x7xf32> {
  %y = pattern.conv2d %x weights(@folded.weight) : tensor<1x3x5x7xf32> -> tensor<1x4x3x7xf32>
  return %y : tensor<1x4x3x7xf32>
}

// CHECK-LABEL: @batch_norm
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{.*}} : tensor<3x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
// CHECK: ^bb0(%[[X:[^:]*]]: f32, %[[SCALE:[^:]*]]: f32, %[[SHIFT:[^:]*]]: f32, %[[MEAN:[^:]*]]: f32, %[[VARIANCE:[^:]*]]: f32,
// CHECK: %[[EPSILON:.*]] = arith.constant 1.250000e-01 : f32
// CHECK: %[[SUM:.*]] = arith.addf %[[VARIANCE]], %[[EPSILON]]
// CHECK: %[[ROOT:.*]] = math.sqrt %[[SUM]]
// CHECK: %[[FACTOR:.*]] = arith.divf %[[SCALE]], %[[ROOT]]
// CHECK: %[[CENTRED:.*]] = arith.subf %[[X]], %[[MEAN]]
// CHECK: %[[SCALED:.*]] = arith.mulf %[[CENTRED]], %[[FACTOR]]
// CHECK: arith.addf %[[SCALED]], %[[SHIFT]]
func.func @batch_norm(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %y = pattern.batch_norm %x
      {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                                        epsilon = 0.125 : f32>}
      : tensor<3x4xf32> -> tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// Four windows a side, of which the last reaches one cell beyond the plane: -inf does not count.
// CHECK-LABEL: @max_pool2d_rounded_up
// CHECK: %[[LOW:.*]] = arith.constant 0xFF800000 : f32
// CHECK: tensor.pad %{{.*}} low[0, 0, 0, 0] high[0, 0, 1, 1]
// CHECK: tensor.yield %[[LOW]]
// CHECK: linalg.pooling_nchw_max
func.func @max_pool2d_rounded_up(%x: tensor<1x4x8x8xf32>) -> tensor<1x4x4x4xf32> {
  %y = pattern.max_pool2d %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>}
      : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}

// The first row of windows has two rows of the plane, the others three.
// CHECK-LABEL: @avg_pool2d
// CHECK: linalg.pooling_nchw_sum
// CHECK: arith.constant dense<[2.000000e+00, 3.000000e+00, 3.000000e+00]> : tensor<3xf32>
// CHECK: arith.constant dense<2.000000e+00> : tensor<4xf32>
// CHECK: arith.divf
func.func @avg_pool2d(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x3x4xf32> {
  %y = pattern.avg_pool2d %x
      {kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>, padding = array<i64: 1, 0, 0, 0>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

// CHECK-LABEL: @avg_pool2d_that_counts_padding
// CHECK: linalg.pooling_nchw_sum
// CHECK: arith.constant 6.000000e+00 : f32
// CHECK: arith.divf
func.func @avg_pool2d_that_counts_padding(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x3x4xf32> {
  %y = pattern.avg_pool2d %x
      {kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>, padding = array<i64: 1, 0, 0, 0>,
       count_padding}
      : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

// CHECK-LABEL: @adaptive_avg_pool2d
// CHECK: linalg.pooling_nchw_sum {dilations = dense<1> : tensor<2xi64>, strides = dense<[3, 2]> : tensor<2xi64>}
// CHECK: arith.constant 6.000000e+00 : f32
func.func @adaptive_avg_pool2d(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x2x4xf32> {
  %y = pattern.adaptive_avg_pool2d %x : tensor<1x4x6x8xf32> -> tensor<1x4x2x4xf32>
  return %y : tensor<1x4x2x4xf32>
}

// Rows 0..2, 2..4 and 4..6 of 7; columns 0..1, 1..3 and 3..4 of 5.
// CHECK-LABEL: @adaptive_avg_pool2d_with_ragged_windows
// CHECK: arith.constant dense<[0, 2, 4]> : tensor<3xi32>
// CHECK: arith.constant dense<3> : tensor<3xi32>
// CHECK: arith.constant dense<[0, 1, 3]> : tensor<3xi32>
// CHECK: arith.constant dense<[2, 3, 2]> : tensor<3xi32>
// CHECK: tensor.extract
func.func @adaptive_avg_pool2d_with_ragged_windows(%x: tensor<1x4x7x5xf32>)
    -> tensor<1x4x3x3xf32> {
  %y = pattern.adaptive_avg_pool2d %x : tensor<1x4x7x5xf32> -> tensor<1x4x3x3xf32>
  return %y : tensor<1x4x3x3xf32>
}

// CHECK-LABEL: @resize
// CHECK: arith.constant dense<[0, 0, 1, 1, 2, 2]> : tensor<6xi32>
// CHECK: arith.constant dense<[0, 1, 2]> : tensor<3xi32>
// CHECK: tensor.extract
func.func @resize(%x: tensor<1x4x3x4xf32>) -> tensor<1x4x6x3xf32> {
  %y = pattern.resize %x {mode = #pattern.resize_mode<nearest>}
      : tensor<1x4x3x4xf32> -> tensor<1x4x6x3xf32>
  return %y : tensor<1x4x6x3xf32>
}

// Rows 0, 1 and 2 of the input, and what lies between.
// CHECK-LABEL: @resize_bilinear
// CHECK: arith.constant dense<[0, 0, 0, 1, 1, 2]> : tensor<6xi32>
// CHECK: arith.constant dense<[1, 1, 1, 2, 2, 2]> : tensor<6xi32>
// CHECK: arith.constant dense<[0.000000e+00, 2.500000e-01, 7.500000e-01, 2.500000e-01, 7.500000e-01, 0.000000e+00]> : tensor<6xf32>
// CHECK: tensor.extract
func.func @resize_bilinear(%x: tensor<1x4x3x4xf32>) -> tensor<1x4x6x4xf32> {
  %y = pattern.resize %x {mode = #pattern.resize_mode<bilinear>}
      : tensor<1x4x3x4xf32> -> tensor<1x4x6x4xf32>
  return %y : tensor<1x4x6x4xf32>
}

// CHECK-LABEL: @activate
// CHECK: ^bb0(%[[X:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[ABOVE:.*]] = arith.maximumf %[[X]], %{{.*}}
// CHECK: arith.minimumf %[[ABOVE]], %{{.*}}
func.func @activate(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<relu6>}
      : tensor<2x5xf32> -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// CHECK-LABEL: @add_with_activation
// CHECK: %[[SUM:.*]] = linalg.generic
// CHECK: arith.addf
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[SUM]] :
// CHECK: arith.maximumf
func.func @add_with_activation(%a: tensor<2x5xf32>, %b: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %y = pattern.add %a, %b {activation = #pattern.activation<relu>}
      : tensor<2x5xf32>, tensor<2x5xf32> -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// CHECK-LABEL: @mul_with_broadcast
// CHECK: affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, 0)>
// CHECK: arith.mulf
func.func @mul_with_broadcast(%a: tensor<1x4x5x7xf32>, %b: tensor<1x4x1x1xf32>)
    -> tensor<1x4x5x7xf32> {
  %y = pattern.mul %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @concat
// CHECK-SAME: (%[[A:.*]]: tensor<1x4x5x7xf32>, %[[B:.*]]: tensor<1x2x5x7xf32>)
// CHECK: %[[FIRST:.*]] = tensor.insert_slice %[[A]] into %{{.*}}[0, 0, 0, 0] [1, 4, 5, 7]
// CHECK: tensor.insert_slice %[[B]] into %[[FIRST]][0, 4, 0, 0] [1, 2, 5, 7]
func.func @concat(%a: tensor<1x4x5x7xf32>, %b: tensor<1x2x5x7xf32>) -> tensor<1x6x5x7xf32> {
  %y = pattern.concat %a, %b {axis = 1 : i64}
      : tensor<1x4x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x6x5x7xf32>
  return %y : tensor<1x6x5x7xf32>
}

// CHECK-LABEL: @softmax
// CHECK: math.exp
// CHECK: arith.divf
func.func @softmax(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %y = pattern.softmax %x {axis = 1 : i64} : tensor<2x5xf32> -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// CHECK-LABEL: @reshape
// CHECK: tensor.collapse_shape
// CHECK: tensor.expand_shape
func.func @reshape(%x: tensor<1x4x2x3xf32>) -> tensor<6x4xf32> {
  %y = pattern.reshape %x : tensor<1x4x2x3xf32> -> tensor<6x4xf32>
  return %y : tensor<6x4xf32>
}

// Both sides are plain: nothing to do.
// CHECK-LABEL: @relayout
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @relayout(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.relayout %x : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// A function without layers gets no arguments, and may be called.
// CHECK-LABEL: func.func private @declared(tensor<1x12xf32>) -> tensor<1x12xf32>
func.func private @declared(tensor<1x12xf32>) -> tensor<1x12xf32>

// CHECK-LABEL: @caller
// CHECK-SAME: (%[[X:.*]]: tensor<1x12xf32>) -> tensor<1x12xf32>
// CHECK-NEXT: call @declared(%[[X]])
func.func @caller(%x: tensor<1x12xf32>) -> tensor<1x12xf32> {
  %y = func.call @declared(%x) : (tensor<1x12xf32>) -> tensor<1x12xf32>
  return %y : tensor<1x12xf32>
}
}
