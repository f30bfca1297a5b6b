// RUN: pconv-opt %s -split-input-file -pattern-pack-weights -pattern-plan-memory -convert-pattern-to-vector -pattern-verify-stage -mlir-print-local-scope | FileCheck %s
// The structure of the code, not what tuning changes: schedules and load plans are given.
// pattern-verify-stage sees to it that no op of the pattern dialect is left.

// One function a layer, and the one that hands them to the runtime in order, with the number of
// their items (here: panels of filters times tiles of two vectors).
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 2, channel_block = 4>
// CHECK: module attributes {
// CHECK-SAME: pattern.inputs = [{pattern.name = "input", pattern.place = [[#]] : i64, pattern.shape = array<i64: 1, 4, 5, 7>}]
// CHECK-SAME: pattern.outputs = [{pattern.place = [[#]] : i64, pattern.shape = array<i64: 1, 3, 3, 5>}]
// CHECK-SAME: pattern.stage = "lowered"
// CHECK-SAME: pattern.steps = [{items = 6 : i64, kind = "conv2d", layer = "features.0"}, {items = 3 : i64, kind = "activate", layer = ""}]
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.dense
pattern.weights @b : tensor<3xf32>, #pattern.dense
// CHECK: func.func private @pconv_parallel_for(!llvm.ptr, index, (index, index, index, memref<[[FLOATS:.*]]xf32>, memref<152xf32>, memref<1xi32>) -> (), index, memref<[[FLOATS]]xf32>, memref<152xf32>, memref<1xi32>)
// CHECK-LABEL: func.func @pconv_network
// CHECK-SAME: (%[[CALLER:.*]]: !llvm.ptr, %[[ARENA:.*]]: memref<[[FLOATS:.*]]xf32>, %[[VALUES:.*]]: memref<152xf32>, %[[INDICES:.*]]: memref<1xi32>)
// CHECK-DAG: %[[NUMBER:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[BODY:.*]] = constant @step_0
// CHECK-DAG: %[[ITEMS:.*]] = arith.constant 6 : index
// CHECK: call @pconv_parallel_for(%[[CALLER]], %[[NUMBER]], %[[BODY]], %[[ITEMS]], %[[ARENA]], %[[VALUES]], %[[INDICES]])
// CHECK: constant @step_1
// CHECK: call @pconv_parallel_for(%[[CALLER]],
// CHECK-NOT: call
// CHECK: return
// Dense: four sums stay in registers while the channels go by, and each of the nine taps takes two
// vectors of input and two weights.
// CHECK-LABEL: func.func private @step_0
// CHECK-SAME: (%[[BEGIN:.*]]: index, %[[END:.*]]: index, %{{.*}}: index, %{{.*}}: memref<{{.*}}xf32> {llvm.noalias}, %{{.*}}: memref<152xf32> {llvm.noalias}, %{{.*}}: memref<1xi32> {llvm.noalias})
// CHECK: scf.for %{{.*}} = %[[BEGIN]] to %[[END]]
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<4xf32>, vector<4xf32>, vector<4xf32>, vector<4xf32>) {
// CHECK-COUNT-36: vector.fma {{.*}} : vector<4xf32>
// CHECK-NOT: vector.fma
// CHECK: scf.yield
// The last panel has a filter less.
// CHECK: scf.if
// CHECK: vector.store
// CHECK: scf.if
// CHECK: vector.store
// CHECK-LABEL: func.func private @step_1
// CHECK: arith.maximumf {{.*}} : vector<4xf32>
func.func @main(%x: tensor<1x4x5x7xf32, #plane> {pattern.name = "input"}) -> tensor<1x3x3x5xf32, #plane> {
  %0 = pattern.conv2d %x weights(@w) bias(@b) {layer = "features.0", schedule = #dense}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
  %y = pattern.activate %0 {activation = #pattern.activation<relu>}
      : tensor<1x3x3x5xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
  return %y : tensor<1x3x3x5xf32, #plane>
}
}

// -----

// Input-stationary: a loop for each kernel pattern over its runs. The vectors of a run are loaded
// in front of the loop over its kernels, which loads and stores sums.
#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 4>
#loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2], uses = [[0, 1, 2, 3], [1, 4]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 8, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[2, 0, 1, 2], [0, 2, 0, 1]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func private @step_0
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-4: vector.load {{.*}} vector<8xf32>
// CHECK: scf.for
// CHECK: memref.load
// CHECK-COUNT-4: vector.fma {{.*}} : vector<8xf32>
// CHECK-NOT: vector.fma
// CHECK: vector.store
// CHECK: scf.for {{.*}} iter_args
// CHECK-COUNT-2: vector.load {{.*}} vector<8xf32>
// CHECK: scf.for
// CHECK-COUNT-2: vector.fma {{.*}} : vector<8xf32>
// CHECK-NOT: vector.fma
// CHECK: return
func.func @main(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #runs, loads = #loads}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  return %y : tensor<1x2x3x5xf32, #plane>
}
}

// -----

// The same with a plan in which every kernel loads for itself: inside of the loop over the kernels.
#library = #pattern.library<3x3, [[0, 1, 3, 4]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#runs = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 4>
#own = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2, 3]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 8, registers = 32, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[1, 0, 0, 0], [0, 0, 0, 1]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func private @step_0
// CHECK: scf.for {{.*}} iter_args
// CHECK: scf.for {{.*}} iter_args
// CHECK-NOT: vector.load
// CHECK: scf.for
// CHECK-COUNT-5: vector.load
// CHECK-COUNT-4: vector.fma {{.*}} : vector<8xf32>
// CHECK-NOT: vector.fma
// CHECK: return
func.func @main(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #runs, loads = #own}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  return %y : tensor<1x2x3x5xf32, #plane>
}
}

