// RUN: pconv-opt %s -verify-diagnostics -split-input-file

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<2x?xf32>'}}
pattern.weights @w : tensor<2x?xf32>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<2x3xf64>'}}
pattern.weights @w : tensor<2x3xf64>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<2x0xf32>'}}
pattern.weights @w : tensor<2x0xf32>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'memref<2x3xf32>'}}
pattern.weights @w : memref<2x3xf32>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<*xf32>'}}
pattern.weights @w : tensor<*xf32>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<f32>'}}
pattern.weights @w : tensor<f32>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<1099511627776x9xf32>'}}
pattern.weights @w : tensor<1099511627776x9xf32>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<9223372036854775807x9223372036854775807xf32>'}}
pattern.weights @w : tensor<9223372036854775807x9223372036854775807xf32>, #pattern.dense

// -----

// weights C1
// expected-error @below {{'pattern.weights' op expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<2x3xf32, "blocked">'}}
pattern.weights @w : tensor<2x3xf32, "blocked">, #pattern.dense

// -----

// weights C1
// expected-error @below {{expected a plain f32 tensor of static shape with 1 to 2^40 elements, got 'tensor<1x3x5x7xf32, #pattern.plane<}}
pattern.weights @w : tensor<1x3x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>, #pattern.dense

// -----

// not a scheme
// expected-error @below {{attribute 'scheme' failed to satisfy constraint: a pruning scheme}}
pattern.weights @w : tensor<2x3xf32>, #pattern.activation<relu>

// -----

// weights C2
// expected-error @below {{expected `kernels` with the scheme #pattern.kernel and with no other, got #pattern.dense with kernels}}
pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.dense, kernels = dense<1> : tensor<2x3xi8>

// -----

// weights C2
// expected-error @below {{expected `kernels` with the scheme #pattern.kernel and with no other, got #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>> without kernels}}
pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>

// -----

// weights C3
// expected-error @below {{expected a tensor of rank 4 for the scheme #pattern.kernel, got rank 2}}
pattern.weights @w : tensor<2x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1>
      : tensor<2x3xi8>

// -----

// weights C3
// expected-error @below {{expected kernels of the library's size 3x3, got 3x1}}
pattern.weights @w : tensor<2x3x3x1xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1>
      : tensor<2x3xi8>

// -----

// weights C3
// expected-error @below {{expected `kernels` as a dense tensor<2x3xi8>, got 'tensor<3x2xi8>'}}
pattern.weights @w : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1>
      : tensor<3x2xi8>

// -----

// weights C3
// expected-error @below {{expected `kernels` as a dense tensor<2x3xi8>, got 'tensor<2x3xi32>'}}
pattern.weights @w : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1>
      : tensor<2x3xi32>

// -----

// weights C3
// expected-error @below {{expected `kernels` as a dense tensor<2x3xi8>, got 'tensor<6xi8>'}}
pattern.weights @w : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1>
      : tensor<6xi8>

// -----

// weights C3: floats
// expected-error @below {{expected `kernels` as a dense tensor<2x3xi8>, got 'tensor<2x3xf32>' that is not dense}}
pattern.weights @w : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1.0>
      : tensor<2x3xf32>

// -----

// weights C3: bytes that are not in the module
// expected-error @below {{expected `kernels` as a dense tensor<2x3xi8>, got 'tensor<2x3xi8>' that is not dense}}
pattern.weights @w : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense_resource<w.kernels> : tensor<2x3xi8>

// -----

// weights C4
// expected-error @below {{expected pattern numbers in 0..2, got 3 for kernel (1, 0)}}
pattern.weights @w : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<[[1, 0, 2], [3, 1, 1]]> : tensor<2x3xi8>

// -----

// weights C4
// expected-error @below {{expected pattern numbers in 0..2, got -1 for kernel (0, 0)}}
pattern.weights @w : tensor<2x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<-1>
      : tensor<2x3xi8>

// -----

// weights C5
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.weights @other : tensor<3x2xf32>, #pattern.dense
// expected-error @below {{expected source of shape 2x3, got 3x2}}
pattern.weights @w : tensor<2x3xf32>, #pattern.dense source(@other)
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)

// -----

// weights C5
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
// expected-error @below {{expected source to name a pattern.weights, got @other, which is not defined}}
pattern.weights @w : tensor<2x3xf32>, #pattern.dense source(@other)
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)

// -----

