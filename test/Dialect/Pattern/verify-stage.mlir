// RUN: pconv-opt %s -split-input-file -pattern-verify-stage | FileCheck %s
// RUN: pconv-opt %s -split-input-file > %t.before
// RUN: pconv-opt %s -split-input-file -pattern-verify-stage -pattern-verify-stage | diff %t.before -
// Networks that keep their promises; verification changes nothing.

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>

// A module without a stage is an imported one: nothing is decided yet.
// CHECK-LABEL: func.func @imported
module {
  pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1, 0, 2], [0, 1, 1]]> : tensor<2x3xi8>
  pattern.weights @s : tensor<2xf32>, #pattern.dense
  func.func @imported(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
    return %1 : tensor<1x2x3x5xf32>
  }
  func.func private @declared(tensor<1x3x5x7xf32>) -> tensor<1x2x3x5xf32>
}

// -----

#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>

// A batch norm that cannot be folded may stay.
// CHECK-LABEL: func.func @fused
module attributes {pattern.stage = "fused"} {
  pattern.weights @s : tensor<2xf32>, #pattern.dense
  func.func @fused(%x: tensor<1x2x3x5xf32>) -> tensor<1x2x3x5xf32> {
    %0 = pattern.batch_norm %x {parameters = #bn} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
    return %0 : tensor<1x2x3x5xf32>
  }
}

// -----

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>

// After fusion came another stage: a batch norm that could be folded is no fault any more.
// CHECK-LABEL: func.func @reordered
module attributes {pattern.stage = "reordered"} {
  pattern.weights @w : tensor<4x1x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1], [2], [0], [1]]> : tensor<4x1xi8>
  pattern.weights @d : tensor<2x4x1x1xf32>, #pattern.dense
  pattern.weights @s : tensor<2xf32>, #pattern.dense
  func.func @reordered(%x: tensor<1x2x5x7xf32>) -> tensor<1x2x3x5xf32> {
    %0 = pattern.conv2d %x weights(@w) {filter_order = array<i32: 1, 0, 3, 2>, groups = 2 : i64} : tensor<1x2x5x7xf32> -> tensor<1x4x3x5xf32>
    %1 = pattern.conv2d %0 weights(@d) : tensor<1x4x3x5xf32> -> tensor<1x2x3x5xf32>
    %2 = pattern.batch_norm %1 {parameters = #bn} : tensor<1x2x3x5xf32> -> tensor<1x2x3x5xf32>
    return %2 : tensor<1x2x3x5xf32>
  }
}

// -----

// What is in the way of a module that went through the whole pipeline: nothing.
// CHECK-LABEL: llvm.func @lowered
module attributes {pattern.stage = "lowered"} {
  llvm.func @lowered()
}

// -----

// How far a kernel of 8e11 cells reads follows from its last row and column.
// CHECK-LABEL: func.func @vast_kernel
#vast = #pattern.plane<halo = 0, row_stride = 900000, channel_stride = 810000900000>
#point = #pattern.plane<halo = 0, row_stride = 900000, channel_stride = 900032>
module attributes {pattern.stage = "scheduled",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<1x1x900000x900000xf32>, #pattern.dense
  func.func @vast_kernel(%x: tensor<1x1x900000x900000xf32, #vast>) -> tensor<1x1x1x1xf32, #point> {
    %y = pattern.conv2d %x weights(@w) {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 1, filter_block = 1, channel_block = 1>}
        : tensor<1x1x900000x900000xf32, #vast> -> tensor<1x1x1x1xf32, #point>
    return %y : tensor<1x1x1x1xf32, #point>
  }
}
