// RUN: pconv-opt %s -verify-diagnostics -split-input-file

// library C1
// expected-error @below {{expected a kernel size in 1..255, got 0x3}}
func.func private @f() attributes {a = #pattern.library<0x3, [[0]]>}

// -----

// library C1
// expected-error @below {{expected a kernel size in 1..255, got 3x4294967296}}
func.func private @f() attributes {a = #pattern.library<3x4294967296, [[0]]>}

// -----

// expected-error @below {{expected the kernel size as HxW, got 3 numbers}}
func.func private @f() attributes {a = #pattern.library<3x3x3, [[0]]>}

// -----

// library C2
// expected-error @below {{expected 1 to 127 kernel patterns, got 0}}
func.func private @f() attributes {a = #pattern.library<3x3, []>}

// -----

// library C3
// expected-error @below {{expected at least 1 cell in kernel pattern 2, got 0}}
func.func private @f() attributes {a = #pattern.library<3x3, [[0], []]>}

// -----

// library C3
// expected-error @below {{expected ascending cells in 0..8 in kernel pattern 1, got [1, 0]}}
func.func private @f() attributes {a = #pattern.library<3x3, [[1, 0]]>}

// -----

// library C3
// expected-error @below {{expected ascending cells in 0..8 in kernel pattern 1, got [0, 9]}}
func.func private @f() attributes {a = #pattern.library<3x3, [[0, 9]]>}

// -----

// library C3
// expected-error @below {{expected ascending cells in 0..8 in kernel pattern 1, got [-1, 0]}}
func.func private @f() attributes {a = #pattern.library<3x3, [[-1, 0]]>}

// -----

// library C4
// expected-error @below {{expected each kernel pattern once, got [0, 1] again as kernel pattern 3}}
func.func private @f() attributes {a = #pattern.library<3x3, [[0, 1], [0], [0, 1]]>}

// -----

// expected-error @below {{integer value too large}}
func.func private @f() attributes {a = #pattern.library<3x3, [[99999999999]]>}

// -----

// expected-error @below {{invalid kind of attribute specified}}
func.func private @f() attributes {a = #pattern.kernel<#pattern.dense>}

// -----

// block_punched C1
// expected-error @below {{expected filters in 1..2147483647, got 0}}
func.func private @f() attributes {a = #pattern.block_punched<filters = 0, channels = 4>}

// -----

// block C1
// expected-error @below {{expected cols in 1..2147483647, got 2147483648}}
func.func private @f() attributes {a = #pattern.block<rows = 16, cols = 2147483648>}

// -----

// activation C1
// expected-error @below {{expected alpha with leaky_relu and with nothing else, got relu with alpha}}
func.func private @f() attributes {a = #pattern.activation<relu, alpha = 1.0 : f32>}

// -----

// activation C1
// expected-error @below {{expected alpha with leaky_relu and with nothing else, got leaky_relu without alpha}}
func.func private @f() attributes {a = #pattern.activation<leaky_relu>}

// -----

// activation C1
// expected-error @below {{expected a finite alpha, got 0x7F800000 : f32}}
func.func private @f() attributes {a = #pattern.activation<leaky_relu, alpha = 0x7F800000 : f32>}

// -----

// pool C1
// expected-error @below {{expected two numbers each for kernel and strides, got 3 and 2}}
func.func private @f() attributes {a = #pattern.pool<max, kernel = [2, 2, 2], strides = [2, 2]>}

// -----

// pool C1
// expected-error @below {{expected kernel width in 1..65535, got 0}}
func.func private @f() attributes {a = #pattern.pool<max, kernel = [2, 0], strides = [2, 2]>}

// -----

// pool C1
// expected-error @below {{expected vertical stride in 1..65535, got -2}}
func.func private @f() attributes {a = #pattern.pool<average, kernel = [2, 2], strides = [-2, 2]>}

// -----

// batch_norm C1
// expected-error @+2 {{expected a finite epsilon that is not negative, got -1.000000e-05 : f64}}
func.func private @f() attributes {
  a = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = -1.0e-05 : f64>}

// -----

// plane C1
// expected-error @+2 {{expected halo in 0..65535, got -1}}
func.func private @f() attributes {
  a = #pattern.plane<halo = -1, row_stride = 57, channel_stride = 3360>}

// -----

// plane C1
// expected-error @+2 {{expected col_phases in 1..65535, got 0}}
func.func private @f() attributes {
  a = #pattern.plane<halo = 1, row_stride = 57, channel_stride = 3360, col_phases = 0>}

// -----

// plane C2
// expected-error @+2 {{expected a row_stride of at least 8 for 7 columns and halo 1, got 7}}
func.func private @f(
  tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 7, channel_stride = 100>>)

// -----

// plane C2, with phases: 9 columns are dealt to rows of 5
// expected-error @+2 {{expected a row_stride of at least 5 for 7 columns and halo 1, got 4}}
func.func private @f(
  tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 4, channel_stride = 100, row_phases = 2, col_phases = 2>>)

// -----

// plane C3
// expected-error @+2 {{expected a channel_stride that holds 1 times 7 rows of 8, got 56}}
func.func private @f(
  tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 56>>)

// -----

// plane C3, without a border: what lies right of the last row is written, too
// expected-error @+2 {{expected a channel_stride that holds 1 times 5 rows of 8, got 39}}
func.func private @f(
  tensor<1x3x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 39>>)

// -----

// plane C3
// expected-error @+2 {{expected a channel_stride that holds 4 times 4 rows of 5, got 76}}
func.func private @f(
  tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 5, channel_stride = 76, row_phases = 2, col_phases = 2>>)

// -----

// plane C3
// expected-error @+2 {{expected the number of sub-planes (4) to divide channel_stride, got 81}}
func.func private @f(
  tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 5, channel_stride = 81, row_phases = 2, col_phases = 2>>)

// -----

// plane C4
// expected-error @+2 {{expected #pattern.plane on a static f32 tensor of rank 4 with 1 to 2^40 elements, got shape 3x5x7 of 'f32'}}
func.func private @f(
  tensor<3x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 57>>)

// -----

// plane C4
// expected-error @+2 {{expected #pattern.plane on a static f32 tensor of rank 4 with 1 to 2^40 elements, got shape 1x3x5x7 of 'f64'}}
func.func private @f(
  tensor<1x3x5x7xf64, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 57>>)

// -----

// plane C4
// expected-error @+2 {{elements, got shape ?x3x5x7 of}}
func.func private @f(
  tensor<?x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 57>>)

// -----

// plane C4
// expected-error @+2 {{expected a tensor of at most 2^40 floats with its border, got 1024x1024 channels of 2147483647}}
func.func private @f(
  tensor<1024x1024x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 2147483647>>)

// -----

// target C1
// expected-error @+2 {{expected lanes in 1..1024, got 0}}
func.func private @f() attributes {
  a = #pattern.target<lanes = 0, registers = 16, fma = true, l1 = 32768, l2 = 524288>}

// -----

// target C1
// expected-error @+2 {{expected registers in 4..1024, got 3}}
func.func private @f() attributes {
  a = #pattern.target<lanes = 8, registers = 3, fma = true, l1 = 32768, l2 = 524288>}

// -----

// target C1
// expected-error @+2 {{expected l2 in}}
func.func private @f() attributes {
  a = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = -1>}

// -----

// schedule C1
// expected-error @+2 {{expected filter_block}}
func.func private @f() attributes {
  a = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 3, filter_block = 0,
                        channel_block = 16>}

// -----

// schedule C1
// expected-error @+2 {{expected rows in 1..1024, got 1025}}
func.func private @f() attributes {
  a = #pattern.schedule<dataflow = output_stationary, rows = 1025, vectors = 3, filter_block = 4,
                        channel_block = 16>}

// -----

// schedule C1
// expected-error @+2 {{expected vectors in 1..1024, got -3}}
func.func private @f() attributes {
  a = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = -3, filter_block = 4,
                        channel_block = 16>}

// -----

// loads C1
// expected-error @+2 {{expected pairs of row and column in taps, got 3 numbers}}
func.func private @f() attributes {
  a = #pattern.loads<scope = run, taps = [0, 0, 0], uses = [[0]]>}

// -----

// loads C1
// expected-error @+2 {{expected each tap once, got (0, 1) again as load 2}}
func.func private @f() attributes {
  a = #pattern.loads<scope = run, taps = [0, 1, 1, 0, 0, 1], uses = [[0]]>}

// -----

// loads C2
// expected-error @+2 {{expected uses in 0..0, got 1}}
func.func private @f() attributes {
  a = #pattern.loads<scope = run, taps = [0, 1], uses = [[0], [1]]>}

// -----

// loads C3
// expected-error @+2 {{expected the cells of a pair one below the other, got (0, 0) and (0, 1)}}
func.func private @f() attributes {
  a = #pattern.loads<scope = kernel, taps = [0, 0, 0, 1], uses = [[0, 1]], pairs = 1>}

// -----

// loads C4
// expected-error @+2 {{expected room for 1 pairs, got 1 uses}}
func.func private @f() attributes {
  a = #pattern.loads<scope = kernel, taps = [0, 0], uses = [[0]], pairs = 1>}

// -----

// expected-error @+2 {{expected a scope of kernel or run, got row}}
func.func private @f() attributes {
  a = #pattern.loads<scope = row, taps = [0, 1], uses = [[0]]>}

// -----

// expected-error @below {{expected pattern.stage to name a stage, got "exported"}}
module attributes {pattern.stage = "exported"} {}

// -----

// expected-error @below {{expected pattern.stage on a module, got it on func.func}}
func.func private @f() attributes {pattern.stage = "imported"}

// -----

// expected-error @below {{expected pattern.target to be a #pattern.target, got "host"}}
module attributes {pattern.target = "host"} {}

// -----

// expected-error @below {{expected pattern.memory to be a dictionary, got 64 : i64}}
module attributes {pattern.memory = 64 : i64} {}

// -----

// expected-error @below {{expected values, indices, arena and scratch in pattern.memory, got weights}}
module attributes {pattern.memory = {values = 64 : i64, weights = 64 : i64}} {}

// -----

// expected-error @below {{expected arena in pattern.memory to be an i64 in 0..1099511627776, got -64 : i64}}
module attributes {pattern.memory = {arena = -64 : i64}} {}

// -----

// expected-error @below {{expected scratch in pattern.memory to be an i64 in 0..1099511627776, got 64 : i32}}
module attributes {pattern.memory = {scratch = 64 : i32}} {}

// -----

// expected-error @below {{expected pattern.memory on a module, got it on func.func}}
func.func private @f() attributes {pattern.memory = {values = 0 : i64}}

// -----

// expected-error @below {{expected pattern.name to be a string, got 1 : i64}}
func.func private @f(tensor<3xf32> {pattern.name = 1 : i64})

// -----

// expected-error @below {{expected pattern.weights to be a symbol, got "w"}}
func.func private @f(tensor<3xf32> {pattern.weights = "w"})

// -----

// expected-error @below {{expected pattern.scheme to be a pruning scheme, got "dense"}}
func.func private @f(tensor<2xf32> {pattern.scheme = "dense"})

// -----

// expected-error @below {{expected pattern.kernels to be a tensor, got 1 : i64}}
func.func private @f(tensor<2xf32> {pattern.kernels = 1})

// -----

// expected-error @below {{expected pattern.place to be an i64 that is not negative, got -1 : i64}}
func.func private @f() -> (tensor<3xf32> {pattern.place = -1 : i64})
