// RUN: pconv-opt %s -split-input-file -pattern-eliminate-redundant-loads -mlir-print-local-scope | FileCheck %s
// RUN: pconv-opt %s -split-input-file -pattern-eliminate-redundant-loads=eliminate=false -mlir-print-local-scope | FileCheck %s --check-prefix=OFF

// The example of the pass description, filter level: all kernels of a channel that wear one pattern
// share its four loads. Cells 1 and 4 stand in both patterns and are listed once.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 2, channel_block = 4>
// CHECK: module attributes {pattern.stage = "planned",
// OFF: module attributes {pattern.stage = "planned",
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func @filter_level
// CHECK: pattern.conv2d
// CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2], uses = [[0, 1, 2, 3], [1, 4, 3, 5]]>
// Without elimination every kernel loads the same cells for itself.
// OFF-LABEL: func.func @filter_level
// OFF: pattern.conv2d
// OFF-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2], uses = [[0, 1, 2, 3], [1, 4, 3, 5]]>
func.func @filter_level(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {schedule = #runs}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  return %y : tensor<1x2x3x5xf32, #plane>
}
}

// -----

// The example, kernel level: cells 0 and 3 lie one below the other, and so do 1 and 4. A tile of
// three rows reads four rows for such a pair, not six.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 3, vectors = 2, filter_block = 2, channel_block = 4>
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0, 0, 0, 1], [2, 0, 0, 0]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func @kernel_level
// CHECK: pattern.conv2d
// CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0, 0, 1, 1, 1, 0, 2, 1, 2], uses = [[0, 1, 2, 3], [2, 3, 4, 5]], pairs = 1>
// OFF-LABEL: func.func @kernel_level
// OFF: pattern.conv2d
// OFF-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2], uses = [[0, 1, 2, 3], [1, 4, 3, 5]]>
func.func @kernel_level(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {schedule = #staged}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  return %y : tensor<1x2x3x5xf32, #plane>
}
}

// -----

// One loop serves all patterns: where one of them has no two cells one below the other, none shares.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [0, 1, 2, 4], [3, 5, 7]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 3, vectors = 2, filter_block = 2, channel_block = 4>
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[0, 0, 0, 1], [3, 0, 2, 0]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func @pattern_without_pair
// CHECK: pattern.conv2d
// CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2, 2, 1], uses = [[0, 1, 2, 3], [0, 1, 4, 3], [2, 5, 6]]>
// OFF-LABEL: func.func @pattern_without_pair
// OFF{LITERAL}: uses = [[0, 1, 2, 3], [0, 1, 4, 3], [2, 5, 6]]>
func.func @pattern_without_pair(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {schedule = #staged}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  return %y : tensor<1x2x3x5xf32, #plane>
}
}

// -----

