// RUN: pconv-opt %s -symbol-dce | FileCheck %s

// Weights are private to the module, so those that nobody refers to go away; those that are only
// the source of others, or stand in the attribute of a layer, stay.

// CHECK-DAG: pattern.weights @conv.weight :
// CHECK-DAG: pattern.weights @conv.bias :
// CHECK-DAG: pattern.weights @folded.weight :
// CHECK-DAG: pattern.weights @s :
// CHECK-DAG: pattern.weights @t :
// CHECK-DAG: pattern.weights @m :
// CHECK-DAG: pattern.weights @v :
// CHECK-DAG: pattern.weights @of.argument :
// CHECK-DAG: pattern.packed @packed
// CHECK-NOT: unused

pattern.weights @conv.weight : tensor<2x3x3x3xf32>, #pattern.dense
pattern.weights @conv.bias : tensor<2xf32>, #pattern.dense
pattern.weights @s : tensor<2xf32>, #pattern.dense
pattern.weights @t : tensor<2xf32>, #pattern.dense
pattern.weights @m : tensor<2xf32>, #pattern.dense
pattern.weights @v : tensor<2xf32>, #pattern.dense
pattern.weights @folded.weight : tensor<2x3x3x3xf32>, #pattern.dense source(@conv.weight)
    batch_norm(<scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-05 : f64>)
pattern.packed @packed weights(@folded.weight) bias(@conv.bias) form = #pattern.form<panels>
    values = 0 count = 54 indices = 0 {filter_block = 2 : i64}
pattern.weights @of.argument : tensor<2xf32>, #pattern.dense

pattern.weights @unused.weight : tensor<2x3x3x3xf32>, #pattern.dense
pattern.packed @unused.packed weights(@unused.weight) form = #pattern.form<panels>
    values = 0 count = 54 indices = 0 {filter_block = 2 : i64}

// CHECK-LABEL: @main
func.func @main(%x: tensor<1x3x5x7xf32>, %w: tensor<2xf32> {pattern.weights = @of.argument})
    -> tensor<1x2x3x5xf32> {
  %y = pattern.conv2d %x weights(@folded.weight) bias(@conv.bias) {packed = @packed}
      : tensor<1x3x5x7xf32> -> tensor<1x2x3x5xf32>
  return %y : tensor<1x2x3x5xf32>
}
