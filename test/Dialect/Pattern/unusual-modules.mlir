// RUN: pconv-opt %s -split-input-file -allow-unregistered-dialect -pattern-fuse-layers | FileCheck %s
// Modules in modules, and ops of no known dialect: what is no network stays as it is.

// CHECK: "foo.op"() ({
// CHECK-NEXT: "foo.ret"
"foo.op"() ({ "foo.ret"() : () -> () }) : () -> ()

// -----

// A symbol that only an unknown op names is used.
// CHECK: pattern.weights @named
// CHECK-NOT: pattern.weights @dead
// CHECK: "foo.op"() {weights = @named}
module {
  pattern.weights @named : tensor<2xf32>, #pattern.dense
  pattern.weights @dead : tensor<2xf32>, #pattern.dense
  "foo.op"() {weights = @named} : () -> ()
}

// -----

// CHECK: builtin.module
// CHECK: pattern.activate
func.func @outer() {
  builtin.module {
    func.func @inner(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
      %y = pattern.activate %x {activation = #pattern.activation<relu>} : tensor<2x3xf32> -> tensor<2x3xf32>
      return %y : tensor<2x3xf32>
    }
  }
  return
}
