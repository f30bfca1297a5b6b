// RUN: pconv-opt %s -split-input-file -convert-pattern-to-linalg | FileCheck %s
// A module in a function: its layers are lowered once, by the function that they stand in.

// CHECK-LABEL: func.func @inner
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK-NOT: pattern.
func.func @outer() {
  builtin.module {
    func.func @inner(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %y = pattern.activate %x {activation = #pattern.activation<relu>} : tensor<2x3xf32> -> tensor<2x3xf32>
      return %y : tensor<2x3xf32>
    }
  }
  return
}

// -----

// Weights in it are no layers of the function.
// CHECK-LABEL: func.func @weights_inside
// CHECK: builtin.module
// CHECK-NOT: linalg.
func.func @weights_inside() {
  builtin.module {
    pattern.weights @w : tensor<2xf32>, #pattern.dense
  }
  return
}
