// RUN: pconv-opt %s -split-input-file -pattern-pack-weights -mlir-print-local-scope | FileCheck %s
// RUN: pconv-opt %s -split-input-file -pattern-pack-weights=fkw-arrays=true -mlir-print-local-scope | FileCheck %s --check-prefix=FKW

// The example of the pass description: three filters of a block go into two panels of two, each
// [channel][cell][filter], the last one filled up with zeros. The bias follows.
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 2, channel_block = 4>
// CHECK: module attributes {pattern.memory = {indices = 0 : i64, values = 152 : i64}, pattern.stage = "packed", pattern.target =
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.dense
pattern.weights @b : tensor<3xf32>, #pattern.dense
// CHECK: pattern.packed @w.packed weights(@w) bias(@b) form = <panels> values = 0 count = 144 indices = 0 {filter_block = 2 : i64}
// CHECK-LABEL: func.func @dense
// CHECK: pattern.conv2d %{{.*}} weights(@w) bias(@b) {packed = @w.packed,
func.func @dense(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x3x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) bias(@b) {schedule = #dense}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
  return %y : tensor<1x3x3x5xf32, #plane>
}
}

// -----

#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 4, channel_block = 4>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<6x2x3x1xf32>, #pattern.dense
// No panel holds filters of two groups: each group of three is filled up to four.
// CHECK: pattern.packed @w.packed weights(@w) form = <panels> values = 0 count = 48 indices = 0 {filter_block = 4 : i64, groups = 2 : i64}
// CHECK-LABEL: func.func @groups
func.func @groups(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x6x3x7xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {groups = 2 : i64, schedule = #dense}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x6x3x7xf32, #plane>
  return %y : tensor<1x6x3x7xf32, #plane>
}
}

// -----