// weights C5
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
// expected-note @below {{defined here}}
func.func private @other()
// expected-error @below {{expected source to name a pattern.weights, got @other, which is a func.func}}
pattern.weights @w : tensor<2x3xf32>, #pattern.dense source(@other)
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)

// -----

// weights C5
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.weights @v : tensor<3xf32>, #pattern.dense
// expected-error @below {{expected variance of shape 2, got 3}}
pattern.weights @w : tensor<2xf32>, #pattern.dense
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)

// -----

// weights C5
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
pattern.weights @u : tensor<2xf32>, #pattern.dense
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)
// expected-note @below {{defined here}}
pattern.weights @x : tensor<2xf32>, #pattern.dense
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)
// expected-error @below {{expected scale with values of its own, got @x, which is made by a batch normalisation}}
pattern.weights @w : tensor<2xf32>, #pattern.dense
    batch_norm(<scale = @x, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)

// -----

// weights C6
pattern.weights @other : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected `source` only with `batch_norm`, got source @other alone}}
pattern.weights @w : tensor<2x3xf32>, #pattern.dense source(@other)

// -----

// weights C6
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
// expected-error @below {{expected a `source` for a tensor of rank > 1 with `batch_norm`, got rank 2 without one}}
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)

// -----

// weights C7
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
// expected-error @below {{expected a tensor that is not made from itself, got source @b, which leads back to @a}}
pattern.weights @a : tensor<2xf32>, #pattern.dense source(@b)
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)
pattern.weights @b : tensor<2xf32>, #pattern.dense source(@a)
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)

// -----

// two tensors of one name
// expected-note @below {{see existing symbol definition here}}
pattern.weights @w : tensor<2xf32>, #pattern.dense
// expected-error @below {{redefinition of symbol named 'w'}}
pattern.weights @w : tensor<2xf32>, #pattern.dense

// -----

// packed C1
// expected-error @below {{'pattern.packed' op expected weights to name a pattern.weights, got @other, which is not defined}}
pattern.packed @p weights(@other) form = #pattern.form<panels> values = 0 count = 6 indices = 0 {filter_block = 1 : i64}

// -----

// packed C1
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.weights @b : tensor<3xf32>, #pattern.dense
// expected-error @below {{'pattern.packed' op expected bias of shape 2, got 3}}
pattern.packed @p weights(@w) bias(@b) form = #pattern.form<panels> values = 0 count = 6 indices = 0 {filter_block = 1 : i64}

// -----

// packed C2
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected `index` and `gather` with the forms runs and records and with no other, got runs without index and without gather}}
pattern.packed @p weights(@w) form = #pattern.form<runs> values = 0 count = 6 indices = 0

// -----

// packed C2
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected `index` and `gather` with the forms runs and records and with no other, got panels with index and without gather}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 6 indices = 0
      {index = dense<1> : tensor<1xi32>}

// -----

// packed C2
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected 6 numbers in `gather` (count), got 5}}
pattern.packed @p weights(@w) form = #pattern.form<records> values = 0 count = 6 indices = 0
    {index = dense<1> : tensor<3xi32>, gather = dense<-1> : tensor<5xi32>}

// -----

// packed C3
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected count in 0..1099511627776, got -6}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = -6 indices = 0

// -----

// packed C3
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected csr_bytes in 0..1099511627776, got -1}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 6 indices = 0
      {csr_bytes = -1 : i64}

// -----

// packed C3
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected values in 0..1099511627776, got 9223372036854775807}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 9223372036854775807 count = 6 indices = 0
      {filter_block = 2 : i64}

// -----

// packed C4
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected gather in -1..5, got 6 for value 1}}
pattern.packed @p weights(@w) form = #pattern.form<runs> values = 0 count = 3 indices = 0
      {index = dense<1> : tensor<3xi32>, gather = dense<[5, 6, -1]> : tensor<3xi32>}

// -----

// packed C4
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected gather in -1..5, got -2 for value 0}}
pattern.packed @p weights(@w) form = #pattern.form<records> values = 0 count = 3 indices = 0
      {index = dense<1> : tensor<3xi32>, gather = dense<-2> : tensor<3xi32>}

// -----

// packed C5
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected `filter_block` or `batch_norm` with the form panels and with no other, got panels without filter_block and without batch_norm}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 6 indices = 0

// -----

// packed C5
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected `filter_block` or `batch_norm` with the form panels and with no other, got runs with filter_block and without batch_norm}}
pattern.packed @p weights(@w) form = #pattern.form<runs> values = 0 count = 1 indices = 0
      {index = dense<1> : tensor<3xi32>, gather = dense<0> : tensor<1xi32>, filter_block = 2 : i64}

