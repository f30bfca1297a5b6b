// RUN: pconv-opt %s -split-input-file -verify-diagnostics -pattern-verify-stage
// One promise is broken at a time. Every case says which stage promised it, and which pass keeps it.

module {
  func.func @foreign_op(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    // expected-error @+2 {{'arith.addf' op expected only layers of the pattern dialect in a network}}
    // expected-note @+1 {{promised by stage 'imported', which the importer ensures}}
    %0 = arith.addf %x, %x : tensor<1x4xf32>
    return %0 : tensor<1x4xf32>
  }
}

// -----

module {
  // expected-error @+2 {{'func.func' op expected one block, got 2}}
  // expected-note @+1 {{promised by stage 'imported', which the importer ensures}}
  func.func @two_blocks(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
    cf.br ^bb1
  ^bb1:
    return %x : tensor<1x4xf32>
  }
}

// -----

// Nothing else is said of it: places in other blocks than the first have no meaning.
module attributes {pattern.stage = "placed",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>,
    pattern.memory = {values = 0 : i64, indices = 0 : i64, arena = 1024 : i64, scratch = 64 : i64}} {
  // expected-error @+2 {{'func.func' op expected one block, got 2}}
  // expected-note @+1 {{promised by stage 'imported', which the importer ensures}}
  func.func @places_in_two_blocks(%x: tensor<2x3xf32> {pattern.place = 0 : i64})
      -> (tensor<2x3xf32> {pattern.place = 0 : i64}) {
    cf.br ^bb1(%x, %x : tensor<2x3xf32>, tensor<2x3xf32>)
  ^bb1(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>):
    return %b : tensor<2x3xf32>
  }
}

// -----

// The place of an op of another dialect is no place.
module attributes {pattern.stage = "placed",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>,
    pattern.memory = {values = 0 : i64, indices = 0 : i64, arena = 1024 : i64, scratch = 64 : i64}} {
  func.func @foreign_place() {
    // expected-error @+4 {{expected only layers of the pattern dialect in a network}}
    // expected-note @+3 {{promised by stage 'imported', which the importer ensures}}
    // expected-error @+2 {{expected a place in the arena for a value of type 'tensor<2x3xf32>', got none}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %x = tensor.empty() {place = 5 : ui8} : tensor<2x3xf32>
    return
  }
}

// -----

#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>
module attributes {pattern.stage = "fused"} {
  pattern.weights @w : tensor<2x6xf32>, #pattern.dense
  pattern.weights @s : tensor<2xf32>, #pattern.dense
  func.func @foldable_batch_norm(%x: tensor<1x6xf32>) -> tensor<1x2xf32> {
    %0 = pattern.linear %x weights(@w) : tensor<1x6xf32> -> tensor<1x2xf32>
    // expected-error @+2 {{'pattern.batch_norm' op expected to be folded into the pattern.linear that makes its input}}
    // expected-note @+1 {{promised by stage 'fused', which pattern-fuse-layers ensures}}
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x2xf32> -> tensor<1x2xf32>
    return %1 : tensor<1x2xf32>
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
module attributes {pattern.stage = "reordered"} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2]]> : tensor<2x1xi8>
  func.func @no_order(%x: tensor<1x1x5x7xf32>) -> tensor<1x2x3x5xf32> {
    // expected-error @+2 {{'pattern.conv2d' op expected a filter_order, since its weights wear kernel patterns}}
    // expected-note @+1 {{promised by stage 'reordered', which pattern-reorder-filters ensures}}
    %0 = pattern.conv2d %x weights(@w) : tensor<1x1x5x7xf32> -> tensor<1x2x3x5xf32>
    return %0 : tensor<1x2x3x5xf32>
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
module attributes {pattern.stage = "reordered"} {
  pattern.weights @w : tensor<4x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2], [0], [1]]> : tensor<4x1xi8>
  func.func @order_leaves_group(%x: tensor<1x2x5x7xf32>) -> tensor<1x4x3x5xf32> {
    // expected-error @+2 {{'pattern.conv2d' op expected filter_order to stay within groups of 2, got filter 2 at 1}}
    // expected-note @+1 {{promised by stage 'reordered', which pattern-reorder-filters ensures}}
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1, 3>, groups = 2 : i64} : tensor<1x2x5x7xf32> -> tensor<1x4x3x5xf32>
    return %0 : tensor<1x4x3x5xf32>
  }
}

// -----

