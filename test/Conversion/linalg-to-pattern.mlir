// RUN: pconv-opt %s -convert-linalg-to-pattern | FileCheck %s
// RUN: pconv-opt %s -convert-linalg-to-pattern -convert-linalg-to-pattern | FileCheck %s

// The example of the pass description.

// CHECK: module attributes {pattern.stage = "imported"}
// CHECK: pattern.weights @conv.weight : tensor<4x3x3x3xf32>, #pattern.dense
// CHECK: pattern.weights @conv.bias : tensor<4xf32>, #pattern.dense
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[X:.*]]: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
// CHECK-NEXT: %[[Y:.*]] = pattern.conv2d %[[X]] weights(@conv.weight) bias(@conv.bias) {padding = array<i64: 1, 1, 1, 1>} : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
// CHECK-NEXT: return %[[Y]] : tensor<1x4x5x7xf32>
// CHECK-NEXT: }
func.func @main(%x: tensor<1x3x5x7xf32>,
                %w: tensor<4x3x3x3xf32> {pattern.weights = @conv.weight},
                %b: tensor<4xf32> {pattern.weights = @conv.bias}) -> tensor<1x4x5x7xf32> {
  %zero = arith.constant 0.0 : f32
  %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%n: index, %c: index, %h: index, %i: index):
    tensor.yield %zero : f32
  } : tensor<1x3x5x7xf32> to tensor<1x3x7x9xf32>
  %empty = tensor.empty() : tensor<1x4x5x7xf32>
  %init = linalg.broadcast ins(%b : tensor<4xf32>) outs(%empty : tensor<1x4x5x7xf32>)
      dimensions = [0, 2, 3]
  %y = linalg.conv_2d_nchw_fchw ins(%padded, %w : tensor<1x3x7x9xf32>, tensor<4x3x3x3xf32>)
      outs(%init : tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// (9 - 2 * 2 - 1) / 2 + 1 = 3 rows, (8 - 1 * 2 - 1) / 3 + 1 = 2 columns.
// CHECK: pattern.weights @strided.weight
// CHECK-LABEL: @strides_and_dilations
// CHECK: pattern.conv2d %{{.*}} weights(@strided.weight) {dilations = array<i64: 2, 1>, strides = array<i64: 2, 3>}
func.func @strides_and_dilations(%x: tensor<1x3x9x8xf32>,
    %w: tensor<4x3x3x3xf32> {pattern.weights = @strided.weight}) -> tensor<1x4x3x2xf32> {
  %zero = arith.constant dense<0.0> : tensor<1x4x3x2xf32>
  %y = linalg.conv_2d_nchw_fchw
      {strides = dense<[2, 3]> : tensor<2xi64>, dilations = dense<[2, 1]> : tensor<2xi64>}
      ins(%x, %w : tensor<1x3x9x8xf32>, tensor<4x3x3x3xf32>)
      outs(%zero : tensor<1x4x3x2xf32>) -> tensor<1x4x3x2xf32>
  return %y : tensor<1x4x3x2xf32>
}

// A constant is called after its resource, or after its layer.
// CHECK: pattern.weights @features.0.weight : tensor<2x3x1x1xf32>, #pattern.dense {values = dense_resource<features.0.weight> : tensor<2x3x1x1xf32>}
// CHECK: pattern.weights @second.weight : tensor<2x2x1x1xf32>, #pattern.dense {values = dense<{{.*}}> : tensor<2x2x1x1xf32>}
// CHECK-LABEL: @constants
// CHECK: pattern.conv2d %{{.*}} weights(@features.0.weight) :
// CHECK: pattern.conv2d %{{.*}} weights(@second.weight) {layer = "second"}
func.func @constants(%x: tensor<1x3x5x7xf32>) -> tensor<1x2x5x7xf32> {
  %a = arith.constant dense_resource<features.0.weight> : tensor<2x3x1x1xf32>
  %b = arith.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32>
  %zero = arith.constant dense<0.0> : tensor<1x2x5x7xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%x, %a : tensor<1x3x5x7xf32>, tensor<2x3x1x1xf32>)
      outs(%zero : tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32>
  %z = linalg.conv_2d_nchw_fchw {pattern.layer = "second"}
      ins(%y, %b : tensor<1x2x5x7xf32>, tensor<2x2x1x1xf32>)
      outs(%zero : tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32>
  return %z : tensor<1x2x5x7xf32>
}

// A name that is taken gets a number.
// CHECK: pattern.weights @taken.weight : tensor<3xf32>
// CHECK: pattern.weights @taken.weight_0 : tensor<2x2x1x1xf32>
// CHECK-LABEL: @name_taken
// CHECK: pattern.conv2d %{{.*}} weights(@taken.weight_0) {layer = "taken"}
pattern.weights @taken.weight : tensor<3xf32>, #pattern.dense
func.func @name_taken(%x: tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32> {
  %w = arith.constant dense<[[[[5.0]], [[6.0]]], [[[7.0]], [[8.0]]]]> : tensor<2x2x1x1xf32>
  %zero = arith.constant dense<0.0> : tensor<1x2x5x7xf32>
  %y = linalg.conv_2d_nchw_fchw {pattern.layer = "taken"}
      ins(%x, %w : tensor<1x2x5x7xf32>, tensor<2x2x1x1xf32>)
      outs(%zero : tensor<1x2x5x7xf32>) -> tensor<1x2x5x7xf32>
  return %y : tensor<1x2x5x7xf32>
}

// Weights that are used as a tensor besides stay an argument.
// CHECK: pattern.weights @both.weight
// CHECK-LABEL: @weights_with_other_use
// CHECK-SAME: (%{{.*}}: tensor<2x5xf32>, %[[W:.*]]: tensor<5x5xf32> {pattern.weights = @both.weight})
// CHECK: %[[Y:.*]] = pattern.linear %{{.*}} weights(@both.weight)
// CHECK: return %[[Y]], %[[W]]
func.func @weights_with_other_use(%x: tensor<2x5xf32>,
    %w: tensor<5x5xf32> {pattern.weights = @both.weight}) -> (tensor<2x5xf32>, tensor<5x5xf32>) {
  %zero = arith.constant dense<0.0> : tensor<2x5xf32>
  %empty = tensor.empty() : tensor<5x5xf32>
  %t = linalg.transpose ins(%w : tensor<5x5xf32>) outs(%empty : tensor<5x5xf32>)
      permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<2x5xf32>, tensor<5x5xf32>)
      outs(%zero : tensor<2x5xf32>) -> tensor<2x5xf32>
  return %y, %w : tensor<2x5xf32>, tensor<5x5xf32>
}

// The bias comes after the sum, the weights are transposed before.
// CHECK-LABEL: @linear
// CHECK-SAME: (%[[X:.*]]: tensor<2x12xf32>) -> tensor<2x5xf32>
// CHECK-NEXT: %[[Y:.*]] = pattern.linear %[[X]] weights(@fc.weight) bias(@fc.bias) : tensor<2x12xf32> -> tensor<2x5xf32>
// CHECK-NEXT: return %[[Y]]
#same = affine_map<(d0, d1) -> (d0, d1)>
#channel = affine_map<(d0, d1) -> (d1)>
func.func @linear(%x: tensor<2x12xf32>, %w: tensor<5x12xf32> {pattern.weights = @fc.weight},
    %b: tensor<5xf32> {pattern.weights = @fc.bias}) -> tensor<2x5xf32> {
  %zero = arith.constant dense<0.0> : tensor<2x5xf32>
  %empty = tensor.empty() : tensor<12x5xf32>
  %t = linalg.transpose ins(%w : tensor<5x12xf32>) outs(%empty : tensor<12x5xf32>)
      permutation = [1, 0]
  %y = linalg.matmul ins(%x, %t : tensor<2x12xf32>, tensor<12x5xf32>)
      outs(%zero : tensor<2x5xf32>) -> tensor<2x5xf32>
  %out = tensor.empty() : tensor<2x5xf32>
  %z = linalg.generic {indexing_maps = [#same, #channel, #same],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<2x5xf32>, tensor<5xf32>) outs(%out : tensor<2x5xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %s = arith.addf %l, %r : f32
    linalg.yield %s : f32
  } -> tensor<2x5xf32>
  return %z : tensor<2x5xf32>
}

// CHECK-LABEL: @max_pool
// CHECK: pattern.max_pool2d %{{.*}} {kernel = array<i64: 3, 2>, padding = array<i64: 1, 0, 1, 0>, strides = array<i64: 2, 2>}
func.func @max_pool(%x: tensor<1x4x7x8xf32>) -> tensor<1x4x4x4xf32> {
  %low = arith.constant 0xFF800000 : f32
  %padded = tensor.pad %x low[0, 0, 1, 0] high[0, 0, 1, 0] {
  ^bb0(%n: index, %c: index, %h: index, %i: index):
    tensor.yield %low : f32
  } : tensor<1x4x7x8xf32> to tensor<1x4x9x8xf32>
  %empty = tensor.empty() : tensor<1x4x4x4xf32>
  %init = linalg.fill ins(%low : f32) outs(%empty : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %window = tensor.empty() : tensor<3x2xf32>
  %y = linalg.pooling_nchw_max {strides = dense<2> : tensor<2xi64>}
      ins(%padded, %window : tensor<1x4x9x8xf32>, tensor<3x2xf32>)
      outs(%init : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %y : tensor<1x4x4x4xf32>
}

// Relu as a comparison.
// CHECK-LABEL: @relu
// CHECK: pattern.activate %{{.*}} {activation = #pattern.activation<relu>}
func.func @relu(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %zero = arith.constant 0.0 : f32
  %out = tensor.empty() : tensor<2x5xf32>
  %y = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x5xf32>) outs(%out : tensor<2x5xf32>) {
  ^bb0(%i: f32, %o: f32):
    %c = arith.cmpf ugt, %i, %zero : f32
    %s = arith.select %c, %i, %zero : f32
    linalg.yield %s : f32
  } -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// Relu with the operands the other way round.
// CHECK-LABEL: @relu_swapped
// CHECK: pattern.activate %{{.*}} {activation = #pattern.activation<relu>}
func.func @relu_swapped(%x: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %zero = arith.constant 0.0 : f32
  %out = tensor.empty() : tensor<2x5xf32>
  %y = linalg.generic {indexing_maps = [#same, #same], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x5xf32>) outs(%out : tensor<2x5xf32>) {
  ^bb0(%i: f32, %o: f32):
    %s = arith.maximumf %zero, %i : f32
    linalg.yield %s : f32
  } -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// rsqrt and an f64 epsilon, as an importer writes it.
// CHECK-LABEL: @batch_norm
// CHECK: pattern.batch_norm %{{.*}} {parameters = #pattern.batch_norm<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.000000e+00 : f32>}
#plane = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#planeChannel = affine_map<(d0, d1, d2, d3) -> (d1)>
func.func @batch_norm(%x: tensor<1x4x5x7xf32>, %s: tensor<4xf32> {pattern.weights = @s},
    %t: tensor<4xf32> {pattern.weights = @t}, %m: tensor<4xf32> {pattern.weights = @m},
    %v: tensor<4xf32> {pattern.weights = @v}) -> tensor<1x4x5x7xf32> {
  %wide = arith.constant 1.0 : f64
  %out = tensor.empty() : tensor<1x4x5x7xf32>
  %y = linalg.generic {
      indexing_maps = [#plane, #planeChannel, #planeChannel, #planeChannel, #planeChannel, #plane],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %s, %t, %m, %v
          : tensor<1x4x5x7xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>)
      outs(%out : tensor<1x4x5x7xf32>) {
  ^bb0(%i: f32, %scale: f32, %shift: f32, %mean: f32, %var: f32, %o: f32):
    %eps = arith.truncf %wide : f64 to f32
    %0 = arith.addf %var, %eps : f32
    %1 = math.rsqrt %0 : f32
    %2 = arith.subf %i, %mean : f32
    %3 = arith.mulf %2, %1 : f32
    %4 = arith.mulf %3, %scale : f32
    %5 = arith.addf %4, %shift : f32
    linalg.yield %5 : f32
  } -> tensor<1x4x5x7xf32>
  return %y : tensor<1x4x5x7xf32>
}

// CHECK-LABEL: @reshape
// CHECK: pattern.reshape %{{.*}} : tensor<1x4x2x3xf32> -> tensor<1x24xf32>
func.func @reshape(%x: tensor<1x4x2x3xf32>) -> tensor<1x24xf32> {
  %y = tensor.collapse_shape %x [[0], [1, 2, 3]] : tensor<1x4x2x3xf32> into tensor<1x24xf32>
  return %y : tensor<1x24xf32>
}