// A tile of one row has no two rows to share, and one that fills the registers (here 13 sums of 16)
// has no room for a second weight once it has 14.
#library = #pattern.library<3x3, [[0, 3]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 400>
#flat = #pattern.schedule<dataflow = staged, rows = 1, vectors = 4, filter_block = 2, channel_block = 4>
#full = #pattern.schedule<dataflow = staged, rows = 7, vectors = 2, filter_block = 2, channel_block = 4>
#room = #pattern.schedule<dataflow = staged, rows = 13, vectors = 1, filter_block = 2, channel_block = 4>
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<1x2x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[0, 1]]> : tensor<1x2xi8>
// CHECK-LABEL: func.func @registers
// OFF-LABEL: func.func @registers
func.func @registers(%x: tensor<1x2x15x7xf32, #plane>)
    -> (tensor<1x1x13x5xf32, #plane>, tensor<1x1x13x5xf32, #plane>, tensor<1x1x13x5xf32, #plane>) {
  // CHECK: pattern.conv2d
  // CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule = #pattern.schedule<dataflow = staged, rows = 1,
  // OFF: pattern.conv2d
  // OFF-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule
  // OFF: pattern.conv2d
  // OFF-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule
  // OFF: pattern.conv2d
  // OFF-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule
  %a = pattern.conv2d %x weights(@w) {schedule = #flat} : tensor<1x2x15x7xf32, #plane> -> tensor<1x1x13x5xf32, #plane>
  // CHECK: pattern.conv2d
  // CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule = #pattern.schedule<dataflow = staged, rows = 7,
  %b = pattern.conv2d %x weights(@w) {schedule = #full} : tensor<1x2x15x7xf32, #plane> -> tensor<1x1x13x5xf32, #plane>
  // CHECK: pattern.conv2d
  // CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]], pairs = 1>, schedule = #pattern.schedule<dataflow = staged, rows = 13,
  %c = pattern.conv2d %x weights(@w) {schedule = #room} : tensor<1x2x15x7xf32, #plane> -> tensor<1x1x13x5xf32, #plane>
  return %a, %b, %c : tensor<1x1x13x5xf32, #plane>, tensor<1x1x13x5xf32, #plane>, tensor<1x1x13x5xf32, #plane>
}
}

// -----

// With a vertical stride, neighbouring rows of the tile read rows that are no neighbours.
#library = #pattern.library<3x3, [[0, 3]]>
#phases = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 400, row_phases = 2>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 400>
#staged = #pattern.schedule<dataflow = staged, rows = 3, vectors = 2, filter_block = 2, channel_block = 4>
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<1x2x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[0, 1]]> : tensor<1x2xi8>
// CHECK-LABEL: func.func @strided
// CHECK: pattern.conv2d
// CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule
// CHECK: pattern.conv2d
// CHECK-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule
// OFF-LABEL: func.func @strided
// OFF: pattern.conv2d
// OFF-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule
// OFF: pattern.conv2d
// OFF-SAME{LITERAL}: loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>, schedule
func.func @strided(%x: tensor<1x2x15x7xf32, #phases>, %z: tensor<1x2x15x7xf32, #plane>)
    -> (tensor<1x1x7x5xf32, #plane>, tensor<1x1x11x5xf32, #plane>) {
  %a = pattern.conv2d %x weights(@w) {schedule = #staged, strides = array<i64: 2, 1>}
      : tensor<1x2x15x7xf32, #phases> -> tensor<1x1x7x5xf32, #plane>
  %b = pattern.conv2d %z weights(@w) {schedule = #staged, dilations = array<i64: 2, 1>}
      : tensor<1x2x15x7xf32, #plane> -> tensor<1x1x11x5xf32, #plane>
  return %a, %b : tensor<1x1x7x5xf32, #plane>, tensor<1x1x11x5xf32, #plane>
}
}

// -----

// Dense layers have no plan: their loop loads every cell of a channel once for all filters anyway.
// Kernel patterns that run dense have none either.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 8, channel_block = 4>
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.dense
pattern.weights @k : tensor<2x4x3x3xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x4xi8>
pattern.weights @l : tensor<5x12xf32>, #pattern.dense
// CHECK-LABEL: func.func @dense
// CHECK-NOT: loads =
// CHECK: return
// OFF-LABEL: func.func @dense
// OFF-NOT: loads =
// OFF: return
func.func @dense(%x: tensor<1x4x5x7xf32, #plane>, %v: tensor<1x12xf32>)
    -> (tensor<1x2x3x5xf32, #plane>, tensor<1x2x3x5xf32, #plane>, tensor<1x5xf32>) {
  %a = pattern.conv2d %x weights(@w) {schedule = #dense}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  %b = pattern.conv2d %x weights(@k) {schedule = #dense}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  %c = pattern.linear %v weights(@l) {schedule = #dense} : tensor<1x12xf32> -> tensor<1x5xf32>
  return %a, %b, %c : tensor<1x2x3x5xf32, #plane>, tensor<1x2x3x5xf32, #plane>, tensor<1x5xf32>
}
}
