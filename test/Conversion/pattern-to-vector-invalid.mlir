// RUN: pconv-opt %s -convert-pattern-to-vector -verify-diagnostics -split-input-file
// What the kernel generators rely on is checked before the first of them runs.

// expected-error @below {{expected a function @main, got none}}
module {}

// -----

// expected-error @below {{expected a network at stage 'placed' or before, got stage 'lowered'}}
module attributes {pattern.stage = "lowered"} {
  func.func @main() {
    return
  }
}

// -----

// expected-error @below {{expected pattern.stage to name a stage, got 7 : i32}}
module attributes {pattern.stage = 7 : i32} {
  func.func @main() {
    return
  }
}

// -----

module {
  // expected-error @below {{expected a network in one block, got 0}}
  func.func private @main(tensor<3xf32>) -> tensor<3xf32>
}

// -----

module {
  // expected-error @below {{expected a tensor that layers work on as argument 0, got 'i32'}}
  func.func @main(%n: i32 {pattern.place = 0 : i64}) {
    return
  }
}

// -----

module {
  func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
    // expected-error @below {{'arith.negf' op expected only layers of the pattern dialect in a network}}
    %y = arith.negf %x : tensor<3xf32>
    return %y : tensor<3xf32>
  }
}

// -----

// expected-error @+8 {{expected an attribute pattern.target, got none}}
// expected-note @+7 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
// expected-error @+6 {{expected pattern.memory to say `values`}}
// expected-note @+5 {{promised by stage 'packed', which pattern-pack-weights ensures}}
// expected-error @+4 {{expected pattern.memory to say `indices`}}
// expected-error @+3 {{expected pattern.memory to say `arena`}}
// expected-note @+2 {{promised by stage 'placed', which pattern-plan-memory ensures}}
// expected-error @+1 {{expected pattern.memory to say `scratch`}}
module {
  func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
    return %x : tensor<3xf32>
  }
}

// -----

