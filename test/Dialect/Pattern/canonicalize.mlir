// RUN: pconv-opt %s -canonicalize | FileCheck %s
// RUN: pconv-opt %s -canonicalize | pconv-opt -canonicalize | FileCheck %s

pattern.weights @conv.weight : tensor<2x3x3x3xf32>, #pattern.dense
pattern.weights @fc.weight : tensor<5x12xf32>, #pattern.dense

// CHECK-LABEL: @identity
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @identity(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<identity>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// A change of layout is work: not folded.
// CHECK-LABEL: @identity_to_another_layout
// CHECK: pattern.activate
func.func @identity_to_another_layout(%x: tensor<1x4x5x7xf32>)
    -> tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>> {
  %y = pattern.activate %x {activation = #pattern.activation<identity>} : tensor<1x4x5x7xf32>
      -> tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>>
  return %y : tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>>
}

// CHECK-LABEL: @relu_of_relu
// CHECK: %[[Y:.*]] = pattern.activate %{{.*}} {activation = #pattern.activation<relu>, layer = "first"}
// CHECK-NEXT: return %[[Y]]
func.func @relu_of_relu(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<relu>, layer = "first"}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.activate %y {activation = #pattern.activation<relu>, layer = "second"}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @relu_of_sigmoid
// CHECK: %[[Y:.*]] = pattern.activate %{{.*}} {activation = #pattern.activation<sigmoid>}
// CHECK-NEXT: return %[[Y]]
func.func @relu_of_sigmoid(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<sigmoid>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.activate %y {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @relu6_of_relu
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: %[[Y:.*]] = pattern.activate %[[X]] {activation = #pattern.activation<relu6>}
// CHECK-NEXT: return %[[Y]]
func.func @relu6_of_relu(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.activate %y {activation = #pattern.activation<relu6>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @relu_of_leaky_relu
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: %[[Y:.*]] = pattern.activate %[[X]] {activation = #pattern.activation<relu>}
// CHECK-NEXT: return %[[Y]]
func.func @relu_of_leaky_relu(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<leaky_relu, alpha = 0.25 : f32>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.activate %y {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// A negative slope turns what is below zero to above zero: both stay.
// CHECK-LABEL: @relu_of_turned_relu
// CHECK: #pattern.activation<leaky_relu, alpha = -2.500000e-01 : f32>
// CHECK: #pattern.activation<relu>
func.func @relu_of_turned_relu(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<leaky_relu, alpha = -0.25 : f32>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.activate %y {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// Sigmoid of sigmoid is not sigmoid, and relu6 does not follow from relu.
// CHECK-LABEL: @different_functions
// CHECK: #pattern.activation<relu>
// CHECK: #pattern.activation<sigmoid>
// CHECK: #pattern.activation<sigmoid>
func.func @different_functions(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.activate %y {activation = #pattern.activation<sigmoid>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %w = pattern.activate %z {activation = #pattern.activation<sigmoid>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %w : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @relu_of_a_convolution_with_relu
// CHECK: %[[Y:.*]] = pattern.conv2d
// CHECK-NEXT: return %[[Y]]
func.func @relu_of_a_convolution_with_relu(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) {activation = #pattern.activation<relu>}
      : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  %z = pattern.activate %y {activation = #pattern.activation<relu>}
      : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
  return %z : tensor<1x2x3x5xf32>
}

// CHECK-LABEL: @identity_of_a_convolution
// CHECK: pattern.conv2d %{{.*}} weights(@conv.weight) : tensor<1x3x5x7xf32>
func.func @identity_of_a_convolution(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) {activation = #pattern.activation<identity>}
      : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  return %y : tensor<1x2x3x5xf32>
}

// CHECK-LABEL: @identity_of_a_linear_layer
// CHECK: pattern.linear %{{.*}} weights(@fc.weight) : tensor<1x12xf32>
func.func @identity_of_a_linear_layer(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = pattern.linear %x weights(@fc.weight) {activation = #pattern.activation<identity>}
      : tensor<1x12xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

// CHECK-LABEL: @identity_of_a_sum
// CHECK: pattern.add %{{.*}}, %{{.*}} : tensor<1x12xf32>
func.func @identity_of_a_sum(%a: tensor<1x12xf32>, %b: tensor<1x12xf32>) -> tensor<1x12xf32> {
  %y = pattern.add %a, %b {activation = #pattern.activation<identity>}
      : tensor<1x12xf32>, tensor<1x12xf32> -> tensor<1x12xf32>
  return %y : tensor<1x12xf32>
}

// CHECK-LABEL: @identity_of_a_product
// CHECK: pattern.mul %{{.*}}, %{{.*}} : tensor<1x12xf32>
func.func @identity_of_a_product(%a: tensor<1x12xf32>, %b: tensor<1x12xf32>) -> tensor<1x12xf32> {
  %y = pattern.mul %a, %b {activation = #pattern.activation<identity>}
      : tensor<1x12xf32>, tensor<1x12xf32> -> tensor<1x12xf32>
  return %y : tensor<1x12xf32>
}

// CHECK-LABEL: @pool_of_single_cells
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @pool_of_single_cells(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.max_pool2d %x {kernel = array<i64: 1, 1>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %z = pattern.avg_pool2d %y {kernel = array<i64: 1, 1>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  %w = pattern.adaptive_avg_pool2d %z : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %w : tensor<1x4x5x7xf32>
}

// The same shape, but not the same cells.
// CHECK-LABEL: @pool_of_large_windows
// CHECK: pattern.max_pool2d
func.func @pool_of_large_windows(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.max_pool2d %x {kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @pool_that_skips_cells
// CHECK: pattern.max_pool2d
func.func @pool_that_skips_cells(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x3x7xf32> {
  %y = pattern.max_pool2d %x {kernel = array<i64: 1, 1>, strides = array<i64: 2, 1>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x3x7xf32>
  return %y : tensor<1x4x3x7xf32>
}

// CHECK-LABEL: @resize_to_the_same_size
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @resize_to_the_same_size(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.resize %x {mode = #pattern.resize_mode<bilinear>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @concat_of_one
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @concat_of_one(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.concat %x {axis = 1 : i64} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @reshape_to_the_same_shape
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_to_the_same_shape(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.reshape %x : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @reshape_of_reshape
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x2x3xf32>)
// CHECK-NEXT: %[[Y:.*]] = pattern.reshape %[[X]] : tensor<1x4x2x3xf32> -> tensor<6x4xf32>
// CHECK-NEXT: return %[[Y]]
func.func @reshape_of_reshape(%x: tensor<1x4x2x3xf32>) -> tensor<6x4xf32> {
  %y = pattern.reshape %x : tensor<1x4x2x3xf32> -> tensor<1x24xf32>
  %z = pattern.reshape %y : tensor<1x24xf32> -> tensor<6x4xf32>
  return %z : tensor<6x4xf32>
}

// CHECK-LABEL: @reshape_and_back
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x2x3xf32>)
// CHECK-NEXT: return %[[X]]
func.func @reshape_and_back(%x: tensor<1x4x2x3xf32>) -> tensor<1x4x2x3xf32> {
  %y = pattern.reshape %x : tensor<1x4x2x3xf32> -> tensor<1x24xf32>
  %z = pattern.reshape %y : tensor<1x24xf32> -> tensor<1x4x2x3xf32>
  return %z : tensor<1x4x2x3xf32>
}

#narrow = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>
#wide = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>

// CHECK-LABEL: @relayout_to_the_same_layout
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32, #{{.*}}>) ->
// CHECK-NEXT: return %[[X]]
func.func @relayout_to_the_same_layout(%x: tensor<1x4x5x7xf32, #wide>)
    -> tensor<1x4x5x7xf32, #wide> {
  %y = pattern.relayout %x : tensor<1x4x5x7xf32, #wide> -> tensor<1x4x5x7xf32, #wide>
  return %y : tensor<1x4x5x7xf32, #wide>
}

// CHECK-LABEL: @relayout_of_relayout
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: %[[Y:.*]] = pattern.relayout %[[X]] : tensor<1x4x5x7xf32> ->
// CHECK-NEXT: return %[[Y]]
func.func @relayout_of_relayout(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32, #wide> {
  %y = pattern.relayout %x : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #narrow>
  %z = pattern.relayout %y : tensor<1x4x5x7xf32, #narrow> -> tensor<1x4x5x7xf32, #wide>
  return %z : tensor<1x4x5x7xf32, #wide>
}

// CHECK-LABEL: @relayout_and_back
// CHECK-SAME: (%[[X:.*]]: tensor<1x4x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @relayout_and_back(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  %y = pattern.relayout %x : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #wide>
  %z = pattern.relayout %y : tensor<1x4x5x7xf32, #wide> -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// Layers have no effects: what nobody uses goes away.
// CHECK-LABEL: @unused_layers
// CHECK-SAME: (%[[X:.*]]: tensor<1x3x5x7xf32>)
// CHECK-NEXT: return %[[X]]
func.func @unused_layers(%x: tensor<1x3x5x7xf32>) -> tensor<1x3x5x7xf32> {
  %y = pattern.conv2d %x weights(@conv.weight) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  %z = pattern.softmax %y {axis = 1 : i64} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
  return %x : tensor<1x3x5x7xf32>
}
