// RUN: pconv-opt %s -split-input-file -verify-diagnostics -pattern-verify-stage
// Index numbers that would lead a kernel loop out of its memory. The first layer of each module has
// the numbers that pattern-pack-weights gives it, the others have one of them changed.

#library = #pattern.library<3x3, [[0, 1, 3], [4]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2], [3]]>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#gather = dense<[0, 1, 3, 49, 22, 27, 28, 30]> : tensor<8xi32>
module attributes {pattern.stage = "packed", pattern.target = #machine, pattern.memory = {values = 120 : i64, indices = 436 : i64}} {
  pattern.weights @w : tensor<3x2x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1, 0], [2, 1], [0, 2]]> : tensor<3x2xi8>
  pattern.packed @p0 weights(@w) form = #pattern.form<runs> values = 0 count = 8 indices = 0
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 9 (start of the runs) as number 0 of its index, got 8}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p1 weights(@w) form = #pattern.form<runs> values = 8 count = 8 indices = 29
      {gather = #gather, index = dense<[8, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 9..29 (start of the kernels) as number 1 of its index, got 30}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p2 weights(@w) form = #pattern.form<runs> values = 16 count = 8 indices = 58
      {gather = #gather, index = dense<[9, 30, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 27 (start of the kernels) as number 4 of its index, got 26}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p3 weights(@w) form = #pattern.form<runs> values = 24 count = 8 indices = 87
      {gather = #gather, index = dense<[9, 25, 0, 17, 26, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 4 (start of the values) as number 5 of its index, got 5}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p4 weights(@w) form = #pattern.form<runs> values = 32 count = 8 indices = 116
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 5, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 2 (original filter) as number 7 of its index, got 3}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p5 weights(@w) form = #pattern.form<runs> values = 40 count = 8 indices = 145
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 3, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 0..2 (runs) as number 9 of its index, got -1}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p6 weights(@w) form = #pattern.form<runs> values = 48 count = 8 indices = 174
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, -1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 0..48 (channel) as number 10 of its index, got 96}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p7 weights(@w) form = #pattern.form<runs> values = 56 count = 8 indices = 203
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 96, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected a multiple of 48 (channel) as number 15 of its index, got 47}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p8 weights(@w) form = #pattern.form<runs> values = 64 count = 8 indices = 232
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 47, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 0..2 (kernels) as number 11 of its index, got 3}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p9 weights(@w) form = #pattern.form<runs> values = 72 count = 8 indices = 261
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 3, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 0..4 (accumulators) as number 26 of its index, got 8}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p10 weights(@w) form = #pattern.form<runs> values = 80 count = 8 indices = 290
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 8, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected a multiple of 4 (accumulators) as number 26 of its index, got 2}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p11 weights(@w) form = #pattern.form<runs> values = 88 count = 8 indices = 319
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 2, 0, 0]> : tensor<29xi32>}
  // expected-error @+2 {{expected 0 (accumulators) as number 28 of its index, got the end}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p12 weights(@w) form = #pattern.form<runs> values = 96 count = 8 indices = 348
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0]> : tensor<28xi32>}
  // expected-error @+2 {{expected 29 numbers in its index, got 30}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p13 weights(@w) form = #pattern.form<runs> values = 104 count = 8 indices = 376
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0, 0]> : tensor<30xi32>}
  // expected-error @+2 {{expected 25 (start of the kernels) as number 1 of its index, got 26}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p14 weights(@w) form = #pattern.form<runs> values = 112 count = 8 indices = 406
      {gather = #gather, index = dense<[9, 26, 0, 17, 28, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0, 0]> : tensor<30xi32>}
  func.func @main(%x: tensor<1x2x5x7xf32, #in>) {
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p0, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p1, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %2 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p2, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %3 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p3, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %4 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p4, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %5 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p5, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %6 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p6, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %7 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p7, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %8 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p8, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %9 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p9, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %10 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p10, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %11 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p11, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %12 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p12, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %13 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p13, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %14 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p14, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    return
  }
}

// -----