// -----

// packed C5
pattern.weights @w : tensor<2x3xf32>, #pattern.dense
// expected-error @below {{expected filter_block in 1..2147483647, got 0}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 6 indices = 0
      {filter_block = 0 : i64}

// -----

// packed C5
pattern.weights @w : tensor<6x3xf32>, #pattern.dense
// expected-error @below {{expected a positive number of groups that divides the 6 filters, got 4}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 18 indices = 0
      {filter_block = 1 : i64, groups = 4 : i64}

// -----

// packed C6: each of two groups of three filters is filled up to four
pattern.weights @w : tensor<6x3xf32>, #pattern.dense
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 24 indices = 0
      {filter_block = 2 : i64, groups = 2 : i64}
// expected-error @below {{expected 24 values in panels of 2 filters (count), got 18}}
pattern.packed @q weights(@w) form = #pattern.form<panels> values = 0 count = 18 indices = 0
      {filter_block = 2 : i64, groups = 2 : i64}

// -----

// packed C6
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>
pattern.weights @s : tensor<3xf32>, #pattern.dense
// expected-error @below {{expected 6 values for 3 channels (count), got 3}}
pattern.packed @p weights(@s) form = #pattern.form<panels> values = 0 count = 3 indices = 0 {batch_norm = #bn}

// -----

// packed C7
#bn = #pattern.batch_norm<scale = @s, shift = @t, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>
pattern.weights @s : tensor<3xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.weights @t : tensor<2xf32>, #pattern.dense
// expected-error @below {{expected shift of shape 3, got 2}}
pattern.packed @p weights(@s) form = #pattern.form<panels> values = 0 count = 6 indices = 0 {batch_norm = #bn}

// -----

// packed C7
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>
pattern.weights @s : tensor<3xf32>, #pattern.dense
pattern.weights @t : tensor<3xf32>, #pattern.dense
// expected-error @below {{expected the scale of batch_norm as weights, and no bias, got @t without bias}}
pattern.packed @p weights(@t) form = #pattern.form<panels> values = 0 count = 6 indices = 0 {batch_norm = #bn}

// -----

// packed C7
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>
pattern.weights @s : tensor<3xf32>, #pattern.dense
// expected-error @below {{expected the scale of batch_norm as weights, and no bias, got @s with bias}}
pattern.packed @p weights(@s) bias(@s) form = #pattern.form<panels> values = 0 count = 6 indices = 0 {batch_norm = #bn}

// -----

// not a layer's tensor
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x?xf32>) {
  // expected-error @below {{'pattern.conv2d' op operand #0 must be f32 tensor of static shape with 1 to 2^40 elements and no dimension above 2^31 - 1, plain or in #pattern.plane layout, but got 'tensor<1x3x5x?xf32>'}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x3x5x?xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// not a layer's tensor
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf64>) {
  // expected-error @below {{'pattern.conv2d' op operand #0 must be f32 tensor of static shape with 1 to 2^40 elements and no dimension above 2^31 - 1, plain or in #pattern.plane layout, but got 'tensor<1x3x5x7xf64>'}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x3x5x7xf64> -> tensor<1x4x3x5xf32>
  return
}

// -----

// not a layer's tensor
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x0x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op operand #0 must be f32 tensor of static shape with 1 to 2^40 elements and no dimension above 2^31 - 1, plain or in #pattern.plane layout, but got 'tensor<1x3x0x7xf32>'}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x3x0x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// not a layer's tensor
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32, "blocked">) {
  // expected-error @below {{'pattern.conv2d' op operand #0 must be f32 tensor of static shape with 1 to 2^40 elements and no dimension above 2^31 - 1, plain or in #pattern.plane layout, but got 'tensor<1x3x5x7xf32, "blocked">'}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x3x5x7xf32, "blocked"> -> tensor<1x4x3x5xf32>
  return
}

// -----

