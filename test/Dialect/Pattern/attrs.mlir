// RUN: pconv-opt %s | pconv-opt | FileCheck %s
// RUN: pconv-opt %s --mlir-print-op-generic | pconv-opt | FileCheck %s
// RUN: pconv-opt %s --emit-bytecode | pconv-opt | FileCheck %s

// CHECK: module attributes {
// CHECK-SAME: pattern.stage = "imported"
// CHECK-SAME: pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>
module attributes {
    pattern.stage = "imported",
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {

// CHECK-LABEL: @library
// CHECK-SAME: #pattern.library<3x3, {{\[\[}}0, 1, 3, 4], [1, 2, 4, 5]]>
func.func private @library() attributes {
    a = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>}

// The two sides of a kernel are told apart.
// CHECK-LABEL: @library_of_a_flat_kernel
// CHECK-SAME: #pattern.library<1x5, {{\[\[}}0, 4]]>
func.func private @library_of_a_flat_kernel() attributes {a = #pattern.library<1x5, [[0, 4]]>}

// CHECK-LABEL: @dense
// CHECK-SAME: #pattern.dense
func.func private @dense() attributes {a = #pattern.dense}

// CHECK-LABEL: @kernel
// CHECK-SAME: #pattern.kernel<#pattern.library<3x3, {{\[\[}}0, 1, 3, 4], [1, 2, 4, 5]]>>
func.func private @kernel() attributes {
    a = #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>}

// CHECK-LABEL: @block_punched
// CHECK-SAME: #pattern.block_punched<filters = 8, channels = 4>
func.func private @block_punched() attributes {
    a = #pattern.block_punched<filters = 8, channels = 4>}

// CHECK-LABEL: @block
// CHECK-SAME: #pattern.block<rows = 16, cols = 8>
func.func private @block() attributes {a = #pattern.block<rows = 16, cols = 8>}

// CHECK-LABEL: @unstructured
// CHECK-SAME: #pattern.unstructured
func.func private @unstructured() attributes {a = #pattern.unstructured}

// CHECK-LABEL: @activation
// CHECK-SAME: #pattern.activation<hardswish>
func.func private @activation() attributes {a = #pattern.activation<hardswish>}

// CHECK-LABEL: @activation_with_alpha
// CHECK-SAME: #pattern.activation<leaky_relu, alpha = 2.500000e-01 : f32>
func.func private @activation_with_alpha() attributes {
    a = #pattern.activation<leaky_relu, alpha = 2.500000e-01 : f32>}

// CHECK-LABEL: @pool
// CHECK-SAME: #pattern.pool<max, kernel = [3, 2], strides = [2, 1]>
func.func private @pool() attributes {a = #pattern.pool<max, kernel = [3, 2], strides = [2, 1]>}

// CHECK-LABEL: @batch_norm
// CHECK-SAME: #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.000000e-05 : f64>
func.func private @batch_norm() attributes {
    a = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                            epsilon = 1.000000e-05 : f64>}

// CHECK-LABEL: @plane
// CHECK-SAME: tensor<1x64x56x56xf32, #pattern.plane<halo = 1, row_stride = 57, channel_stride = 3360>>
func.func private @plane(
    tensor<1x64x56x56xf32, #pattern.plane<halo = 1, row_stride = 57, channel_stride = 3360>>)

// 9 x 9 cells with the border, dealt to 2 x 2 sub-planes of 5 x 5.
// CHECK-LABEL: @plane_with_phases
// CHECK-SAME: #pattern.plane<halo = 1, row_stride = 5, channel_stride = 100, row_phases = 2, col_phases = 2>
func.func private @plane_with_phases(
    tensor<1x3x7x7xf32, #pattern.plane<halo = 1, row_stride = 5, channel_stride = 100, row_phases = 2, col_phases = 2>>)

// 9 x 7 cells, dealt to 1 x 3 sub-planes of 9 x 3.
// CHECK-LABEL: @plane_with_phases_of_columns
// CHECK-SAME: #pattern.plane<halo = 1, row_stride = 3, channel_stride = 81, col_phases = 3>
func.func private @plane_with_phases_of_columns(
    tensor<1x3x7x5xf32, #pattern.plane<halo = 1, row_stride = 3, channel_stride = 81, col_phases = 3>>)

// CHECK-LABEL: @schedule
// CHECK-SAME: #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 256, channel_block = 16>
func.func private @schedule() attributes {
    a = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 256,
                          channel_block = 16>}

// CHECK-LABEL: @loads
// CHECK-SAME: #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = {{\[\[}}0, 1, 2, 3]]>
func.func private @loads() attributes {
    a = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2, 3]]>}

// The numbers at the ends of the 32-bit range are numbers like any other.
// CHECK-LABEL: @loads_of_far_taps
// CHECK-SAME: taps = [2147483647, 2147483647, -2147483648, -2147483648]
func.func private @loads_of_far_taps() attributes {
    a = #pattern.loads<scope = kernel,
                       taps = [2147483647, 2147483647, -2147483648, -2147483648], uses = []>}

// CHECK-LABEL: @form
// CHECK-SAME: #pattern.form<runs>
func.func private @form() attributes {a = #pattern.form<runs>}

// CHECK-LABEL: @resize_mode
// CHECK-SAME: #pattern.resize_mode<bilinear>
func.func private @resize_mode() attributes {a = #pattern.resize_mode<bilinear>}

// CHECK-LABEL: @names_and_places
// CHECK-SAME: pattern.name = "input", pattern.place = 64 : i64
// CHECK-SAME: pattern.weights = @w
// CHECK-SAME: -> (tensor<1x3xf32> {pattern.name = "output"})
func.func private @names_and_places(
    tensor<1x3xf32> {pattern.name = "input", pattern.place = 64 : i64},
    tensor<3xf32> {pattern.weights = @w}) -> (tensor<1x3xf32> {pattern.name = "output"})
}
