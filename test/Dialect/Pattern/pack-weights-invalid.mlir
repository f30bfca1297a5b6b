// RUN: pconv-opt %s -pattern-pack-weights -verify-diagnostics -split-input-file

// expected-error @below {{expected a module attribute pattern.target, got none}}
module {}

// -----

// The places in the blobs would be given away twice.
// expected-error @below {{expected a network at stage 'planned' or before, got stage 'packed'}}
module attributes {pattern.stage = "packed"} {}

// -----

module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<5x12xf32>, #pattern.dense
  func.func @linear_without_schedule(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
    // expected-error @below {{expected a schedule; run pattern-assign-schedules}}
    %y = pattern.linear %x weights(@w) : tensor<1x12xf32> -> tensor<1x5xf32>
    return %y : tensor<1x5xf32>
  }
}

// -----

#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.dense
  func.func @conv_without_schedule(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
    // expected-error @below {{expected a schedule; run pattern-assign-schedules}}
    %y = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
    return %y : tensor<1x2x3x5xf32, #plane>
  }
}

// -----

#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 4, channel_block = 4>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.dense
  func.func @no_plane(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32> {
    // expected-error @below {{expected an input in #pattern.plane layout with a border of 0, got 'tensor<1x3x5x7xf32>'; run pattern-assign-layouts}}
    %y = pattern.conv2d %x weights(@w) {schedule = #dense}
        : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
    return %y : tensor<1x2x3x5xf32>
  }
}

// -----

// The kernel loop would read what lies before the plane.
#plane = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 100>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 4, channel_block = 4>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x5x5xf32>, #pattern.dense
  func.func @border(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x5x7xf32, #plane> {
    // expected-error @below {{expected an input in #pattern.plane layout with a border of 2, got}}
    %y = pattern.conv2d %x weights(@w) {schedule = #dense, padding = array<i64: 2, 2, 2, 2>}
        : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x5x7xf32, #plane>
    return %y : tensor<1x2x5x7xf32, #plane>
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 1, vectors = 2, filter_block = 4, channel_block = 4>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x3xi8>
  func.func @no_loads(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
    // expected-error @below {{expected loads; run pattern-eliminate-redundant-loads}}
    %y = pattern.conv2d %x weights(@w) {schedule = #staged}
        : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
    return %y : tensor<1x2x3x5xf32, #plane>
  }
}

// -----

// What follows does not fit numbers of 32 bits.
#library = #pattern.library<1x1, [[0]]>
#plane = #pattern.plane<halo = 0, row_stride = 32768, channel_stride = 1073741824>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 2, filter_block = 4, channel_block = 4>
#loads = #pattern.loads<scope = run, taps = [0, 0], uses = [[0]]>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x1x1xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x3xi8>
  func.func @large_input(%x: tensor<1x3x32768x32768xf32, #plane>) -> tensor<1x2x32768x32768xf32, #plane> {
    // expected-error @below {{expected at most 2147483647 floats in an image of its input, got 3221225472}}
    %y = pattern.conv2d %x weights(@w) {schedule = #runs, loads = #loads}
        : tensor<1x3x32768x32768xf32, #plane> -> tensor<1x2x32768x32768xf32, #plane>
    return %y : tensor<1x2x32768x32768xf32, #plane>
  }
}

// -----

#library = #pattern.library<1x1, [[0]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 2, vectors = 2, filter_block = 268435456, channel_block = 4>
#loads = #pattern.loads<scope = run, taps = [0, 0], uses = [[0]]>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x1x1xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x3xi8>
  func.func @large_sums(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x5x7xf32, #plane> {
    // expected-error @below {{expected at most 2147483647 floats for the sums of a block of filters, got 4294967296}}
    %y = pattern.conv2d %x weights(@w) {schedule = #runs, loads = #loads}
        : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x5x7xf32, #plane>
    return %y : tensor<1x2x5x7xf32, #plane>
  }
}

// -----

#library = #pattern.library<1x1, [[0]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 1, vectors = 1, filter_block = 4, channel_block = 2147483647>
#loads = #pattern.loads<scope = kernel, taps = [0, 0], uses = [[0]]>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x1x1xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x3xi8>
  func.func @large_copy(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x5x7xf32, #plane> {
    // expected-error @below {{expected at most 2147483647 floats for the staged input of a block of channels, got}}
    %y = pattern.conv2d %x weights(@w) {schedule = #staged, loads = #loads}
        : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x5x7xf32, #plane>
    return %y : tensor<1x2x5x7xf32, #plane>
  }
}

// -----

#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 2147483647, channel_block = 4>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<5x1024xf32>, #pattern.dense
  func.func @large_panel(%x: tensor<1x1024xf32>) -> tensor<1x5xf32> {
    // expected-error @below {{expected at most 1099511627776 packed weights, got 2199023254528}}
    %y = pattern.linear %x weights(@w) {schedule = #dense} : tensor<1x1024xf32> -> tensor<1x5xf32>
    return %y : tensor<1x5xf32>
  }
}

// -----

#library = #pattern.library<255x255, [[0]]>
#plane = #pattern.plane<halo = 0, row_stride = 255, channel_stride = 65536>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 2, filter_block = 4, channel_block = 4>
#loads = #pattern.loads<scope = run, taps = [0, 0], uses = [[0]]>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<256x256x255x255xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<256x256xi8>
  func.func @large_weights(%x: tensor<1x256x255x255xf32, #plane>) -> tensor<1x256x1x1xf32, #plane> {
    // expected-error @below {{expected at most 2147483647 weights, got 4261478400}}
    %y = pattern.conv2d %x weights(@w) {schedule = #runs, loads = #loads}
        : tensor<1x256x255x255xf32, #plane> -> tensor<1x256x1x1xf32, #plane>
    return %y : tensor<1x256x1x1xf32, #plane>
  }
}

// -----

// Each block of filters has a list for every block of channels and pattern.
#library = #pattern.library<3x3, [
    [0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [0, 6], [0, 7], [0, 8], [1, 2], [1, 3], [1, 4],
    [1, 5], [1, 6], [1, 7], [1, 8], [2, 3], [2, 4], [2, 5], [2, 6], [2, 7], [2, 8], [3, 4],
    [3, 5], [3, 6], [3, 7], [3, 8], [4, 5], [4, 6], [4, 7], [4, 8], [5, 6], [5, 7], [5, 8]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#cells = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 0, 2, 1, 0, 1, 1, 1, 2, 2, 0, 2, 1, 2, 2],
    uses = [
    [0, 1], [0, 2], [0, 3], [0, 4], [0, 5], [0, 6], [0, 7], [0, 8], [1, 2], [1, 3], [1, 4],
    [1, 5], [1, 6], [1, 7], [1, 8], [2, 3], [2, 4], [2, 5], [2, 6], [2, 7], [2, 8], [3, 4],
    [3, 5], [3, 6], [3, 7], [3, 8], [4, 5], [4, 6], [4, 7], [4, 8], [5, 6], [5, 7], [5, 8]]>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<8192x8192x3x3xf32>, #pattern.kernel<#library>, kernels = dense<0> : tensor<8192x8192xi8>
  func.func @f(%x: tensor<1x8192x5x7xf32, #in>) {
    // expected-error @below {{'pattern.conv2d' op expected at most 2147483647 lists in its index, got 2214592512}}
    %y = pattern.conv2d %x weights(@w) {loads = #cells, schedule = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 1, filter_block = 1, channel_block = 1>}
        : tensor<1x8192x5x7xf32, #in> -> tensor<1x8192x3x5xf32, #out>
    return
  }
}