#plane = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 72>
module attributes {pattern.stage = "laid_out"} {
  pattern.weights @w : tensor<2x3x5x5xf32>, #pattern.dense
  func.func @narrow_border(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x5x7xf32, #plane> {
    // expected-error @+2 {{'pattern.conv2d' op expected an input with a border of 2, got 1}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %0 = pattern.conv2d %x weights(@w) {padding = array<i64: 2, 2, 2, 2>} : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x5x7xf32, #plane>
    return %0 : tensor<1x2x5x7xf32, #plane>
  }
}

// -----

#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
module attributes {pattern.stage = "laid_out"} {
  func.func @plain_tensors(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
    // expected-error @+2 {{'pattern.activate' op expected operand #0 in #pattern.plane layout, got 'tensor<1x4x5x7xf32>'}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %0 = pattern.activate %x {activation = #pattern.activation<relu>} : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32, #plane>
    // expected-error @+2 {{'pattern.activate' op expected result #0 in #pattern.plane layout, got 'tensor<1x4x5x7xf32>'}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %1 = pattern.activate %0 {activation = #pattern.activation<relu>} : tensor<1x4x5x7xf32, #plane> -> tensor<1x4x5x7xf32>
    return %1 : tensor<1x4x5x7xf32>
  }
}

// -----

#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#wider = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 48>
#phases = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 96, row_phases = 2>
module attributes {pattern.stage = "laid_out"} {
  pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.dense
  func.func @rows(%x: tensor<1x3x5x7xf32, #plane>, %r: tensor<1x2x3x5xf32, #wider>, %p: tensor<1x3x5x7xf32, #phases>) {
    // expected-error @+2 {{'pattern.conv2d' op expected an output with the row_stride of its input, 7, got 8}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #wider>
    // expected-error @+2 {{'pattern.conv2d' op expected a residual with the row_stride of its input, 7, got 8}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %1 = pattern.conv2d %x weights(@w) residual(%r : tensor<1x2x3x5xf32, #wider>) : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
    // expected-error @+2 {{'pattern.conv2d' op expected an output in one piece, got 'tensor<1x2x3x5xf32, #pattern.plane<halo = 0, row_stride = 7, channel_stride = 96, row_phases = 2>>'}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %2 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #phases>
    // expected-error @+2 {{'pattern.conv2d' op expected an input dealt out to 1x1 sub-planes, one for each step of its strides, got 2x1}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %3 = pattern.conv2d %p weights(@w) : tensor<1x3x5x7xf32, #phases> -> tensor<1x2x3x5xf32, #plane>
    // expected-error @+2 {{'pattern.conv2d' op expected an input dealt out to 2x1 sub-planes, one for each step of its strides, got 1x1}}
    // expected-note @+1 {{promised by stage 'laid_out', which pattern-assign-layouts ensures}}
    %4 = pattern.conv2d %x weights(@w) {strides = array<i64: 2, 1>} : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x2x5xf32, #plane>
    %5 = pattern.conv2d %p weights(@w) {strides = array<i64: 2, 1>} : tensor<1x3x5x7xf32, #phases> -> tensor<1x2x2x5xf32, #plane>
    return
  }
}

// -----