// -----

// Staged: one loop over kernels for all patterns, which keeps the sums of one filter in registers.
// Cells without a pair take a vector a row, the pair takes one vector more than it has rows. The plane
// has three rows, so the lower tiles have one row and not two.
#library = #pattern.library<3x3, [[0, 1, 3], [1, 2, 5]]>
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 2, vectors = 1, filter_block = 2, channel_block = 2>
#loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0, 0, 1, 0, 2, 1, 2], uses = [[0, 1, 2], [3, 4, 2]], pairs = 1>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[2, 0, 1, 2], [0, 2, 0, 1]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func private @step_0
// CHECK: scf.if
// CHECK: memref.prefetch
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<4xf32>, vector<4xf32>) {
// CHECK-COUNT-3: vector.load {{.*}} vector<4xf32>
// CHECK: memref.load
// CHECK-COUNT-2: vector.load {{.*}} vector<4xf32>
// CHECK-NOT: vector.load
// CHECK: scf.yield
// CHECK-NOT: vector.fma
// CHECK: vector.store
// CHECK: } else {
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<4xf32>) {
func.func @main(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #staged, loads = #loads}
      : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
  return %y : tensor<1x2x3x5xf32, #plane>
}
}

// -----

// Staged, half a vector over: the last strip of six columns is folded. Rows 0 to 4 and 5 to 9 of its
// two columns share vectors, in the copy element by element, and part when they are written.
#library = #pattern.library<3x3, [[0, 1, 3]]>
#plane = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 200>
#staged = #pattern.schedule<dataflow = staged, rows = 5, vectors = 1, filter_block = 2, channel_block = 4>
#loads = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0], uses = [[0, 1, 2]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[1, 0, 0, 0], [0, 0, 0, 1]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func private @step_0
// CHECK: arith.cmpi slt
// CHECK-COUNT-15: vector.fma
// CHECK: } else {
// CHECK: %[[UPPER:.*]] = vector.load {{.*}} vector<2xf32>
// CHECK: %[[LOWER:.*]] = vector.load {{.*}} vector<2xf32>
// CHECK: vector.shuffle %[[UPPER]], %[[LOWER]] [0, 2, 1, 3] : vector<2xf32>, vector<2xf32>
// CHECK-COUNT-15: vector.fma
// CHECK-NOT: vector.fma
// CHECK: %[[HALVES:.*]] = vector.shuffle {{.*}} [0, 2, 1, 3] : vector<4xf32>
// CHECK: vector.shuffle %[[HALVES]], %[[HALVES]] [0, 1] : vector<4xf32>
// CHECK: vector.shuffle %[[HALVES]], %[[HALVES]] [2, 3] : vector<4xf32>
// CHECK: vector.store {{.*}} vector<2xf32>
// CHECK: vector.store {{.*}} vector<2xf32>
func.func @main(%x: tensor<1x4x12x8xf32, #plane>) -> tensor<1x2x10x6xf32, #plane> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #staged, loads = #loads}
      : tensor<1x4x12x8xf32, #plane> -> tensor<1x2x10x6xf32, #plane>
  return %y : tensor<1x2x10x6xf32, #plane>
}
}