// not a layer's tensor
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<9223372036854775807x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op operand #0 must be f32 tensor of static shape with 1 to 2^40 elements and no dimension above 2^31 - 1, plain or in #pattern.plane layout, but got 'tensor<9223372036854775807x3x5x7xf32>'}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<9223372036854775807x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// not a layer's tensor
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<2147483647x3x512x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op operand #0 must be f32 tensor of static shape with 1 to 2^40 elements and no dimension above 2^31 - 1, plain or in #pattern.plane layout, but got 'tensor<2147483647x3x512x7xf32>'}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<2147483647x3x512x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C1
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected input and output in NCHW order (rank 4), got rank 3 and 4}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C1
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<2x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected one batch size, got 2 in the input and 1 in the output}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<2x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C2
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected weights to name a pattern.weights, got @v, which is not defined}}
  %y = pattern.conv2d %x weights(@v)
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C2
pattern.weights @w : tensor<4x27xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected weights of shape OxIxKHxKW (rank 4), got 4x27}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C3
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x6x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected 3 input channels (3 per kernel, 1 groups), got 6}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x6x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C3
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x9x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected a positive number of groups that divides the 4 filters, got 3}}
  %y = pattern.conv2d %x weights(@w) {groups = 3 : i64}
      : tensor<1x9x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C3
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected a positive number of groups that divides the 4 filters, got 0}}
  %y = pattern.conv2d %x weights(@w) {groups = 0 : i64}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C3
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected 4 output channels (filters), got 5}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x3x5x7xf32> -> tensor<1x5x3x5xf32>
  return
}

// -----

// conv2d C4
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.weights @b : tensor<3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected bias of shape 4, got 3}}
  %y = pattern.conv2d %x weights(@w) bias(@b)
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C5
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected 2 numbers in strides, got 3}}
  %y = pattern.conv2d %x weights(@w) {strides = array<i64: 1, 1, 1>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C5
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected strides in 1..65535, got 0}}
  %y = pattern.conv2d %x weights(@w) {strides = array<i64: 1, 0>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C5
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected dilations in 1..65535, got 9223372036854775807}}
  %y = pattern.conv2d %x weights(@w) {dilations = array<i64: 9223372036854775807, 1>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C5
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected 4 numbers in padding, got 2}}
  %y = pattern.conv2d %x weights(@w) {padding = array<i64: 1, 1>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C5
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected padding in 0..65535, got -1}}
  %y = pattern.conv2d %x weights(@w) {padding = array<i64: 0, 0, -1, 0>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C6
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected an output of shape 1x4x3x5, got 1x4x5x3}}
  %y = pattern.conv2d %x weights(@w)
      : tensor<1x3x5x7xf32> -> tensor<1x4x5x3xf32>
  return
}

// -----

// conv2d C6: rows and columns are padded on their own
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected an output of shape 1x4x4x7, got 1x4x3x5}}
  %y = pattern.conv2d %x weights(@w) {padding = array<i64: 1, 2, 0, 0>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C6: a kernel that does not fit
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected an output of shape 1x4x0x5, got 1x4x1x5}}
  %y = pattern.conv2d %x weights(@w) {dilations = array<i64: 65535, 1>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x1x5xf32>
  return
}

// -----

// conv2d C6: with pooling
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected an output of shape 1x4x1x2, got 1x4x3x5}}
  %y = pattern.conv2d %x weights(@w) {pool = #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C7
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>, %r: tensor<1x4x3x1xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected residual to have the shape of the convolution's result (1x4x3x5), got 1x4x3x1}}
  %y = pattern.conv2d %x weights(@w) residual(%r : tensor<1x4x3x1xf32>)
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C8
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected 4 numbers in filter_order, got 3}}
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1, 2>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C8
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected filter_order in 0..3, got 4}}
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1, 2, 4>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C8
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected filter_order in 0..3, got -1}}
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 1, 2, -1>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C8
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected each filter once in filter_order, got 2 twice}}
  %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 2, 1>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C9
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected weights of scheme #pattern.kernel for the dataflow input_stationary, got #pattern.dense}}
  %y = pattern.conv2d %x weights(@w)
      {schedule = #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3,
                                    filter_block = 4, channel_block = 3>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C9
pattern.weights @w : tensor<4x1x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4]]>>, kernels = dense<1> : tensor<4x1xi8>
func.func @f(%x: tensor<1x2x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected one group for the dataflow staged, got 2}}
  %y = pattern.conv2d %x weights(@w)
      {groups = 2 : i64, schedule = #pattern.schedule<dataflow = staged, rows = 3, vectors = 1,
                                                      filter_block = 4, channel_block = 3>}
      : tensor<1x2x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C10
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected `loads` only with weights of scheme #pattern.kernel, got @w, which has another}}
  %y = pattern.conv2d %x weights(@w)
      {loads = #pattern.loads<scope = run, taps = [0, 0], uses = [[0]]>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C10
pattern.weights @w : tensor<4x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1>
      : tensor<4x3xi8>
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected uses for the 2 kernel patterns of the library, got 1}}
  %y = pattern.conv2d %x weights(@w)
      {loads = #pattern.loads<scope = run, taps = [0, 0], uses = [[0]]>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C10
pattern.weights @w : tensor<4x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4]]>>, kernels = dense<1> : tensor<4x3xi8>
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected taps inside of a 3x3 kernel, got 0, 3}}
  %y = pattern.conv2d %x weights(@w)
      {loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 0, 3, 1, 1], uses = [[0, 1, 2, 3]]>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C10