// expected-error @+2 {{'builtin.module' op expected an attribute pattern.target, got none}}
// expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
module attributes {pattern.stage = "scheduled"} {
  pattern.weights @w : tensor<2x6xf32>, #pattern.dense
  func.func @no_schedule(%x: tensor<1x6xf32>) -> tensor<1x2xf32> {
    // expected-error @+2 {{'pattern.linear' op expected a schedule, got none}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %0 = pattern.linear %x weights(@w) : tensor<1x6xf32> -> tensor<1x2xf32>
    return %0 : tensor<1x2xf32>
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#small = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
module attributes {pattern.stage = "scheduled", pattern.target = #small} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2]]> : tensor<2x1xi8>
  pattern.weights @d : tensor<8x1x3x3xf32>, #pattern.dense
  pattern.weights @fc : tensor<8x3xf32>, #pattern.dense
  func.func @too_many_registers(%x: tensor<1x1x5x7xf32, #in>, %y: tensor<1x3xf32>) {
    // Three vectors of four cells, three accumulators, one weight: 16. Four vectors are too many.
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 2, channel_block = 1>} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected a schedule for 16 registers, got one for 21}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 4, filter_block = 2, channel_block = 1>} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    // Three vectors of four filters: twelve sums, three inputs, one weight.
    %2 = pattern.conv2d %x weights(@d) {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 3, filter_block = 4, channel_block = 1>} : tensor<1x1x5x7xf32, #in> -> tensor<1x8x3x5xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected a schedule for 16 registers, got one for 19}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %3 = pattern.conv2d %x weights(@d) {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 3, filter_block = 5, channel_block = 1>} : tensor<1x1x5x7xf32, #in> -> tensor<1x8x3x5xf32, #out>
    // One filter at a time, as for depthwise layers: an input serves once and needs no register.
    %4 = pattern.conv2d %x weights(@d) {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 8, filter_block = 1, channel_block = 1>} : tensor<1x1x5x7xf32, #in> -> tensor<1x8x3x5xf32, #out>
    // Fourteen accumulators in seven columns of two rows, one input row, one weight. Fifteen: no.
    %5 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #pattern.schedule<dataflow = staged, rows = 2, vectors = 7, filter_block = 2, channel_block = 1>} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected a schedule for 16 registers, got one for 17}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %6 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #pattern.schedule<dataflow = staged, rows = 3, vectors = 5, filter_block = 2, channel_block = 1>} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    // expected-error @+2 {{'pattern.linear' op expected a schedule for 16 registers, got one for 17}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %7 = pattern.linear %y weights(@fc) {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 15, filter_block = 60, channel_block = 3>} : tensor<1x3xf32> -> tensor<1x8xf32>
    return
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#in = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 64>
#out = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 32>
#small = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#two = #pattern.schedule<dataflow = staged, rows = 2, vectors = 1, filter_block = 2, channel_block = 1>
#three = #pattern.schedule<dataflow = staged, rows = 3, vectors = 1, filter_block = 2, channel_block = 1>
#five = #pattern.schedule<dataflow = staged, rows = 5, vectors = 1, filter_block = 2, channel_block = 1>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>
module attributes {pattern.stage = "scheduled", pattern.target = #small} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2]]> : tensor<2x1xi8>
  pattern.weights @fc : tensor<8x3xf32>, #pattern.dense
  func.func @tiles_without_kernel_loops(%x: tensor<1x1x6x8xf32, #in>, %y: tensor<1x3xf32>) {
    // expected-error @+2 {{'pattern.conv2d' op expected at most 4 rows, those of the result, got 5}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #five} : tensor<1x1x6x8xf32, #in> -> tensor<1x2x4x6xf32, #out>
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, pool = #pool, schedule = #two} : tensor<1x1x6x8xf32, #in> -> tensor<1x2x2x3xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected no pooling, or staged tiles that hold whole windows of it}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %2 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, pool = #pool, schedule = #three} : tensor<1x1x6x8xf32, #in> -> tensor<1x2x2x3xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected no pooling, or staged tiles that hold whole windows of it}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %3 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, pool = #pool, schedule = #dense} : tensor<1x1x6x8xf32, #in> -> tensor<1x2x2x3xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected no pooling, or staged tiles that hold whole windows of it}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %4 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, pool = #pattern.pool<average, kernel = [2, 2], strides = [2, 2]>, schedule = #two} : tensor<1x1x6x8xf32, #in> -> tensor<1x2x2x3xf32, #out>
    // expected-error @+2 {{'pattern.linear' op expected a filter_block of whole vectors of 4, got 6}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %5 = pattern.linear %y weights(@fc) {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 6, channel_block = 3>} : tensor<1x3xf32> -> tensor<1x8xf32>
    return
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#s = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 2, channel_block = 1>
#good = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2], uses = [[0, 1, 2, 3], [1, 4, 3, 5]]>
#small = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
module attributes {pattern.stage = "planned", pattern.target = #small} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2]]> : tensor<2x1xi8>
  func.func @plans(%x: tensor<1x1x5x7xf32, #in>) {
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, loads = #good, schedule = #s} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected loads, since its schedule is input_stationary}}
    // expected-note @+1 {{promised by stage 'planned', which pattern-eliminate-redundant-loads ensures}}
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #s} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    return
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#s = #pattern.schedule<dataflow = staged, rows = 3, vectors = 1, filter_block = 2, channel_block = 1>
#single = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2, 3]]>
#paired = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0, 0, 1, 1, 1], uses = [[0, 1, 2, 3]], pairs = 1>
#small = #pattern.target<lanes = 4, registers = 5, fma = true, l1 = 32768, l2 = 524288>
module attributes {pattern.stage = "planned", pattern.target = #small} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x1xi8>
  func.func @pairs_need_a_register(%x: tensor<1x1x5x7xf32, #in>) {
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, loads = #single, schedule = #s} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected a schedule for 5 registers, got one for 6}}
    // expected-note @+1 {{promised by stage 'planned', which pattern-eliminate-redundant-loads ensures}}
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, loads = #paired, schedule = #s} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    return
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#sparse = #pattern.schedule<dataflow = staged, rows = 3, vectors = 1, filter_block = 2, channel_block = 1>
#loads = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2], uses = [[0, 1, 2, 3], [1, 4, 3, 5]]>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 4, channel_block = 6>
#machine = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>
// expected-error @+2 {{'builtin.module' op expected pattern.memory to say `indices`}}
// expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
module attributes {pattern.stage = "packed", pattern.target = #machine, pattern.memory = {values = 66 : i64}} {
  pattern.weights @w : tensor<4x6xf32>, #pattern.dense
  pattern.packed @w.packed weights(@w) form = #pattern.form<panels> values = 18 count = 24 indices = 0 {filter_block = 4 : i64}
  // expected-error @+2 {{'pattern.packed' op expected 24 values below 66, got them at 43}}
  // expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
  pattern.packed @w.packed2 weights(@w) form = #pattern.form<panels> values = 43 count = 24 indices = 0 {filter_block = 4 : i64}
  pattern.weights @c : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2]]> : tensor<2x1xi8>
  pattern.packed @c.packed weights(@c) form = #pattern.form<panels> values = 0 count = 18 indices = 0 {filter_block = 2 : i64}
  func.func @packed(%x: tensor<1x6xf32>, %y: tensor<1x1x5x7xf32, #in>) {
    // expected-error @+2 {{'pattern.conv2d' op expected weights packed as records, got panels}}
    // expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
    %3 = pattern.conv2d %y weights(@c) {filter_order = array<i32: 0, 1>, loads = #loads, packed = @c.packed, schedule = #sparse} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    %0 = pattern.linear %x weights(@w) {packed = @w.packed, schedule = #dense} : tensor<1x6xf32> -> tensor<1x4xf32>
    // expected-error @+2 {{'pattern.linear' op expected packed weights, got none}}
    // expected-note @+1 {{promised by stage 'packed', which pattern-pack-weights ensures}}
    %1 = pattern.linear %x weights(@w) {schedule = #dense} : tensor<1x6xf32> -> tensor<1x4xf32>
    %2 = pattern.linear %x weights(@w) {packed = @w.packed2, schedule = #dense} : tensor<1x6xf32> -> tensor<1x4xf32>
    return
  }
}

// -----

#plane = #pattern.plane<halo = 0, row_stride = 5, channel_stride = 16>
#machine = #pattern.target<lanes = 4, registers = 32, fma = true, l1 = 32768, l2 = 524288>
module attributes {pattern.stage = "placed", pattern.target = #machine, pattern.memory = {values = 0 : i64, indices = 0 : i64, arena = 160 : i64, scratch = 64 : i64}} {
  // Three of 32, 32 and 30 floats. %0 is dead when %2 is written, which may take its place.
  func.func @good(%x: tensor<1x2x3x5xf32> {pattern.place = 0 : i64}) -> (tensor<1x30xf32> {pattern.place = 32 : i64}) {
    %0 = pattern.relayout %x {place = 32 : i64} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32, #plane>
    %1 = pattern.activate %0 {activation = #pattern.activation<relu>, place = 128 : i64} : tensor<1x2x3x5xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
    %2 = pattern.relayout %1 {place = 32 : i64} : tensor<1x2x3x5xf32, #plane> -> tensor<1x2x3x5xf32>
    %3 = pattern.reshape %2 {place = 32 : i64} : tensor<1x2x3x5xf32> -> tensor<1x30xf32>
    return %3 : tensor<1x30xf32>
  }
  // expected-error @+2 {{'func.func' op expected a place in the arena for a value of type 'tensor<1x2x3x5xf32>', got none}}
  // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
  func.func @argument_without_place(%x: tensor<1x2x3x5xf32>) {
    // expected-error @+2 {{'pattern.relayout' op expected a place in the arena for a value of type}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %0 = pattern.relayout %x : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32, #plane>
    return
  }
  func.func @beyond_the_arena(%x: tensor<1x2x3x5xf32> {pattern.place = 0 : i64}) {
    // expected-error @+2 {{'pattern.relayout' op expected a place for 32 floats below 160, got 144}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %0 = pattern.relayout %x {place = 144 : i64} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32, #plane>
    return
  }
  // The input dies while the first layer writes its result: not yet dead.
  // expected-note @+1 {{lives at the same time at 0 to 30}}
  func.func @overlap(%x: tensor<1x2x3x5xf32> {pattern.place = 0 : i64}) {
    // expected-error @+2 {{'pattern.relayout' op expected a place of its own, got 16 to 48}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %0 = pattern.relayout %x {place = 16 : i64} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32, #plane>
    return
  }
  // What is read under another shape lives on.
  func.func @overlap_with_reshaped(%x: tensor<1x30xf32> {pattern.place = 0 : i64}) -> (tensor<30x1xf32> {pattern.place = 96 : i64}) {
    // expected-note @+1 {{lives at the same time at 32 to 62}}
    %0 = pattern.softmax %x {axis = 1 : i64, place = 32 : i64} : tensor<1x30xf32> -> tensor<1x30xf32>
    %1 = pattern.reshape %0 {place = 32 : i64} : tensor<1x30xf32> -> tensor<30x1xf32>
    // expected-error @+2 {{'pattern.softmax' op expected a place of its own, got 48 to 78}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %2 = pattern.softmax %1 {axis = 0 : i64, place = 48 : i64} : tensor<30x1xf32> -> tensor<30x1xf32>
    %3 = pattern.add %1, %2 {place = 96 : i64} : tensor<30x1xf32>, tensor<30x1xf32> -> tensor<30x1xf32>
    return %3 : tensor<30x1xf32>
  }
  func.func @reshape_moves(%x: tensor<1x30xf32> {pattern.place = 0 : i64}) {
    // expected-error @+2 {{'pattern.reshape' op expected the place of its input, got 32}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %0 = pattern.reshape %x {place = 32 : i64} : tensor<1x30xf32> -> tensor<30x1xf32>
    return
  }
  // expected-error @+2 {{'func.func' op expected result #0 to name the place of the returned value}}
  // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
  func.func @result_elsewhere(%x: tensor<1x30xf32> {pattern.place = 0 : i64}) -> (tensor<1x30xf32> {pattern.place = 64 : i64}) {
    %0 = pattern.softmax %x {axis = 1 : i64, place = 32 : i64} : tensor<1x30xf32> -> tensor<1x30xf32>
    return %0 : tensor<1x30xf32>
  }
}

// -----

// Tiles of eight lanes that would write more than the output has room for.
#library = #pattern.library<3x3, [[0, 3]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#roomy = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 24>
#tight = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 21>
#machine = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#rows = #pattern.schedule<dataflow = output_stationary, rows = 2, vectors = 1, filter_block = 2, channel_block = 1>
#staged = #pattern.schedule<dataflow = staged, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#panel = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 32, channel_block = 1>
module attributes {pattern.stage = "scheduled", pattern.target = #machine} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x1xi8>
  pattern.weights @fc : tensor<5x3xf32>, #pattern.dense
  func.func @tiles(%x: tensor<1x1x5x7xf32, #in>, %y: tensor<1x3xf32>) {
    // Three rows of seven: three vectors, or one at the start of each row.
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #dense} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #roomy>
    // expected-error @+2 {{'pattern.conv2d' op expected an output with a channel_stride of at least 24 for its tiles, got 21}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %1 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #dense} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #tight>
    // expected-error @+2 {{'pattern.conv2d' op expected an output with a channel_stride of at least 22 for its tiles, got 21}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %2 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #staged} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #tight>
    // expected-error @+2 {{'pattern.conv2d' op expected tiles of one row, which only the staged dataflow has more of, got 2}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %3 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #rows} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #roomy>
    // expected-error @+2 {{'pattern.linear' op expected a filter_block of at most the 16 sums of a tile, got 32}}
    // expected-note @+1 {{promised by stage 'scheduled', which pattern-assign-schedules ensures}}
    %4 = pattern.linear %y weights(@fc) {schedule = #panel} : tensor<1x3xf32> -> tensor<1x5xf32>
    return
  }
}

// -----

// The rows that cells 0 and 3 read are two apart.
#library = #pattern.library<3x3, [[0, 3]]>
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 48>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#staged = #pattern.schedule<dataflow = staged, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#pairs = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]], pairs = 1>
#single = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0], uses = [[0, 1]]>
module attributes {pattern.stage = "planned", pattern.target = #machine} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<1> : tensor<2x1xi8>
  func.func @pairs(%x: tensor<1x1x5x7xf32, #in>) {
    %0 = pattern.conv2d %x weights(@w) {dilations = array<i64: 2, 1>, filter_order = array<i32: 0, 1>, loads = #single, schedule = #staged} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x1x5xf32, #out>
    // expected-error @+2 {{'pattern.conv2d' op expected loads without pairs, since cells one below the other do not read rows one below the other}}
    // expected-note @+1 {{promised by stage 'planned', which pattern-eliminate-redundant-loads ensures}}
    %1 = pattern.conv2d %x weights(@w) {dilations = array<i64: 2, 1>, filter_order = array<i32: 0, 1>, loads = #pairs, schedule = #staged} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x1x5xf32, #out>
    return
  }
}

// -----

// Tiles that read beyond the arena, and more sums than scratch memory holds.
#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 35>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
#panel = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 8, channel_block = 1>
module attributes {pattern.stage = "placed", pattern.target = #machine, pattern.memory = {values = 64 : i64, indices = 0 : i64, arena = 104 : i64, scratch = 63 : i64}} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.dense
  pattern.packed @w.packed weights(@w) form = #pattern.form<panels> values = 0 count = 18 indices = 0 {filter_block = 2 : i64}
  pattern.weights @fc : tensor<5x3xf32>, #pattern.dense
  pattern.packed @fc.packed weights(@fc) form = #pattern.form<panels> values = 18 count = 24 indices = 0 {filter_block = 8 : i64}
  func.func @inside(%x: tensor<1x1x5x7xf32, #in> {pattern.place = 64 : i64}) {
    %0 = pattern.conv2d %x weights(@w) {packed = @w.packed, place = 0 : i64, schedule = #dense} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    return
  }
  func.func @tiles(%x: tensor<1x1x5x7xf32, #in> {pattern.place = 69 : i64}) {
    // expected-error @+2 {{'pattern.conv2d' op expected room for tiles that read 40 floats from the start of its input, got 35 up to the end of the arena}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %0 = pattern.conv2d %x weights(@w) {packed = @w.packed, place = 0 : i64, schedule = #dense} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    return
  }
  func.func @sums(%x: tensor<1x3xf32> {pattern.place = 0 : i64}) {
    // expected-error @+2 {{'pattern.linear' op expected 64 floats of scratch memory, got 63}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %0 = pattern.linear %x weights(@fc) {packed = @fc.packed, place = 16 : i64, schedule = #panel} : tensor<1x3xf32> -> tensor<1x5xf32>
    return
  }
}

// -----

#in = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 35>
#out = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 32>
#tight = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 21>
#machine = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
module attributes {pattern.stage = "placed", pattern.target = #machine, pattern.memory = {values = 18 : i64, indices = 0 : i64, arena = 141 : i64, scratch = 64 : i64}} {
  pattern.weights @w : tensor<2x1x3x3xf32>, #pattern.dense
  pattern.packed @w.packed weights(@w) form = #pattern.form<panels> values = 0 count = 18 indices = 0 {filter_block = 2 : i64}
  func.func @residual(%x: tensor<1x1x5x7xf32, #in> {pattern.place = 64 : i64}, %r: tensor<1x2x3x5xf32, #tight> {pattern.place = 99 : i64}) {
    // expected-error @+2 {{'pattern.conv2d' op expected room for tiles that read 45 floats from the start of its residual, got 42 up to the end of the arena}}
    // expected-note @+1 {{promised by stage 'placed', which pattern-plan-memory ensures}}
    %0 = pattern.conv2d %x weights(@w) residual(%r : tensor<1x2x3x5xf32, #tight>) {packed = @w.packed, place = 0 : i64, schedule = #dense} : tensor<1x1x5x7xf32, #in> -> tensor<1x2x3x5xf32, #out>
    return
  }
}

// -----

module attributes {pattern.stage = "lowered"} {
  // expected-error @+2 {{'pattern.weights' op expected no op of the pattern dialect}}
  // expected-note @+1 {{promised by stage 'lowered', which convert-pattern-to-vector ensures}}
  pattern.weights @w : tensor<2x6xf32>, #pattern.dense
}