// -----

// A pooling inside of the layer: maxima of two rows, then of neighbours. Nothing is stored before.
#library = #pattern.library<3x3, [[0, 1, 3]]>
#plane = #pattern.plane<halo = 0, row_stride = 10, channel_stride = 200>
#half = #pattern.plane<halo = 0, row_stride = 4, channel_stride = 100>
#staged = #pattern.schedule<dataflow = staged, rows = 2, vectors = 1, filter_block = 2, channel_block = 4>
#loads = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1, 1, 0], uses = [[0, 1, 2]]>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x3x3xf32>, #pattern.kernel<#library>,
    kernels = dense<[[1, 0, 0, 0], [0, 0, 0, 1]]> : tensor<2x4xi8>
// CHECK-LABEL: func.func private @step_0
// CHECK-COUNT-6: vector.fma
// CHECK: arith.maximumf {{.*}} : vector<4xf32>
// CHECK: %[[APART:.*]] = vector.shuffle {{.*}} [0, 2, 1, 3]
// CHECK: vector.shuffle %[[APART]], %[[APART]] [0, 1]
// CHECK: vector.shuffle %[[APART]], %[[APART]] [2, 3]
// CHECK: arith.maximumf {{.*}} : vector<2xf32>
// CHECK: vector.store {{.*}} vector<2xf32>
func.func @main(%x: tensor<1x4x6x10xf32, #plane>) -> tensor<1x2x2x4xf32, #half> {
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1>, schedule = #staged, loads = #loads,
      pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>}
      : tensor<1x4x6x10xf32, #plane> -> tensor<1x2x2x4xf32, #half>
  return %y : tensor<1x2x2x4xf32, #half>
}
}

// -----