pattern.weights @w : tensor<4x3x3x3xf32>,
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>, kernels = dense<1>
      : tensor<4x3xi8>
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected uses that name cells 1, 2, 4, 5 of kernel pattern 2, got 1, 4}}
  %y = pattern.conv2d %x weights(@w)
      {loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1],
                              uses = [[0, 1, 2, 3], [1, 3]]>}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C11
// expected-note @below {{defined here}}
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected packed to name a pattern.packed, got @w, which is a pattern.weights}}
  %y = pattern.conv2d %x weights(@w) {packed = @w}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// conv2d C11
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
pattern.weights @b : tensor<4xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.packed @p weights(@w) form = #pattern.form<panels> values = 0 count = 108 indices = 0 {filter_block = 2 : i64}
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{'pattern.conv2d' op expected the packed form of @w and bias @b, got that of @w without bias}}
  %y = pattern.conv2d %x weights(@w) bias(@b) {packed = @p}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// a place
pattern.weights @w : tensor<4x3x3x3xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x5x7xf32>) {
  // expected-error @below {{attribute 'place' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  %y = pattern.conv2d %x weights(@w) {place = -64 : i64}
      : tensor<1x3x5x7xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// linear C1
pattern.weights @w : tensor<5x12xf32>, #pattern.dense
func.func @f(%x: tensor<1x3x4xf32>) {
  // expected-error @below {{'pattern.linear' op expected input and output of rank 2, got rank 3 and 2}}
  %y = pattern.linear %x weights(@w) : tensor<1x3x4xf32> -> tensor<1x5xf32>
  return
}

// -----

// linear C1
pattern.weights @w : tensor<5x12xf32>, #pattern.dense
func.func @f(%x: tensor<2x12xf32>) {
  // expected-error @below {{'pattern.linear' op expected one batch size, got 2 in the input and 1 in the output}}
  %y = pattern.linear %x weights(@w) : tensor<2x12xf32> -> tensor<1x5xf32>
  return
}

// -----

// linear C2
// expected-note @below {{defined here}}
pattern.weights @w : tensor<12x5xf32>, #pattern.dense
func.func @f(%x: tensor<1x12xf32>) {
  // expected-error @below {{'pattern.linear' op expected weights of shape 5x12, got 12x5}}
  %y = pattern.linear %x weights(@w) : tensor<1x12xf32> -> tensor<1x5xf32>
  return
}

// -----

// linear C3
pattern.weights @w : tensor<5x12xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.weights @b : tensor<5x1xf32>, #pattern.dense
func.func @f(%x: tensor<1x12xf32>) {
  // expected-error @below {{'pattern.linear' op expected bias of shape 5, got 5x1}}
  %y = pattern.linear %x weights(@w) bias(@b) : tensor<1x12xf32> -> tensor<1x5xf32>
  return
}

// -----

// linear C4
pattern.weights @w : tensor<5x12xf32>, #pattern.dense
pattern.weights @v : tensor<5x12xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.packed @p weights(@v) form = #pattern.form<panels> values = 0 count = 60 indices = 0 {filter_block = 5 : i64}
func.func @f(%x: tensor<1x12xf32>) {
  // expected-error @below {{'pattern.linear' op expected the packed form of @w without bias, got that of @v without bias}}
  %y = pattern.linear %x weights(@w) {packed = @p} : tensor<1x12xf32> -> tensor<1x5xf32>
  return
}

// -----

// linear C5
pattern.weights @w : tensor<5x12xf32>, #pattern.dense
func.func @f(%x: tensor<1x12xf32>) {
  // expected-error @below {{'pattern.linear' op expected the dataflow output_stationary, got staged}}
  %y = pattern.linear %x weights(@w)
      {schedule = #pattern.schedule<dataflow = staged, rows = 1, vectors = 1, filter_block = 4,
                                    channel_block = 3>} : tensor<1x12xf32> -> tensor<1x5xf32>
  return
}

// -----

// batch_norm C1
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
func.func @f(%x: tensor<1x2x5xf32>) {
  // expected-error @below {{'pattern.batch_norm' op expected an input of rank 2 or 4, got rank 3}}
  %y = pattern.batch_norm %x {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                                        epsilon = 1.0e-05 : f64>}
      : tensor<1x2x5xf32> -> tensor<1x2x5xf32>
  return
}

// -----

// batch_norm C1
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
func.func @f(%x: tensor<1x2x5x7xf32>) {
  // expected-error @below {{'pattern.batch_norm' op expected output to have the shape of the input (1x2x5x7), got 1x2x7x5}}
  %y = pattern.batch_norm %x {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                                        epsilon = 1.0e-05 : f64>}
      : tensor<1x2x5x7xf32> -> tensor<1x2x7x5xf32>
  return
}

// -----

// batch_norm C2
// expected-note @below {{defined here}}
pattern.weights @s : tensor<3xf32>, #pattern.dense
pattern.weights @t : tensor<3xf32>, #pattern.dense
pattern.weights @m : tensor<3xf32>, #pattern.dense
pattern.weights @v : tensor<3xf32>, #pattern.dense
func.func @f(%x: tensor<3x2xf32>) {
  // expected-error @below {{'pattern.batch_norm' op expected scale of shape 2, got 3}}
  %y = pattern.batch_norm %x {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                                        epsilon = 1.0e-05 : f64>}
      : tensor<3x2xf32> -> tensor<3x2xf32>
  return
}

// -----

// batch_norm C2
func.func @f(%x: tensor<3x2xf32>) {
  // expected-error @below {{'pattern.batch_norm' op expected scale to name a pattern.weights, got @s, which is not defined}}
  %y = pattern.batch_norm %x {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                                        epsilon = 1.0e-05 : f64>}
      : tensor<3x2xf32> -> tensor<3x2xf32>
  return
}

// -----

// batch_norm C3
// expected-note @below {{defined here}}
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
func.func @f(%x: tensor<3x2xf32>) {
  // expected-error @below {{'pattern.batch_norm' op expected packed to name a pattern.packed, got @s, which is a pattern.weights}}
  %y = pattern.batch_norm %x {packed = @s, parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v,
                                        epsilon = 1.0e-05 : f64>}
      : tensor<3x2xf32> -> tensor<3x2xf32>
  return
}

// -----

// batch_norm C3
#bn = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @s, epsilon = 1.0e-05 : f64>
#other = #pattern.batch_norm<scale = @s, shift = @s, mean = @s, variance = @t, epsilon = 1.0e-05 : f64>
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
// expected-note @below {{defined here}}
pattern.packed @p weights(@s) form = #pattern.form<panels> values = 0 count = 4 indices = 0 {batch_norm = #other}
func.func @f(%x: tensor<3x2xf32>) {
  // expected-error @below {{'pattern.batch_norm' op expected the packed form of these parameters, got @p}}
  %y = pattern.batch_norm %x {packed = @p, parameters = #bn} : tensor<3x2xf32> -> tensor<3x2xf32>
  return
}

// -----

// max_pool2d C1
func.func @f(%x: tensor<4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected input and output in NCHW order (rank 4), got rank 3 and 3}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<4x6x8xf32> -> tensor<4x3x4xf32>
  return
}

// -----

// max_pool2d C1
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected one channel count, got 4 in the input and 3 in the output}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x8xf32> -> tensor<1x3x3x4xf32>
  return
}