#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 4, channel_block = 4>
// CHECK: module attributes {pattern.memory = {indices = 0 : i64, values = 240 : i64}
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @a : tensor<5x12xf32>, #pattern.dense
pattern.weights @bias : tensor<5xf32>, #pattern.dense
pattern.weights @b : tensor<3x5xf32>, #pattern.dense
// Layers follow each other in the blob, each on a whole vector, with one vector to spare: five
// filters and their bias take 8 * 12 + 8 values, and the next layer starts at 108.
// CHECK: pattern.packed @a.packed weights(@a) bias(@bias) form = <panels> values = 0 count = 96 indices = 0
// CHECK: pattern.packed @b.packed weights(@b) form = <panels> values = 108 count = 20 indices = 0
// CHECK: pattern.packed @a.packed2 weights(@a) bias(@bias) form = <panels> values = 132 count = 96 indices = 0
// CHECK-LABEL: func.func @several_layers
// CHECK: pattern.linear %{{.*}} weights(@a) bias(@bias) {packed = @a.packed,
// CHECK: pattern.linear %{{.*}} weights(@b) {packed = @b.packed,
// Layers that share weights have a packed form each.
// CHECK: pattern.linear %{{.*}} weights(@a) bias(@bias) {packed = @a.packed2,
func.func @several_layers(%x: tensor<1x12xf32>) -> (tensor<1x3xf32>, tensor<1x5xf32>) {
  %0 = pattern.linear %x weights(@a) bias(@bias) {schedule = #dense} : tensor<1x12xf32> -> tensor<1x5xf32>
  %1 = pattern.linear %0 weights(@b) {schedule = #dense} : tensor<1x5xf32> -> tensor<1x3xf32>
  %2 = pattern.linear %x weights(@a) bias(@bias) {schedule = #dense} : tensor<1x12xf32> -> tensor<1x5xf32>
  return %1, %2 : tensor<1x3xf32>, tensor<1x5xf32>
}
}

// -----

#bn = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-03 : f64>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @s : tensor<3xf32>, #pattern.dense
pattern.weights @t : tensor<3xf32>, #pattern.dense
pattern.weights @m : tensor<3xf32>, #pattern.dense
pattern.weights @v : tensor<3xf32>, #pattern.dense
// What could not be folded becomes a scale and a shift for each channel.
// CHECK: pattern.packed @s.packed weights(@s) form = <panels> values = 0 count = 6 indices = 0 {batch_norm = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.000000e-03 : f64>}
// CHECK-LABEL: func.func @batch_norm
// CHECK: pattern.batch_norm %{{.*}} {packed = @s.packed,
func.func @batch_norm(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %y = pattern.batch_norm %x {parameters = #bn} : tensor<2x3xf32> -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
}

// -----

// Filters [2, 0, 1, 2], [0, 3, 0, 1] and [1, 0, 2, 2] (a pattern for each channel) are stored in the
// order 0, 2, 1. FKW needs 4 * 4 bytes for the offsets, 2 * 3 for the order, 2 * 12 for the strides and
// 8 for the channels; CSR needs 4 * 32 for the columns and 4 * 4 for the rows.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 2, channel_block = 4>
#loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2, 2, 0, 2, 1], uses = [[0, 1, 2, 3], [1, 4, 3, 5], [2, 3, 6, 7]]>
// CHECK: module attributes {pattern.memory = {indices = 37 : i64, values = 40 : i64}
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[2, 0, 1, 2], [0, 3, 0, 1], [1, 0, 2, 2]]> : tensor<3x4xi8>
pattern.weights @b : tensor<3xf32>, #pattern.dense
// CHECK: pattern.packed @w.packed weights(@w) bias(@b) form = <runs> values = 0 count = 32 indices = 0
// CHECK-NOT: fkw
// CHECK-SAME: csr_bytes = 144 : i64
// CHECK-SAME: index_bytes = 54 : i64
// FKW-LABEL: pattern.packed @w.packed weights(@w) bias(@b) form = <runs>
// FKW-SAME: fkw = {index = array<i32: 2, 0, 3, 0, 2, 3, 3, 1>, offset = array<i32: 0, 3, 6, 8>, reorder = array<i32: 0, 2, 1>, stride = array<i32: 0, 1, 3, 3, 0, 1, 3, 3, 0, 1, 1, 2>}
// CHECK-LABEL: func.func @worked_example
func.func @worked_example(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x3x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) bias(@b)
      {filter_order = array<i32: 0, 2, 1>, schedule = #runs, loads = #loads}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
  return %y : tensor<1x3x3x5xf32, #plane>
}
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 2, channel_block = 4>
#loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2, 2, 0, 2, 1], uses = [[0, 1, 2, 3], [1, 4, 3, 5], [2, 3, 6, 7]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[2, 0, 1, 2], [0, 3, 0, 1], [1, 0, 2, 2]]> : tensor<3x4xi8>
// The same network, number by number. The headers of the blocks {0, 2} and {1}: runs, kernels, values;
// the filters; the runs (place of the channel, number of kernels), pattern by pattern behind the
// length of the list, longest first; the places of the kernels' sums.
// CHECK: pattern.packed @w.packed
// CHECK-SAME: gather = dense<[72, 73, 75, 76, 18, 19, 21, 22, 28, 29, 31, 32, 100, 101, 103, 104, 1, 2, 4, 5, 91, 92, 94, 95, 63, 64, 66, 67, 48, 49, 51, 52]> : tensor<32xi32>
// CHECK-SAME: index = dense<[9, 29, 0, 22, 35, 24, 0, 2, 1, 2, 0, 1, 200, 1, 3, 300, 2, 0, 1, 200, 1, 0, 1, 300, 1, 0, 1, 100, 1, 12, 0, 0, 12, 0, 12, 0, 0]> : tensor<37xi32>
// CHECK-LABEL: func.func @runs
func.func @runs(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x3x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w)
      {filter_order = array<i32: 0, 2, 1>, schedule = #runs, loads = #loads}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
  return %y : tensor<1x3x3x5xf32, #plane>
}
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 3, vectors = 2, filter_block = 2, channel_block = 4>
#loads = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2], uses = [[0, 2, 1, 3], [1, 4]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<1x3x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[2, 0, 1]]> : tensor<1x3xi8>
// Every kernel takes as many values as the largest pattern, with zeros (-1) behind the cells of a
// smaller one, in the order in which the load plan uses them.
// CHECK: pattern.packed @w.packed weights(@w) form = <records> values = 0 count = 8 indices = 0
// CHECK-SAME: csr_bytes = 32 : i64
// CHECK-SAME: gather = dense<[1, 2, -1, -1, 18, 21, 19, 22]> : tensor<8xi32>
// CHECK-LABEL: func.func @records
func.func @records(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x1x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w)
      {filter_order = array<i32: 0>, schedule = #staged, loads = #loads}
      : tensor<1x3x5x7xf32, #plane> -> tensor<1x1x3x5xf32, #plane>
  return %y : tensor<1x1x3x5xf32, #plane>
}
}

// -----

#library = #pattern.library<1x1, [[0]]>
#plane = #pattern.plane<halo = 0, row_stride = 2, channel_stride = 48>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 300>
#loads = #pattern.loads<scope = run, taps = [0, 0], uses = [[0]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @few : tensor<2x256x1x1xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x256xi8>
pattern.weights @many : tensor<2x257x1x1xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x257xi8>
// A byte numbers 256 channels, and two number more: 4 * 3 + 2 * 2 + 2 * 4 and 512 or 2 * 514.
// CHECK: pattern.packed @few.packed
// CHECK-SAME: index_bytes = 536 : i64
// CHECK: pattern.packed @many.packed
// CHECK-SAME: index_bytes = 1052 : i64
// CHECK-LABEL: func.func @wide_index
func.func @wide_index(%x: tensor<1x256x3x2xf32, #plane>, %y: tensor<1x257x3x2xf32, #plane>)
    -> (tensor<1x2x3x2xf32, #plane>, tensor<1x2x3x2xf32, #plane>) {
  %0 = pattern.conv2d %x weights(@few) {schedule = #runs, loads = #loads}
      : tensor<1x256x3x2xf32, #plane> -> tensor<1x2x3x2xf32, #plane>
  %1 = pattern.conv2d %y weights(@many) {schedule = #runs, loads = #loads}
      : tensor<1x257x3x2xf32, #plane> -> tensor<1x2x3x2xf32, #plane>
  return %0, %1 : tensor<1x2x3x2xf32, #plane>, tensor<1x2x3x2xf32, #plane>
}
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 2, channel_block = 4>
#loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2, 3]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.kernel<#library>, kernels = dense<0> : tensor<2x3xi8>
// Nothing is left but headers, filters and empty lists.
// CHECK: pattern.packed @w.packed weights(@w) form = <runs> values = 0 count = 0 indices = 0
// CHECK-SAME: csr_bytes = 12 : i64, gather = dense<> : tensor<0xi32>, index = dense<[5, 6, 0, 0, 1, 0]> : tensor<6xi32>
// CHECK-LABEL: func.func @all_removed
func.func @all_removed(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {schedule = #runs, loads = #loads}
      : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  return %y : tensor<1x2x3x5xf32, #plane>
}
}
