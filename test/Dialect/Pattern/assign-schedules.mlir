// RUN: pconv-opt %s -split-input-file -pattern-assign-schedules -pattern-verify-stage -mlir-print-local-scope | FileCheck %s
// Every schedule fits the registers of its target: pattern-verify-stage sees to that. The sizes of
// tiles and blocks are tuned, so only those are fixed here that follow from the layer.

// The example of the pass description: two vectors of four lanes hold the five outputs.
// CHECK: module attributes {pattern.stage = "scheduled",
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<5x12xf32>, #pattern.dense
// CHECK-LABEL: func.func @fully_connected
// CHECK: %{{.*}} = pattern.linear %{{.*}} weights(@w)
// CHECK-SAME: {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 8, channel_block = 12>}
// CHECK-SAME: : tensor<1x12xf32> -> tensor<1x5xf32>
func.func @fully_connected(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = pattern.linear %x weights(@w) : tensor<1x12xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}
}

// -----

// Where registers are many, the shifted inputs of a channel stay in them; where they are few, those
// of a tile go to scratch memory. Kernel 4 of 4 is left of each filter.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 1, row_stride = 15, channel_stride = 400>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func @many_registers
// CHECK: pattern.conv2d {{.*}} schedule = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = [[#]], filter_block = 2, channel_block = [[#]]>
func.func @many_registers(%x: tensor<1x4x14x14xf32, #plane>) -> tensor<1x2x14x14xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x2x14x14xf32, #plane>
  return %y : tensor<1x2x14x14xf32, #plane>
}
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 1, row_stride = 15, channel_stride = 400>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func @few_registers
// CHECK: pattern.conv2d {{.*}} schedule = #pattern.schedule<dataflow = staged, rows = [[#]], vectors = [[#]], filter_block = 2, channel_block = [[#]]>
func.func @few_registers(%x: tensor<1x4x14x14xf32, #plane>) -> tensor<1x2x14x14xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x2x14x14xf32, #plane>
  return %y : tensor<1x2x14x14xf32, #plane>
}
}

// -----

// A convolution that pools its result has tiles of whole windows: an even number of rows.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 1, row_stride = 15, channel_stride = 400>
#half = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 128>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func @pooled
// CHECK: pattern.conv2d {{.*}} schedule = #pattern.schedule<dataflow = staged, rows = {{[0-9]*[02468]}}, vectors
func.func @pooled(%x: tensor<1x4x14x14xf32, #plane>) -> tensor<1x2x7x7xf32, #half> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, padding = array<i64: 1, 1, 1, 1>,
      pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x2x7x7xf32, #half>
  return %y : tensor<1x2x7x7xf32, #half>
}
}

// -----

// Layers that run dense: weights without kernel patterns, so few removed kernels that a sparse loop
// would not pay, and groups.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 1, row_stride = 15, channel_stride = 400>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @dense : tensor<2x4x3x3xf32>, #pattern.dense
pattern.weights @unstructured : tensor<2x4x3x3xf32>, #pattern.unstructured
pattern.weights @full : tensor<2x4x3x3xf32>, #pattern.kernel<#pattern.library<3x3, [[0, 1, 2, 3, 4, 5, 6, 7]]>>,
    kernels = dense<1> : tensor<2x4xi8>