// More values than the kernels use.
#library = #pattern.library<3x3, [[0, 1, 3], [4]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2], [3]]>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#gather = dense<[0, 1, 3, 49, 22, 27, 28, 30, 0]> : tensor<9xi32>
module attributes {pattern.stage = "packed", pattern.target = #machine, pattern.memory = {values = 9 : i64, indices = 29 : i64}} {
  pattern.weights @w : tensor<3x2x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1, 0], [2, 1], [0, 2]]> : tensor<3x2xi8>
  // expected-error @+2 {{expected 8 values for its index (count), got 9}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p0 weights(@w) form = #pattern.form<runs> values = 0 count = 9 indices = 0
      {gather = #gather, index = dense<[9, 25, 0, 17, 27, 4, 0, 2, 1, 1, 0, 1, 0, 0, 1, 48, 1, 0, 1, 0, 1, 1, 48, 1, 0, 0, 4, 0, 0]> : tensor<29xi32>}
  func.func @main(%x: tensor<1x2x5x7xf32, #in>) {
    // expected-note @+1 {{for this layer}}
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p0, schedule = #runs} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    return
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3], [4]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2], [3]]>
#records = #pattern.schedule<dataflow = staged, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#gather = dense<[0, 1, 3, 49, -1, -1, 22, -1, -1, 27, 28, 30]> : tensor<12xi32>
module attributes {pattern.stage = "packed", pattern.target = #machine, pattern.memory = {values = 144 : i64, indices = 517 : i64}} {
  pattern.weights @w : tensor<3x2x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1, 0], [2, 1], [0, 2]]> : tensor<3x2xi8>
  pattern.packed @p0 weights(@w) form = #pattern.form<records> values = 0 count = 12 indices = 0
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 23 (start of the groups) as number 3 of its index, got 24}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p1 weights(@w) form = #pattern.form<records> values = 12 count = 12 indices = 43
      {gather = #gather, index = dense<[9, 31, 0, 24, 37, 6, 0, 2, 1, 2, 1, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 0..2 (groups) as number 9 of its index, got 3}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p2 weights(@w) form = #pattern.form<records> values = 24 count = 12 indices = 86
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 3, 1, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 1 (groups) as number 23 of its index, got 0}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p3 weights(@w) form = #pattern.form<records> values = 36 count = 12 indices = 129
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 0, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 0..2 (filters) as number 10 of its index, got 3}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p4 weights(@w) form = #pattern.form<records> values = 48 count = 12 indices = 172
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 3, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 1 (filters) as number 13 of its index, got 0}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p5 weights(@w) form = #pattern.form<records> values = 60 count = 12 indices = 215
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 4, 0, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 0..1 (kernels) as number 14 of its index, got 2}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p6 weights(@w) form = #pattern.form<records> values = 72 count = 12 indices = 258
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 4, 1, 2, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 0..4 (accumulators) as number 12 of its index, got 8}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p7 weights(@w) form = #pattern.form<records> values = 84 count = 12 indices = 301
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 8, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected a multiple of 4 (accumulators) as number 12 of its index, got 3}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p8 weights(@w) form = #pattern.form<records> values = 96 count = 12 indices = 344
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 3, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 0..44 (place in the staged input) as number 33 of its index, got 45}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p9 weights(@w) form = #pattern.form<records> values = 108 count = 12 indices = 387
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 45, 17, 17, 17, 17, 17, 17, 0, 1, 16]> : tensor<43xi32>}
  // expected-error @+2 {{expected 0..44 (place in the staged input) as number 42 of its index, got -1}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p10 weights(@w) form = #pattern.form<records> values = 120 count = 12 indices = 430
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, -1]> : tensor<43xi32>}
  // expected-error @+2 {{expected 43 numbers in its index, got 44}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p11 weights(@w) form = #pattern.form<records> values = 132 count = 12 indices = 473
      {gather = #gather, index = dense<[9, 31, 0, 23, 37, 6, 0, 2, 1, 2, 1, 0, 4, 1, 1, 0, 2, 1, 0, 0, 1, 1, 4, 1, 1, 1, 0, 1, 1, 1, 0, 0, 1, 16, 17, 17, 17, 17, 17, 17, 0, 1, 16, 0]> : tensor<44xi32>}
  func.func @main(%x: tensor<1x2x5x7xf32, #in>) {
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p0, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p1, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %2 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p2, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %3 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p3, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %4 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p4, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %5 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p5, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %6 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p6, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %7 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p7, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %8 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p8, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %9 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p9, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %10 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p10, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %11 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>, loads = #loads, packed = @p11, schedule = #records} : tensor<1x2x5x7xf32, #in> -> tensor<1x3x3x5xf32, #out>
    return
  }
}

// -----