// Without fused multiply-adds there is none, in polynomials neither: it would become a call of libm.
#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 4>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = false, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x4x1x1xf32>, #pattern.dense
// CHECK-LABEL: func.func private @step_0
// CHECK-NOT: fma
// CHECK-COUNT-2: arith.mulf {{.*}} : vector<4xf32>
// CHECK-NOT: fma
// CHECK-LABEL: func.func private @step_1
// CHECK-NOT: fma
// CHECK: arith.divf {{.*}} : vector<4xf32>
// CHECK-NOT: fma
func.func @main(%x: tensor<1x4x5x7xf32, #plane>) -> tensor<1x2x5x7xf32, #plane> {
  %0 = pattern.conv2d %x weights(@w) {schedule = #dense} : tensor<1x4x5x7xf32, #plane> -> tensor<1x2x5x7xf32, #plane>
  %y = pattern.activate %0 {activation = #pattern.activation<sigmoid>}
      : tensor<1x2x5x7xf32, #plane> -> tensor<1x2x5x7xf32, #plane>
  return %y : tensor<1x2x5x7xf32, #plane>
}
}

// -----

// A panel of eight outputs in two vectors, the input as a scalar; two panels for each image. A
// reshape only gives its operand another name, so it is no step.
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2, filter_block = 8, channel_block = 12>
// CHECK: pattern.steps = [{items = 6 : i64, kind = "linear", layer = ""}]
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<9x12xf32>, #pattern.dense
pattern.weights @b : tensor<9xf32>, #pattern.dense
// CHECK-LABEL: func.func private @step_0
// CHECK: scf.for {{.*}} iter_args({{.*}}) -> (vector<4xf32>, vector<4xf32>) {
// CHECK: memref.load
// CHECK: vector.broadcast {{.*}} : f32 to vector<4xf32>
// CHECK-COUNT-2: vector.fma {{.*}} : vector<4xf32>
// CHECK-NOT: vector.fma
// CHECK: scf.yield
// CHECK: arith.addf {{.*}} : vector<4xf32>
// CHECK: arith.maximumf {{.*}} : vector<4xf32>
func.func @main(%x: tensor<3x4x3x1xf32>) -> tensor<3x9xf32> {
  %0 = pattern.reshape %x : tensor<3x4x3x1xf32> -> tensor<3x12xf32>
  %y = pattern.linear %0 weights(@w) bias(@b) {activation = #pattern.activation<relu>, schedule = #dense}
      : tensor<3x12xf32> -> tensor<3x9xf32>
  return %y : tensor<3x9xf32>
}
}

// -----

// Layers without weights: one item a plane. Where no pooling window leaves its plane, nothing is
// tested: in all rows, or in those between the first and the last one. A mean is divided by the
// cells that count.
#plane = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 128>
#half = #pattern.plane<halo = 0, row_stride = 4, channel_stride = 100>
#one = #pattern.plane<halo = 0, row_stride = 1, channel_stride = 80>
// CHECK: pattern.steps = [{items = 6 : i64, kind = "max_pool2d", layer = ""}, {items = 6 : i64, kind = "max_pool2d", layer = ""}, {items = 6 : i64, kind = "avg_pool2d", layer = ""}, {items = 6 : i64, kind = "adaptive_avg_pool2d", layer = ""}]
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
// CHECK-LABEL: func.func private @step_0
// CHECK-NOT: arith.select
// CHECK-COUNT-3: arith.maximumf
// CHECK-NOT: arith.select
// CHECK: return
// CHECK-LABEL: func.func private @step_1
// CHECK: scf.for %[[TOP:.*]] = %{{.*}} to %{{.*}} step
// CHECK: scf.for {{.*}} -> (f32)
// CHECK: arith.select
// CHECK: scf.for %[[ROW:.*]] = %{{.*}} to %{{.*}} step
// CHECK: arith.select
// CHECK: scf.for %[[COLUMN:.*]] = %{{.*}} to %{{.*}} step
// CHECK-NOT: scf.for
// CHECK-NOT: arith.select
// CHECK-COUNT-8: arith.maximumf
// CHECK-NEXT: memref.store
// CHECK: arith.select
// CHECK: scf.for %[[BOTTOM:.*]] = %{{.*}} to %{{.*}} step
// CHECK: scf.for {{.*}} -> (f32)
// CHECK-LABEL: func.func private @step_2
// CHECK: scf.for {{.*}} -> (f32)
// CHECK: scf.for {{.*}} -> (f32)
// CHECK: arith.addf
// CHECK: arith.sitofp
// CHECK: arith.divf
// CHECK-COUNT-8: arith.addf
// CHECK: arith.constant 9.000000e+00 : f32
// CHECK-NEXT: arith.divf
// CHECK-LABEL: func.func private @step_3
// CHECK: arith.addf
// CHECK: arith.divf
func.func @main(%x: tensor<2x3x6x8xf32, #plane>) -> tensor<2x3x1x1xf32, #one> {
  %0 = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<2x3x6x8xf32, #plane> -> tensor<2x3x3x4xf32, #half>
  %1 = pattern.max_pool2d %0 {kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>}
      : tensor<2x3x3x4xf32, #half> -> tensor<2x3x3x4xf32, #half>
  %2 = pattern.avg_pool2d %1 {kernel = array<i64: 3, 3>, padding = array<i64: 1, 1, 1, 1>}
      : tensor<2x3x3x4xf32, #half> -> tensor<2x3x3x4xf32, #half>
  %3 = pattern.adaptive_avg_pool2d %2 : tensor<2x3x3x4xf32, #half> -> tensor<2x3x1x1xf32, #one>
  return %3 : tensor<2x3x1x1xf32, #one>
}
}