// -----

// max_pool2d C1
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected one batch size, got 1 in the input and 2 in the output}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x8xf32> -> tensor<2x4x3x4xf32>
  return
}

// -----

// max_pool2d C2
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected 2 numbers in kernel, got 0}}
  %y = pattern.max_pool2d %x {kernel = array<i64>} : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return
}

// -----

// max_pool2d C2
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected strides in 1..65535, got 0}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 0, 2>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return
}

// -----

// max_pool2d C2
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected dilations in 1..65535, got -1}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, -1>} : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return
}

// -----

// max_pool2d C2
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected padding of at most half of the kernel's width (2), got 2}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 0, 2, 0, 0>} : tensor<1x4x6x8xf32> -> tensor<1x4x3x5xf32>
  return
}

// -----

// max_pool2d C3
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected an output height of 3, got 4}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x4x4xf32>
  return
}

// -----

// max_pool2d C3
func.func @f(%x: tensor<1x4x7x7xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected an output width of 3 or 4, got 5}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x7x7xf32> -> tensor<1x4x4x5xf32>
  return
}

// -----

// max_pool2d C3: the window that rounding up would add starts in the padding
func.func @f(%x: tensor<1x4x5x6xf32>) {
  // expected-error @below {{'pattern.max_pool2d' op expected an output height of 3, got 4}}
  %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 1, 0, 1, 0>} : tensor<1x4x5x6xf32> -> tensor<1x4x4x3xf32>
  return
}

