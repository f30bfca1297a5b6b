// RUN: pconv-opt %s -pconv-vector-to-llvm | FileCheck %s

// Each dialect that convert-pattern-to-vector leaves, once.
// CHECK-LABEL: llvm.func @step
// CHECK-SAME: (%[[BEGIN:.*]]: i64, %[[END:.*]]: i64, %[[ARENA:.*]]: !llvm.ptr {llvm.noalias})
// CHECK-NOT: {{(builtin|func|scf|cf|arith|math|vector|memref)\.[a-z]}}
// CHECK: llvm.br
// CHECK: llvm.icmp "slt"
// CHECK: llvm.cond_br
// CHECK: llvm.load {{.*}} -> vector<4xf32>
// CHECK: "llvm.intr.prefetch"
// CHECK: llvm.intr.fmuladd
// CHECK: llvm.store {{.*}} : vector<4xf32>
// CHECK: llvm.return
func.func @step(%begin: index, %end: index, %arena: memref<512xf32> {llvm.noalias}) {
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  scf.for %i = %begin to %end step %c1 {
    %at = arith.muli %i, %c4 : index
    %x = vector.load %arena[%at] : memref<512xf32>, vector<4xf32>
    memref.prefetch %arena[%at], write, locality<2>, data : memref<512xf32>
    %y = vector.fma %x, %x, %x : vector<4xf32>
    vector.store %y, %arena[%at] : memref<512xf32>, vector<4xf32>
  }
  return
}