// -----

// Element by element: vectors on planes whose rows have one length and which leave room for the
// last vector, else one float at a time. Exponential functions become polynomials.
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>
#plane = #pattern.plane<halo = 0, row_stride = 8, channel_stride = 128>
#large = #pattern.plane<halo = 0, row_stride = 15, channel_stride = 168>
#tight = #pattern.plane<halo = 0, row_stride = 15, channel_stride = 165>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @s : tensor<3xf32>, #pattern.dense
// CHECK-NOT: math.exp
// CHECK-LABEL: func.func private @step_0
// CHECK: memref.load
// CHECK: memref.store
// CHECK-LABEL: func.func private @step_1
// CHECK: arith.addf {{.*}} : vector<4xf32>
// CHECK: arith.maximumf {{.*}} : vector<4xf32>
// CHECK-LABEL: func.func private @step_2
// CHECK: vector.broadcast {{.*}} : f32 to vector<4xf32>
// CHECK: arith.mulf {{.*}} : vector<4xf32>
// CHECK-LABEL: func.func private @step_3
// CHECK: vector.fma {{.*}} : vector<4xf32>
// CHECK-LABEL: func.func private @step_4
// CHECK: vector.load
// CHECK: arith.divf {{.*}} : vector<4xf32>
// CHECK-LABEL: func.func private @step_5
// CHECK: scf.if
// CHECK: memref.store
// CHECK: scf.if
// CHECK: memref.store
// CHECK-LABEL: func.func private @step_6
// CHECK: memref.load
// CHECK: memref.store
// CHECK-LABEL: func.func private @step_7
// CHECK: arith.maximumf {{.*}} : f32
// CHECK: arith.divf {{.*}} : f32
// CHECK-LABEL: func.func private @step_8
// CHECK: memref.load
// CHECK: arith.maximumf {{.*}} : f32
// CHECK: memref.store
func.func @main(%x: tensor<1x3x6x8xf32>, %s: tensor<1x3x1x1xf32, #plane>) -> tensor<1x6x11x15xf32> {
  %0 = pattern.relayout %x : tensor<1x3x6x8xf32> -> tensor<1x3x6x8xf32, #plane>
  %1 = pattern.add %0, %0 {activation = #pattern.activation<relu>}
      : tensor<1x3x6x8xf32, #plane>, tensor<1x3x6x8xf32, #plane> -> tensor<1x3x6x8xf32, #plane>
  %2 = pattern.mul %1, %s
      : tensor<1x3x6x8xf32, #plane>, tensor<1x3x1x1xf32, #plane> -> tensor<1x3x6x8xf32, #plane>
  %3 = pattern.batch_norm %2 {parameters = #bn} : tensor<1x3x6x8xf32, #plane> -> tensor<1x3x6x8xf32, #plane>
  %4 = pattern.activate %3 {activation = #pattern.activation<silu>}
      : tensor<1x3x6x8xf32, #plane> -> tensor<1x3x6x8xf32, #plane>
  %5 = pattern.concat %4, %1 {axis = 1 : i64}
      : tensor<1x3x6x8xf32, #plane>, tensor<1x3x6x8xf32, #plane> -> tensor<1x6x6x8xf32, #plane>
  %6 = pattern.resize %5 {mode = #pattern.resize_mode<nearest>}
      : tensor<1x6x6x8xf32, #plane> -> tensor<1x6x11x15xf32, #large>
  %7 = pattern.softmax %6 {axis = 1 : i64} : tensor<1x6x11x15xf32, #large> -> tensor<1x6x11x15xf32, #large>
  %8 = pattern.activate %7 {activation = #pattern.activation<relu>}
      : tensor<1x6x11x15xf32, #large> -> tensor<1x6x11x15xf32, #tight>
  %9 = pattern.relayout %8 : tensor<1x6x11x15xf32, #tight> -> tensor<1x6x11x15xf32>
  return %9 : tensor<1x6x11x15xf32>
}
}

// -----

// A kernel of more than 256 cells is walked by loops.
#plane = #pattern.plane<halo = 0, row_stride = 20, channel_stride = 480>
#out = #pattern.plane<halo = 0, row_stride = 20, channel_stride = 160>
#dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 2, channel_block = 1>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<2x1x17x16xf32>, #pattern.dense
// CHECK-LABEL: func.func private @step_0
// CHECK-COUNT-4: scf.for
// CHECK-COUNT-2: vector.fma
// CHECK-NOT: vector.fma
// CHECK: return
func.func @main(%x: tensor<1x1x20x20xf32, #plane>) -> tensor<1x2x4x5xf32, #out> {
  %y = pattern.conv2d %x weights(@w) {schedule = #dense}
      : tensor<1x1x20x20xf32, #plane> -> tensor<1x2x4x5xf32, #out>
  return %y : tensor<1x2x4x5xf32, #out>
}
}

// -----

// An attribute that is none of the op's own says nothing: the op works on any number of axes.
// CHECK: pattern.steps = [{items = 1 : i64, kind = "activate", layer = ""}]
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
func.func @main(%x: tensor<1x1x1x1x2xf32>) -> tensor<1x1x1x1x2xf32> {
  %y = pattern.activate %x {activation = #pattern.activation<relu>, axis = 1 : ui8}
      : tensor<1x1x1x1x2xf32> -> tensor<1x1x1x1x2xf32>
  return %y : tensor<1x1x1x1x2xf32>
}
}

// -----

// A plane is split into sub-planes of even and odd columns in pairs of vectors: columns 0 to 7, 2 to 9,
// and the eleventh alone.
#split = #pattern.plane<halo = 1, row_stride = 8, channel_stride = 128, row_phases = 1, col_phases = 2>
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
// CHECK-LABEL: func.func private @step_0
// CHECK: vector.store {{.*}} vector<4xf32>
// CHECK: %[[PAIR:.*]] = vector.load {{.*}} vector<8xf32>
// CHECK: %[[APART:.*]] = vector.shuffle %[[PAIR]], %[[PAIR]] [0, 2, 4, 6, 1, 3, 5, 7]
// CHECK: vector.shuffle %[[APART]], %[[APART]] [0, 1, 2, 3]
// CHECK: vector.shuffle %[[APART]], %[[APART]] [4, 5, 6, 7]
// CHECK-COUNT-2: vector.store {{.*}} vector<4xf32>
// CHECK: vector.load {{.*}} vector<8xf32>
// CHECK-COUNT-2: vector.store {{.*}} vector<4xf32>
// CHECK-NOT: vector.load
// CHECK: memref.store
func.func @main(%x: tensor<1x2x3x11xf32>) -> tensor<1x2x3x11xf32, #split> {
  %y = pattern.relayout %x : tensor<1x2x3x11xf32> -> tensor<1x2x3x11xf32, #split>
  return %y : tensor<1x2x3x11xf32, #split>
}
}
