// RUN: pconv-opt %s -split-input-file -pattern-plan-memory -pattern-verify-stage | FileCheck %s
// Twice is once:
// RUN: pconv-opt %s -split-input-file -pattern-plan-memory > %t.once
// RUN: pconv-opt %t.once -split-input-file -pattern-plan-memory | diff %t.once -

// The example of the pass description. Three tensors of one size need two places: when the third is
// written, the first is dead. What the blobs take stays as it was.
// CHECK: module attributes {pattern.memory = {arena = 512 : i64, indices = 3 : i64, scratch = {{[0-9]+}} : i64, values = 7 : i64}, pattern.stage = "placed"
module attributes {pattern.stage = "packed", pattern.memory = {values = 7 : i64, indices = 3 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<3x40xf32> {pattern.place = 0 : i64}) -> (tensor<3x40xf32> {pattern.place = 0 : i64}) {
// CHECK-NEXT: %[[A:.*]] = pattern.softmax %[[X]] {axis = 1 : i64, place = 256 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
// CHECK-NEXT: %[[Y:.*]] = pattern.softmax %[[A]] {axis = 0 : i64, place = 0 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
// CHECK-NEXT: return %[[Y]] : tensor<3x40xf32>
// CHECK-NEXT: }
func.func @main(%x: tensor<3x40xf32>) -> tensor<3x40xf32> {
  %a = pattern.softmax %x {axis = 1 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
  %y = pattern.softmax %a {axis = 0 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
  return %y : tensor<3x40xf32>
}
}

// -----

// What is added at the end lives until then, though two layers lie between.
module attributes {pattern.stage = "packed", pattern.memory = {values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
// CHECK-LABEL: func.func @main
// CHECK-SAME: {pattern.place = [[X:[0-9]+]] : i64}) -> (tensor<3x40xf32> {pattern.place = [[Y:[0-9]+]] : i64}) {
// CHECK-NEXT: place = [[A:[0-9]+]] : i64
// CHECK-NEXT: place = [[B:[0-9]+]] : i64
// CHECK-NOT: place = [[X]] : i64
// CHECK-NOT: place = [[B]] : i64
// CHECK: pattern.add {{.*}} {place = [[Y]] : i64}
func.func @main(%shortcut: tensor<3x40xf32>) -> tensor<3x40xf32> {
  %a = pattern.softmax %shortcut {axis = 1 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
  %b = pattern.softmax %a {axis = 0 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
  %y = pattern.add %b, %shortcut : tensor<3x40xf32>, tensor<3x40xf32> -> tensor<3x40xf32>
  return %y : tensor<3x40xf32>
}
}

// -----

// A reshape is another name for the same floats, which live as long as either name.
module attributes {pattern.stage = "packed", pattern.memory = {values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
// CHECK-LABEL: func.func @main
// CHECK-SAME: {pattern.place = [[X:[0-9]+]] : i64}) -> (tensor<120xf32> {pattern.place = [[X]] : i64}, tensor<3x40xf32> {pattern.place = [[Y:[0-9]+]] : i64}) {
// CHECK-NEXT: pattern.reshape {{.*}} {place = [[X]] : i64}
// CHECK-NEXT: pattern.softmax
// CHECK-NEXT: pattern.softmax
// CHECK-NOT: place = [[X]] : i64
// CHECK: return
func.func @main(%x: tensor<3x40xf32>) -> (tensor<120xf32>, tensor<3x40xf32>) {
  %row = pattern.reshape %x : tensor<3x40xf32> -> tensor<120xf32>
  %a = pattern.softmax %x {axis = 1 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
  %y = pattern.softmax %a {axis = 0 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
  return %row, %y : tensor<120xf32>, tensor<3x40xf32>
}
}

// -----

// The largest comes first and lies lowest; above it two small ones, one after the other. What counts
// is the room that the planes take with their border.
#small = #pattern.plane<halo = 1, row_stride = 6, channel_stride = 64>
#large = #pattern.plane<halo = 0, row_stride = 20, channel_stride = 512>
module attributes {pattern.stage = "packed", pattern.memory = {values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
// CHECK-LABEL: func.func @main
// CHECK-SAME: {pattern.place = [[SMALL:[1-9][0-9]+]] : i64}) -> (
// CHECK-SAME: {pattern.place = [[SMALL]] : i64}) {
// CHECK-NEXT: pattern.resize {{.*}} place = 0 : i64}
// CHECK-NEXT: pattern.adaptive_avg_pool2d {{.*}} {place = [[SMALL]] : i64}
func.func @main(%x: tensor<1x1x3x5xf32, #small>) -> tensor<1x1x3x5xf32, #small> {
  %a = pattern.resize %x {mode = #pattern.resize_mode<nearest>}
      : tensor<1x1x3x5xf32, #small> -> tensor<1x1x12x20xf32, #large>
  %y = pattern.adaptive_avg_pool2d %a
      : tensor<1x1x12x20xf32, #large> -> tensor<1x1x3x5xf32, #small>
  return %y : tensor<1x1x3x5xf32, #small>
}
}

// -----

// A result that nothing reads has a place, too: it is written all the same.
module attributes {pattern.stage = "packed", pattern.memory = {values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
// CHECK-LABEL: func.func @main
// CHECK-SAME: {pattern.place = [[X:[0-9]+]] : i64}) -> (tensor<3x40xf32> {pattern.place = [[X]] : i64}) {
// CHECK-NOT: place = [[X]] : i64
// CHECK: return
func.func @main(%x: tensor<3x40xf32>) -> tensor<3x40xf32> {
  %unused = pattern.softmax %x {axis = 1 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
  return %x : tensor<3x40xf32>
}
}

// -----

// A thread needs scratch memory for the sums of one block of filters: 8 * 32 * 8 vectors of 4 floats
// in the layer that needs most.
#less = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 4, channel_block = 4>
#most = #pattern.schedule<dataflow = output_stationary, rows = 8, vectors = 32, filter_block = 8, channel_block = 4>
// CHECK: module attributes {pattern.memory = {arena = {{[0-9]+}} : i64, indices = 0 : i64, scratch = 8256 : i64, values = 200 : i64}
module attributes {pattern.stage = "packed", pattern.memory = {values = 200 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 512, fma = true, l1 = 32768, l2 = 524288>} {
pattern.weights @w : tensor<5x5xf32>, #pattern.dense
pattern.packed @less weights(@w) form = #pattern.form<panels> values = 0 count = 40 indices = 0 {filter_block = 4 : i64}
pattern.packed @most weights(@w) form = #pattern.form<panels> values = 40 count = 40 indices = 0 {filter_block = 8 : i64}
// CHECK-LABEL: func.func @main
func.func @main(%x: tensor<1x5xf32>) -> tensor<1x5xf32> {
  %a = pattern.linear %x weights(@w) {schedule = #less, packed = @less} : tensor<1x5xf32> -> tensor<1x5xf32>
  %b = pattern.linear %a weights(@w) {schedule = #most, packed = @most} : tensor<1x5xf32> -> tensor<1x5xf32>
  %y = pattern.linear %b weights(@w) {schedule = #less, packed = @less} : tensor<1x5xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}
}