// The copy of a channel has 3 rows of 16 floats. A load may end with its last row; that of a pair
// reads two.
#library = #pattern.library<3x3, [[0, 3]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]], pairs = 1>
#records = #pattern.schedule<dataflow = staged, rows = 1, vectors = 1, filter_block = 1, channel_block = 1>
#gather = dense<[0, 3]> : tensor<2xi32>
module attributes {pattern.stage = "packed", pattern.target = #machine, pattern.memory = {values = 4 : i64, indices = 18 : i64}} {
  pattern.weights @w : tensor<1x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<1x1xi8>
  pattern.packed @p0 weights(@w) form = #pattern.form<records> values = 0 count = 2 indices = 0
      {gather = #gather, index = dense<[4, 8, 0, 0, 1, 1, 1, 0, 28]> : tensor<9xi32>}
  // expected-error @+2 {{expected 0..28 (place in the staged input) as number 8 of its index, got 29}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p1 weights(@w) form = #pattern.form<records> values = 2 count = 2 indices = 9
      {gather = #gather, index = dense<[4, 8, 0, 0, 1, 1, 1, 0, 29]> : tensor<9xi32>}
  func.func @main(%x: tensor<1x1x5x7xf32, #in>) {
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0>, loads = #loads, packed = @p0, schedule = #records} : tensor<1x1x5x7xf32, #in> -> tensor<1x1x3x5xf32, #out>
    // expected-note @+1 {{for this layer}}
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0>, loads = #loads, packed = @p1, schedule = #records} : tensor<1x1x5x7xf32, #in> -> tensor<1x1x3x5xf32, #out>
    return
  }
}

// -----

// Numbers that two layers write, and panels of another size than those that the loop walks.
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 8, channel_block = 6>
#four = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 4, channel_block = 6>
module attributes {pattern.stage = "packed", pattern.target = #machine, pattern.memory = {values = 220 : i64, indices = 8 : i64}} {
  pattern.weights @w : tensor<5x6xf32>, #pattern.dense
  pattern.weights @b : tensor<5xf32>, #pattern.dense
  pattern.weights @s : tensor<5xf32>, #pattern.dense
  // The bias is filled up, too: 56 values.
  // expected-note @+1 {{has 0 to 56}}
  pattern.packed @p0 weights(@w) bias(@b) form = #pattern.form<panels> values = 0 count = 48 indices = 0 {filter_block = 8 : i64}
  // expected-error @+2 {{expected values of its own, got 55 to 103}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p1 weights(@w) form = #pattern.form<panels> values = 55 count = 48 indices = 0 {filter_block = 8 : i64}
  // expected-error @+2 {{expected 56 values below 220, got them at 165}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p2 weights(@w) bias(@b) form = #pattern.form<panels> values = 165 count = 48 indices = 0 {filter_block = 8 : i64}
  // Nobody uses the next ones, but they would be written all the same.
  // expected-note @+1 {{has 1 to 5}}
  pattern.packed @p3 weights(@w) form = #pattern.form<runs> values = 103 count = 1 indices = 1
      {gather = dense<0> : tensor<1xi32>, index = dense<0> : tensor<4xi32>}
  // expected-error @+2 {{expected indices of its own, got 4 to 8}}
  // expected-note @+1 {{promised by stage 'packed'}}
  pattern.packed @p4 weights(@w) form = #pattern.form<runs> values = 104 count = 1 indices = 4
      {gather = dense<0> : tensor<1xi32>, index = dense<0> : tensor<4xi32>}
  func.func @main(%x: tensor<1x6xf32>) {
    %0 = pattern.linear %x weights(@w) bias(@b) {packed = @p0, schedule = #dense} : tensor<1x6xf32> -> tensor<1x5xf32>
    // expected-error @+2 {{expected 1 groups of panels of 4 filters, got 1 of 8}}
    // expected-note @+1 {{promised by stage 'packed'}}
    %1 = pattern.linear %x weights(@w) {packed = @p1, schedule = #four} : tensor<1x6xf32> -> tensor<1x5xf32>
    return
  }
}

// -----

// Panels of two groups, walked as those of one.
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 6>
module attributes {pattern.stage = "packed", pattern.target = #machine, pattern.memory = {values = 64 : i64, indices = 0 : i64}} {
  pattern.weights @w : tensor<6x2x1x1xf32>, #pattern.dense
  pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 16 indices = 0 {filter_block = 2 : i64, groups = 2 : i64}
  func.func @main(%x: tensor<1x2x5x7xf32, #plane>) {
    // expected-error @+2 {{expected 1 groups of panels of 2 filters, got 2 of 2}}
    // expected-note @+1 {{promised by stage 'packed'}}
    %0 = pattern.conv2d %x weights(@w) {packed = @p, schedule = #dense} : tensor<1x2x5x7xf32, #plane> -> tensor<1x6x5x7xf32, #plane>
    return
  }
}
