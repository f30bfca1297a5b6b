// RUN: pconv-opt %s -pattern-assign-layouts -pattern-verify-stage -mlir-print-local-scope | FileCheck %s

// CHECK: module attributes {pattern.stage = "laid_out"
module attributes {pattern.stage = "reordered",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w1 : tensor<4x4x1x1xf32>, #pattern.dense
pattern.weights @w3 : tensor<4x4x3x3xf32>, #pattern.dense
pattern.weights @w5 : tensor<4x4x5x5xf32>, #pattern.dense
pattern.weights @fc : tensor<3x140xf32>, #pattern.dense

// The example of the pass description. Inputs and outputs of the function are plain; the rows of the
// output have the length of the input's, whose right border is the next row's left one.
// CHECK-LABEL: func.func @border(
// CHECK-SAME: %[[X:.*]]: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
// CHECK-NEXT: %[[IN:.*]] = pattern.relayout %[[X]] : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 96>>
// CHECK-NEXT: %[[OUT:.*]] = pattern.conv2d %[[IN]] weights(@w3) {padding = array<i64: 1, 1, 1, 1>} : tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 96>> -> tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 80>>
// CHECK-NEXT: %[[Y:.*]] = pattern.relayout %[[OUT]] : tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 80>> -> tensor<1x4x5x7xf32>
// CHECK-NEXT: return %[[Y]] : tensor<1x4x5x7xf32>
// CHECK-NEXT: }
func.func @border(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.conv2d %x weights(@w3) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// The consumer with the widest padding decides.
// CHECK-LABEL: func.func @widest_border
// CHECK: pattern.relayout {{.*}} -> tensor<1x4x5x7xf32, #pattern.plane<halo = 2, row_stride = 9,
// CHECK-NOT: halo = 1
// CHECK: return
func.func @widest_border(%x: tensor<1x4x5x7xf32>) -> (tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32>) {
  %y = pattern.conv2d %x weights(@w3) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.conv2d %x weights(@w5) {padding = array<i64: 2, 2, 2, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y, %z : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32>
}

// The side with the most padding decides: 3 columns on the right.
// CHECK-LABEL: func.func @widest_side
// CHECK: pattern.relayout {{.*}} -> tensor<1x4x5x7xf32, #pattern.plane<halo = 3, row_stride = 10,
func.func @widest_side(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x4x8xf32> {
  %y = pattern.conv2d %x weights(@w3) {padding = array<i64: 1, 0, 0, 3>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x4x8xf32>
  return %y : tensor<1x4x4x8xf32>
}

// The planes are dealt out by phases, for each pair of strides once, after the border was added: of
// 5 + 2 rows and 7 + 2 columns, each sub-plane of the first copy has 4 and 5.
// The function's input is copied straight to them.
// CHECK-LABEL: func.func @strided
// CHECK-SAME: %[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: %[[BOTH:.*]] = pattern.relayout %[[X]] : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 5, channel_stride = {{[0-9]+}}, row_phases = 2, col_phases = 2>>
// CHECK-NEXT: pattern.conv2d %[[BOTH]] weights(@w3)
// CHECK-SAME: -> tensor<1x4x3x4xf32, #pattern.plane<halo = 0, row_stride = 5,
// CHECK-NEXT: pattern.conv2d %[[BOTH]] weights(@w1)
// CHECK-NEXT: %[[COLS:.*]] = pattern.relayout %[[X]] : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 4, channel_stride = {{[0-9]+}}, col_phases = 2>>
// CHECK-NEXT: pattern.conv2d %[[COLS]] weights(@w1)
func.func @strided(%x: tensor<1x4x5x7xf32>)
    -> (tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>, tensor<1x4x5x4xf32>) {
  %a = pattern.conv2d %x weights(@w3)
      {padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x3x4xf32>
  %b = pattern.conv2d %x weights(@w1) {strides = array<i64: 2, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x3x4xf32>
  %c = pattern.conv2d %x weights(@w1) {strides = array<i64: 1, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x4xf32>
  return %a, %b, %c : tensor<1x4x3x4xf32>, tensor<1x4x3x4xf32>, tensor<1x4x5x4xf32>
}

// A copy that others need as well serves the strided convolution, too: the input may die early.
// CHECK-LABEL: func.func @strided_beside_others
// CHECK-SAME: %[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: %[[PLANE:.*]] = pattern.relayout %[[X]]
// CHECK-NEXT: %[[A:.*]] = pattern.conv2d %[[PLANE]]
// CHECK-NEXT: %[[PHASES:.*]] = pattern.relayout %[[PLANE]] : {{.*}} row_phases = 2, col_phases = 2>>
// CHECK-NEXT: pattern.conv2d %[[PHASES]]
func.func @strided_beside_others(%x: tensor<1x4x5x7xf32>)
    -> (tensor<1x4x5x7xf32>, tensor<1x4x3x4xf32>) {
  %a = pattern.conv2d %x weights(@w1) : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %b = pattern.conv2d %x weights(@w1) {strides = array<i64: 2, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x3x4xf32>
  return %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x3x4xf32>
}

// CHECK-LABEL: func.func @strided_after_reshape
// CHECK-NEXT: %[[PLAIN:.*]] = pattern.reshape
// CHECK-NEXT: %[[PHASES:.*]] = pattern.relayout %[[PLAIN]] : tensor<1x4x5x7xf32> -> {{.*}} row_phases = 2, col_phases = 2>>
// CHECK-NEXT: pattern.conv2d %[[PHASES]]
func.func @strided_after_reshape(%x: tensor<1x140xf32>) -> tensor<1x4x3x4xf32> {
  %a = pattern.reshape %x : tensor<1x140xf32> -> tensor<1x4x5x7xf32>
  %y = pattern.conv2d %a weights(@w1) {strides = array<i64: 2, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

// Only the convolution needs a border, but all that is read or written beside its planes has rows of
// one length.
// CHECK-LABEL: func.func @rows_of_one_length
// CHECK: pattern.activate {{.*}} -> tensor<1x4x5x7xf32, #pattern.plane<halo = 2, row_stride = 9,
// CHECK: pattern.conv2d
// CHECK: pattern.mul {{.*}} : tensor<1x4x5x7xf32, #pattern.plane<halo = 2, row_stride = 9, {{.*}} -> tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 9,
func.func @rows_of_one_length(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %a = pattern.activate %x {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %b = pattern.conv2d %a weights(@w5) {padding = array<i64: 2, 2, 2, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %y = pattern.mul %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// A residual is read beside the output.
// CHECK-LABEL: func.func @rows_of_a_residual
// CHECK-NEXT: pattern.relayout {{.*}} -> tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8,
// CHECK-NEXT: pattern.relayout {{.*}} -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8,
func.func @rows_of_a_residual(%r: tensor<1x4x5x7xf32>, %x: tensor<1x4x5x7xf32>)
    -> tensor<1x4x5x7xf32> {
  %y = pattern.conv2d %x weights(@w3) residual(%r : tensor<1x4x5x7xf32>)
      {padding = array<i64: 1, 1, 1, 1>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// A pooling starts rows of another length.
// CHECK-LABEL: func.func @pooling
// CHECK: pattern.max_pool2d {{.*}} : tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 7, {{.*}} -> tensor<1x4x2x3xf32, #pattern.plane<halo = 0, row_stride = 3,
func.func @pooling(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x2x3xf32> {
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x2x3xf32>
  return %y : tensor<1x4x2x3xf32>
}

// A reshape needs the elements in order; tensors of other ranks are stored like that anyway.
// CHECK-LABEL: func.func @reshape_from_planes
// CHECK: %[[A:.*]] = pattern.activate
// CHECK-NEXT: %[[PLAIN:.*]] = pattern.relayout %[[A]] : {{.*}} -> tensor<1x4x5x7xf32>
// CHECK-NEXT: %[[ROW:.*]] = pattern.reshape %[[PLAIN]] : tensor<1x4x5x7xf32> -> tensor<1x140xf32>
// CHECK-NEXT: %[[Y:.*]] = pattern.linear %[[ROW]] weights(@fc) : tensor<1x140xf32> -> tensor<1x3xf32>
// CHECK-NEXT: return %[[Y]]
func.func @reshape_from_planes(%x: tensor<1x4x5x7xf32>) -> tensor<1x3xf32> {
  %a = pattern.activate %x {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %b = pattern.reshape %a : tensor<1x4x5x7xf32> -> tensor<1x140xf32>
  %y = pattern.linear %b weights(@fc) : tensor<1x140xf32> -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// CHECK-LABEL: func.func @reshape_to_planes
// CHECK-NEXT: %[[PLAIN:.*]] = pattern.reshape %{{.*}} : tensor<1x140xf32> -> tensor<1x4x5x7xf32>
// CHECK-NEXT: %[[A:.*]] = pattern.relayout %[[PLAIN]] : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1,
// CHECK-NEXT: pattern.conv2d %[[A]]
func.func @reshape_to_planes(%x: tensor<1x140xf32>) -> tensor<1x4x5x7xf32> {
  %a = pattern.reshape %x : tensor<1x140xf32> -> tensor<1x4x5x7xf32>
  %y = pattern.conv2d %a weights(@w3) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// The tiles of a dense convolution are parts of rows: its pooling becomes a layer of its own again.
// CHECK-LABEL: func.func @fused_pooling
// CHECK: %[[CONV:.*]] = pattern.conv2d %{{.*}} weights(@w1) {activation = #pattern.activation<relu>, layer = "conv"} : {{.*}} -> tensor<1x4x6x8xf32,
// CHECK-NEXT: pattern.avg_pool2d %[[CONV]] {kernel = array<i64: 3, 2>, layer = "conv", strides = array<i64: 3, 2>} : {{.*}} -> tensor<1x4x2x4xf32,
func.func @fused_pooling(%x: tensor<1x4x6x8xf32>) -> tensor<1x4x2x4xf32> {
  %y = pattern.conv2d %x weights(@w1) {activation = #pattern.activation<relu>, layer = "conv",
      pool = #pattern.pool<average, kernel = [3, 2], strides = [3, 2]>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x2x4xf32>
  return %y : tensor<1x4x2x4xf32>
}

pattern.weights @sparse : tensor<4x4x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4]]>>,
    kernels = dense<[[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]> : tensor<4x4xi8>

// Those of a staged one hold whole windows of 2x2.
// CHECK-LABEL: func.func @fused_pooling_that_stays
// CHECK: pattern.conv2d {{.*}}pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>{{.*}} -> tensor<1x4x3x4xf32,
func.func @fused_pooling_that_stays(%x: tensor<1x4x8x10xf32>) -> tensor<1x4x3x4xf32> {
  %y = pattern.conv2d %x weights(@sparse)
      {filter_order = array<i32: 0, 1, 2, 3>,
       pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>}
      : tensor<1x4x8x10xf32> -> tensor<1x4x3x4xf32>
  return %y : tensor<1x4x3x4xf32>
}

// CHECK-LABEL: func.func @no_planes
// CHECK-NEXT: pattern.softmax %{{.*}} {axis = 1 : i64} : tensor<2x5xf32> -> tensor<2x5xf32>
// CHECK-NEXT: return
func.func @no_planes(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %y = pattern.softmax %x {axis = 1 : i64} : tensor<2x5xf32> -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// CHECK-LABEL: func.func private @declared(tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32>
func.func private @declared(tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32>
}