pattern.weights @groups : tensor<4x1x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0], [0], [0], [1]]> : tensor<4x1xi8>
// CHECK-LABEL: func.func @runs_dense
func.func @runs_dense(%x: tensor<1x4x14x14xf32, #plane>)
    -> (tensor<1x2x14x14xf32, #plane>, tensor<1x2x14x14xf32, #plane>, tensor<1x2x14x14xf32, #plane>, tensor<1x4x14x14xf32, #plane>) {
  // CHECK: weights(@dense) {{.*}} schedule = #pattern.schedule<dataflow = output_stationary, rows = 1,
  %a = pattern.conv2d %x weights(@dense) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x2x14x14xf32, #plane>
  // CHECK: weights(@unstructured) {{.*}} schedule = #pattern.schedule<dataflow = output_stationary, rows = 1,
  %b = pattern.conv2d %x weights(@unstructured) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x2x14x14xf32, #plane>
  // CHECK: weights(@full) {{.*}} schedule = #pattern.schedule<dataflow = output_stationary, rows = 1,
  %c = pattern.conv2d %x weights(@full) {filter_order = array<i32: 0, 1>, padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x2x14x14xf32, #plane>
  // CHECK: weights(@groups) {{.*}} schedule = #pattern.schedule<dataflow = output_stationary, rows = 1,
  %d = pattern.conv2d %x weights(@groups) {filter_order = array<i32: 0, 1, 2, 3>, groups = 4 : i64, padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x4x14x14xf32, #plane>
  return %a, %b, %c, %d : tensor<1x2x14x14xf32, #plane>, tensor<1x2x14x14xf32, #plane>, tensor<1x2x14x14xf32, #plane>, tensor<1x4x14x14xf32, #plane>
}
}

// -----

// On the smallest machine that the dialect knows, every dataflow still fits; a tile is not longer
// than its plane.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 1, row_stride = 2, channel_stride = 48>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 1, registers = 4, fma = false, l1 = 1, l2 = 1>} {
pattern.weights @sparse : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0]]> : tensor<2x4xi8>
pattern.weights @dense : tensor<2x4x3x3xf32>, #pattern.dense
pattern.weights @linear : tensor<1x4xf32>, #pattern.dense
// CHECK-LABEL: func.func @smallest
func.func @smallest(%x: tensor<1x4x1x1xf32, #plane>, %v: tensor<1x4xf32>)
    -> (tensor<1x2x1x1xf32, #plane>, tensor<1x2x1x1xf32, #plane>, tensor<1x1xf32>) {
  // CHECK: weights(@sparse) {{.*}} schedule = #pattern.schedule<dataflow = staged, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
  %a = pattern.conv2d %x weights(@sparse) {filter_order = array<i32: 0, 1>, padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x1x1xf32, #plane> -> tensor<1x2x1x1xf32, #plane>
  // CHECK: weights(@dense) {{.*}} schedule = #pattern.schedule<dataflow = output_stationary, rows = 1,
  %b = pattern.conv2d %x weights(@dense) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x1x1xf32, #plane> -> tensor<1x2x1x1xf32, #plane>
  // CHECK: weights(@linear) {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 1, channel_block = 4>}
  %c = pattern.linear %v weights(@linear) : tensor<1x4xf32> -> tensor<1x1xf32>
  return %a, %b, %c : tensor<1x2x1x1xf32, #plane>, tensor<1x2x1x1xf32, #plane>, tensor<1x1xf32>
}
}

// -----

// A schedule that is there already is chosen again: the target may be another one.
#old = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 7, filter_block = 7, channel_block = 7>
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<5x12xf32>, #pattern.dense
// CHECK-LABEL: func.func @again
// CHECK: pattern.linear {{.*}} {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 8, channel_block = 12>}
func.func @again(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = pattern.linear %x weights(@w) {schedule = #old} : tensor<1x12xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}
}

// -----

// Few registers bound the panel of a matrix: six sums, an input and a weight.
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 8, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<40x12xf32>, #pattern.dense
// CHECK-LABEL: func.func @few_registers_for_a_matrix
// CHECK: vectors = 6, filter_block = 24
func.func @few_registers_for_a_matrix(%x: tensor<1x12xf32>) -> tensor<1x40xf32> {
  %y = pattern.linear %x weights(@w) : tensor<1x12xf32> -> tensor<1x40xf32>
  return %y : tensor<1x40xf32>
}
}

// -----

// Seven vectors of a plane: four tiles of two leave one idle, three tiles of three would leave two.
#plane = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 160>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<24x4x3x3xf32>, #pattern.dense
// CHECK-LABEL: func.func @seven_vectors
// CHECK: dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 6
func.func @seven_vectors(%x: tensor<1x4x7x7xf32, #plane>) -> tensor<1x24x7x7xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x7x7xf32, #plane> -> tensor<1x24x7x7xf32, #plane>
  return %y : tensor<1x24x7x7xf32, #plane>
}
}

// -----

// Nine filters fit beside three vectors, and 16 filters make two panels of 8.
#plane = #pattern.plane<halo = 1, row_stride = 15, channel_stride = 400>
module attributes {pattern.stage = "laid_out",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<16x4x3x3xf32>, #pattern.dense
// CHECK-LABEL: func.func @even_panels
// CHECK: dataflow = output_stationary, rows = 1, vectors = 3, filter_block = 8
func.func @even_panels(%x: tensor<1x4x14x14xf32, #plane>) -> tensor<1x16x14x14xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {padding = array<i64: 1, 1, 1, 1>}
      : tensor<1x4x14x14xf32, #plane> -> tensor<1x16x14x14xf32, #plane>
  return %y : tensor<1x16x14x14xf32, #plane>
}
}