// -----

// avg_pool2d C1
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.avg_pool2d' op expected one channel count, got 4 in the input and 3 in the output}}
  %y = pattern.avg_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x8xf32> -> tensor<1x3x3x4xf32>
  return
}

// -----

// avg_pool2d C2
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.avg_pool2d' op expected 4 numbers in padding, got 2}}
  %y = pattern.avg_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, padding = array<i64: 1, 1>} : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
  return
}

// -----

// avg_pool2d C3
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.avg_pool2d' op expected an output width of 4, got 3}}
  %y = pattern.avg_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
      : tensor<1x4x6x8xf32> -> tensor<1x4x3x3xf32>
  return
}

// -----

// adaptive_avg_pool2d C1
func.func @f(%x: tensor<1x4x6x8xf32>) {
  // expected-error @below {{'pattern.adaptive_avg_pool2d' op expected one channel count, got 4 in the input and 2 in the output}}
  %y = pattern.adaptive_avg_pool2d %x : tensor<1x4x6x8xf32> -> tensor<1x2x1x1xf32>
  return
}

// -----

// activate C1
func.func @f(%x: tensor<1x4x5x7xf32>) {
  // expected-error @below {{'pattern.activate' op expected output to have the shape of the input (1x4x5x7), got 1x4x7x5}}
  %y = pattern.activate %x {activation = #pattern.activation<relu>}
      : tensor<1x4x5x7xf32> -> tensor<1x4x7x5xf32>
  return
}

// -----

// add C1
func.func @f(%a: tensor<1x4x1x1xf32>, %b: tensor<1x4x5x7xf32>) {
  // expected-error @below {{'pattern.add' op expected output to have the shape of the lhs (1x4x1x1), got 1x4x5x7}}
  %y = pattern.add %a, %b : tensor<1x4x1x1xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return
}

// -----

// add C1
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<1x4x7x7xf32>) {
  // expected-error @below {{'pattern.add' op expected dimension 2 of rhs to be 5 or 1, got 7}}
  %y = pattern.add %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x7x7xf32> -> tensor<1x4x5x7xf32>
  return
}

// -----

// add C1
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<7xf32>) {
  // expected-error @below {{'pattern.add' op expected rhs of rank 4, got 1}}
  %y = pattern.add %a, %b : tensor<1x4x5x7xf32>, tensor<7xf32> -> tensor<1x4x5x7xf32>
  return
}

// -----

// mul C1
func.func @f(%a: tensor<1x4x1x1xf32>, %b: tensor<1x4x5x7xf32>) {
  // expected-error @below {{'pattern.mul' op expected output to have the shape of the lhs (1x4x1x1), got 1x4x5x7}}
  %y = pattern.mul %a, %b : tensor<1x4x1x1xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
  return
}

// -----

// mul C1
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<1x4x7x7xf32>) {
  // expected-error @below {{'pattern.mul' op expected dimension 2 of rhs to be 5 or 1, got 7}}
  %y = pattern.mul %a, %b : tensor<1x4x5x7xf32>, tensor<1x4x7x7xf32> -> tensor<1x4x5x7xf32>
  return
}

// -----

// mul C1
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<7xf32>) {
  // expected-error @below {{'pattern.mul' op expected rhs of rank 4, got 1}}
  %y = pattern.mul %a, %b : tensor<1x4x5x7xf32>, tensor<7xf32> -> tensor<1x4x5x7xf32>
  return
}

// -----

// concat C1
func.func @f() {
  // expected-error @below {{'pattern.concat' op expected at least 1 input, got 0}}
  %y = "pattern.concat"() {axis = 1 : i64} : () -> tensor<1x4xf32>
  return
}

// -----

