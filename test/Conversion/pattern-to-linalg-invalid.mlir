// RUN: pconv-opt %s -convert-pattern-to-linalg -verify-diagnostics -split-input-file

func.func @layout(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
  // expected-error @below {{expected tensors in plain layout, got #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>; convert before pattern-assign-layouts}}
  %y = pattern.relayout %x : tensor<1x4x5x7xf32>
      -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>
  %z = pattern.relayout %y
      : tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>
      -> tensor<1x4x5x7xf32>
  return %z : tensor<1x4x5x7xf32>
}

// -----

// expected-error @below {{expected a network at stage 'reordered' or before, got stage 'laid_out'}}
module attributes {pattern.stage = "laid_out"} {}

// -----

pattern.weights @fc.weight : tensor<5x12xf32>, #pattern.dense

// expected-error @below {{expected a function that nothing refers to, since it gets 1 arguments for its weights, got one with uses}}
func.func @layer(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = pattern.linear %x weights(@fc.weight) : tensor<1x12xf32> -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

func.func @caller(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
  %y = func.call @layer(%x) : (tensor<1x12xf32>) -> tensor<1x5xf32>
  return %y : tensor<1x5xf32>
}

// -----

ml_program.func @not_a_func(%x: tensor<1x12xf32>) -> tensor<1x12xf32> {
  // expected-error @below {{expected a layer in a func.func, got one in ml_program.func}}
  %y = pattern.softmax %x {axis = 1 : i64} : tensor<1x12xf32> -> tensor<1x12xf32>
  ml_program.return %y : tensor<1x12xf32>
}

// -----

func.func @huge(%x: tensor<1x1x1x1xf32>) -> tensor<1x1x1x65536xf32> {
  // expected-error @below {{expected an output of at most 65535 rows and columns, got 65536}}
  %y = pattern.resize %x {mode = #pattern.resize_mode<bilinear>}
      : tensor<1x1x1x1xf32> -> tensor<1x1x1x65536xf32>
  return %y : tensor<1x1x1x65536xf32>
}

// -----

pattern.weights @w : tensor<1x1x1x1xf32>, #pattern.dense
func.func @wide_mean(%x: tensor<1x1x1x200000xf32>) -> tensor<1x1x1x200000xf32> {
  // expected-error @below {{'pattern.conv2d' op expected an output of at most 65535 rows and columns, got 200000}}
  %y = pattern.conv2d %x weights(@w)
      {pool = #pattern.pool<average, kernel = [1, 1], strides = [1, 1]>}
      : tensor<1x1x1x200000xf32> -> tensor<1x1x1x200000xf32>
  return %y : tensor<1x1x1x200000xf32>
}