module attributes {pattern.memory = {arena = 512 : i64, scratch = 64 : i64, values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  // expected-error @+3 {{expected a place in the arena for a value of type 'tensor<3x40xf32>', got none}}
  // expected-note @+2 {{promised by stage 'placed', which pattern-plan-memory ensures}}
  // expected-error @+1 {{expected result #0 to name the place of the returned value}}
  func.func @main(%x: tensor<3x40xf32>) -> tensor<3x40xf32> {
    // expected-error @+2 {{expected a place in the arena for a value of type 'tensor<3x40xf32>', got none}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %y = pattern.softmax %x {axis = 1 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
    return %y : tensor<3x40xf32>
  }
}

// -----

module attributes {pattern.memory = {arena = 512 : i64, scratch = 64 : i64, values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  // expected-error @+2 {{expected a place for 120 floats below 512, got 496}}
  // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
  func.func @main(%x: tensor<3x40xf32> {pattern.place = 496 : i64}) {
    return
  }
}

// -----

#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
module attributes {pattern.memory = {arena = 2048 : i64, scratch = 64 : i64, values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.dense
  pattern.weights @l : tensor<5x12xf32>, #pattern.dense
  pattern.weights @s : tensor<12xf32>, #pattern.dense
  func.func @main(%x: tensor<1x4x5x7xf32, #plane> {pattern.place = 0 : i64}, %v: tensor<1x12xf32> {pattern.place = 512 : i64}) {
    // expected-error @+4 {{'pattern.conv2d' op expected a schedule, got none}}
    // expected-note @+3 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    // expected-error @+2 {{'pattern.conv2d' op expected packed weights, got none}}
    // expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
    %0 = pattern.conv2d %x weights(@w) {place = 1024 : i64} : tensor<1x4x5x7xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
    // expected-error @+4 {{'pattern.linear' op expected a schedule, got none}}
    // expected-note @+3 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    // expected-error @+2 {{'pattern.linear' op expected packed weights, got none}}
    // expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
    %1 = pattern.linear %v weights(@l) {place = 1500 : i64} : tensor<1x12xf32> -> tensor<1x5xf32>
    // expected-error @+2 {{'pattern.batch_norm' op expected packed weights, got none}}
    // expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
    %2 = pattern.batch_norm %v {place = 1600 : i64, parameters = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>}
        : tensor<1x12xf32> -> tensor<1x12xf32>
    return
  }
}

// -----

// A staged loop for dense weights packed in panels: it would read an index that is not there.
#library = #pattern.library<3x3, [[0, 1, 3, 4]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 3, vectors = 2, filter_block = 2, channel_block = 4>
module attributes {pattern.memory = {arena = 2048 : i64, scratch = 1024 : i64, values = 144 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<3x4xi8>
  pattern.packed @w.packed weights(@w) form = #pattern.form<panels> values = 0 count = 144 indices = 0 {filter_block = 2 : i64}
  func.func @main(%x: tensor<1x4x5x7xf32, #plane> {pattern.place = 0 : i64}) {
    // expected-error @+4 {{'pattern.conv2d' op expected loads, since its schedule is staged}}
    // expected-note @+3 {{promised by stage 'planned', which pattern-eliminate-redundant-loads ensures}}
    // expected-error @+2 {{'pattern.conv2d' op expected weights packed as records, got panels}}
    // expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1, 2>, packed = @w.packed, place = 1024 : i64, schedule = #staged}
        : tensor<1x4x5x7xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
    return
  }
}

// -----

// Planes that are none: a kernel loop would read beside its input.
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 2, channel_block = 4>
module attributes {pattern.memory = {arena = 2048 : i64, scratch = 1024 : i64, values = 144 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.dense
  pattern.packed @w.packed weights(@w) form = #pattern.form<panels> values = 0 count = 144 indices = 0 {filter_block = 2 : i64}
  func.func @main(%x: tensor<1x4x5x7xf32> {pattern.place = 0 : i64}) {
    // expected-error @+4 {{expected operand #0 in #pattern.plane layout, got 'tensor<1x4x5x7xf32>'}}
    // expected-note @+3 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    // expected-error @+2 {{expected result #0 in #pattern.plane layout, got 'tensor<1x3x3x5xf32>'}}
    // expected-error @+1 {{expected an output with the row_stride of its input, 7, got 5}}
    %0 = pattern.conv2d %x weights(@w) {packed = @w.packed, place = 1024 : i64, schedule = #dense}
        : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    return
  }
}

// -----

// The generators walk four axes.
module attributes {pattern.memory = {arena = 512 : i64, scratch = 64 : i64, values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @main(%x: tensor<1x2x3x4x5xf32> {pattern.place = 0 : i64}) {
    %0 = pattern.softmax %x {axis = 2 : i64, place = 128 : i64} : tensor<1x2x3x4x5xf32> -> tensor<1x2x3x4x5xf32>
    // expected-error @below {{'pattern.softmax' op expected at most 4 axes, got 5}}
    %1 = pattern.softmax %0 {axis = 4 : i64, place = 256 : i64} : tensor<1x2x3x4x5xf32> -> tensor<1x2x3x4x5xf32>
    return
  }
}

// -----

module attributes {pattern.memory = {arena = 512 : i64, scratch = 64 : i64, values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @main(%x: tensor<1x2x3x4x5xf32> {pattern.place = 0 : i64}, %y: tensor<1x2x3x1x5xf32> {pattern.place = 128 : i64}) {
    %0 = pattern.add %x, %x {place = 256 : i64} : tensor<1x2x3x4x5xf32>, tensor<1x2x3x4x5xf32> -> tensor<1x2x3x4x5xf32>
    // expected-error @below {{'pattern.add' op expected at most 4 axes, got 5}}
    %1 = pattern.add %x, %y {place = 384 : i64} : tensor<1x2x3x4x5xf32>, tensor<1x2x3x1x5xf32> -> tensor<1x2x3x4x5xf32>
    return
  }
}

// -----

// Only @main becomes code: what else there is would keep its layers.
module attributes {pattern.memory = {arena = 512 : i64, scratch = 64 : i64, values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @main(%x: tensor<3x40xf32> {pattern.place = 0 : i64}) {
    return
  }
  // expected-error @+2 {{expected a place in the arena}}
  // expected-note @+1 {{promised by stage 'placed'}}
  func.func @other(%x: tensor<3x40xf32>) {
    return
  }
}
