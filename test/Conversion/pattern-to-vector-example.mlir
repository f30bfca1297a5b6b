// RUN: pconv-opt %s -convert-pattern-to-vector -canonicalize | FileCheck %s
// The example of docs/Passes.md.

module attributes {pattern.stage = "placed",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>,
    pattern.memory = {arena = 512 : i64, scratch = 64 : i64, values = 0 : i64, indices = 0 : i64}} {
  func.func @main(%x: tensor<3x40xf32> {pattern.place = 0 : i64})
      -> (tensor<3x40xf32> {pattern.place = 256 : i64}) {
    %y = pattern.activate %x {activation = #pattern.activation<relu>, place = 256 : i64}
        : tensor<3x40xf32> -> tensor<3x40xf32>
    return %y : tensor<3x40xf32>
  }
}

// CHECK: pattern.stage = "lowered", pattern.steps = [{items = 120 : i64, kind = "activate", layer = ""}]
// CHECK: func.func @pconv_network(%[[CALLER:.*]]: !llvm.ptr, %[[ARENA:.*]]: memref<576xf32>, %[[VALUES:.*]]: memref<1xf32>, %[[INDICES:.*]]: memref<1xi32>) {
// CHECK: %[[BODY:.*]] = constant @step_0 : (index, index, index, memref<576xf32>, memref<1xf32>, memref<1xi32>) -> ()
// CHECK-DAG: %[[STEP:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[ITEMS:.*]] = arith.constant 120 : index
// CHECK: call @pconv_parallel_for(%[[CALLER]], %[[STEP]], %[[BODY]], %[[ITEMS]], %[[ARENA]], %[[VALUES]], %[[INDICES]])
// CHECK: return
// CHECK: func.func private @step_0(%[[BEGIN:.*]]: index, %[[END:.*]]: index, %[[THREAD:.*]]: index, %[[ARENA:.*]]: memref<576xf32> {llvm.noalias}, %[[VALUES:.*]]: memref<1xf32> {llvm.noalias}, %[[INDICES:.*]]: memref<1xi32> {llvm.noalias}) {
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[PLACE:.*]] = arith.constant 256 : index
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : index
// CHECK: scf.for %[[ITEM:.*]] = %[[BEGIN]] to %[[END]] step %[[ONE]] {
// CHECK-NEXT: %[[AT:.*]] = arith.addi %[[ITEM]], %[[PLACE]] : index
// CHECK-NEXT: %[[X:.*]] = memref.load %[[ARENA]][%[[ITEM]]] : memref<576xf32>
// CHECK-NEXT: %[[Y:.*]] = arith.maximumf %[[X]], %[[ZERO]] fastmath<nsz> : f32
// CHECK-NEXT: memref.store %[[Y]], %[[ARENA]][%[[AT]]] : memref<576xf32>
// CHECK-NEXT: }