// concat C1
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<2x5x7xf32>) {
  // expected-error @below {{'pattern.concat' op expected input 1 to have rank 4, got 3}}
  %y = pattern.concat %a, %b {axis = 1 : i64}
      : tensor<1x4x5x7xf32>, tensor<2x5x7xf32> -> tensor<1x6x5x7xf32>
  return
}

// -----

// concat C2
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<1x2x5x7xf32>) {
  // expected-error @below {{'pattern.concat' op expected an axis in 0..3, got 4}}
  %y = pattern.concat %a, %b {axis = 4 : i64}
      : tensor<1x4x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x6x5x7xf32>
  return
}

// -----

// concat C2
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<1x2x5x7xf32>) {
  // expected-error @below {{'pattern.concat' op expected an axis in 0..3, got -1}}
  %y = pattern.concat %a, %b {axis = -1 : i64}
      : tensor<1x4x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x6x5x7xf32>
  return
}

// -----

// concat C3
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<1x2x5x5xf32>) {
  // expected-error @below {{'pattern.concat' op expected dimension 3 of input 1 to be 7, got 5}}
  %y = pattern.concat %a, %b {axis = 1 : i64}
      : tensor<1x4x5x7xf32>, tensor<1x2x5x5xf32> -> tensor<1x6x5x7xf32>
  return
}

// -----

// concat C3
func.func @f(%a: tensor<1x4x5x7xf32>, %b: tensor<1x2x5x7xf32>) {
  // expected-error @below {{'pattern.concat' op expected an output of 6 along axis 1, got 7}}
  %y = pattern.concat %a, %b {axis = 1 : i64}
      : tensor<1x4x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x7x5x7xf32>
  return
}

// -----

// reshape C1
func.func @f(%x: tensor<1x4x2x3xf32>) {
  // expected-error @below {{'pattern.reshape' op expected an output of 24 elements, got 25}}
  %y = pattern.reshape %x : tensor<1x4x2x3xf32> -> tensor<1x25xf32>
  return
}

// -----

// reshape C2
func.func @f(%x: tensor<1x35xf32>) {
  // expected-error @below {{'pattern.reshape' op expected tensors in plain order, got 'tensor<1x1x5x7xf32, #pattern.plane<halo = 0, row_stride = 7, channel_stride = 1024>>'}}
  %y = pattern.reshape %x : tensor<1x35xf32> -> tensor<1x1x5x7xf32, #pattern.plane<halo = 0, row_stride = 7, channel_stride = 1024>>
  return
}

// -----

// softmax C1
func.func @f(%x: tensor<2x5xf32>) {
  // expected-error @below {{'pattern.softmax' op expected output to have the shape of the input (2x5), got 5x2}}
  %y = pattern.softmax %x {axis = 1 : i64} : tensor<2x5xf32> -> tensor<5x2xf32>
  return
}

// -----

// softmax C2
func.func @f(%x: tensor<2x5xf32>) {
  // expected-error @below {{'pattern.softmax' op expected an axis in 0..1, got 2}}
  %y = pattern.softmax %x {axis = 2 : i64} : tensor<2x5xf32> -> tensor<2x5xf32>
  return
}

// -----

// resize C1
func.func @f(%x: tensor<1x4x3x4xf32>) {
  // expected-error @below {{'pattern.resize' op expected one batch size, got 1 in the input and 2 in the output}}
  %y = pattern.resize %x {mode = #pattern.resize_mode<nearest>}
      : tensor<1x4x3x4xf32> -> tensor<2x4x6x8xf32>
  return
}

// -----

// resize C2
func.func @f(%x: tensor<1x4x3x4xf32>) {
  // expected-error @below {{'pattern.resize' op expected align_corners with the mode bilinear only, got nearest}}
  %y = pattern.resize %x {mode = #pattern.resize_mode<nearest>, align_corners}
      : tensor<1x4x3x4xf32> -> tensor<1x4x6x8xf32>
  return
}

// -----

// relayout C1
func.func @f(%x: tensor<1x4x5x7xf32>) {
  // expected-error @below {{'pattern.relayout' op expected output to have the shape of the input (1x4x5x7), got 1x4x7x5}}
  %y = pattern.relayout %x : tensor<1x4x5x7xf32> -> tensor<1x4x7x5xf32>
  return
}

// -----

// weights C3: a splat is short in text and long in memory
// expected-error @below {{expected at most 67108864 kernels, got 1048576x65536}}
pattern.weights @w : tensor<1048576x65536x3x3xf32>, #pattern.kernel<#pattern.library<3x3, [[0]]>>,
    kernels = dense<1> : tensor<1048576x65536xi8>
