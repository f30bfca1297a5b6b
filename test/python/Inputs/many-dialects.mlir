// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ops of every upstream dialect that the compiler registers, for passes to walk over.
func.func @tensors(%a: tensor<1x3x8x9xf32>, %w: tensor<4x3x3x3xf32>) -> tensor<1x4x6x7xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x4x6x7xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x6x7xf32>) -> tensor<1x4x6x7xf32>
  %conv = linalg.conv_2d_nchw_fchw
      ins(%a, %w : tensor<1x3x8x9xf32>, tensor<4x3x3x3xf32>)
      outs(%filled : tensor<1x4x6x7xf32>) -> tensor<1x4x6x7xf32>
  return %conv : tensor<1x4x6x7xf32>
}

func.func @slices(%t: tensor<?x8xf32>, %i: index) -> (tensor<2x8xf32>, index) {
  %slice = tensor.extract_slice %t[%i, 0] [2, 8] [1, 1] : tensor<?x8xf32> to tensor<2x8xf32>
  %sum = index.add %i, %i
  %poison = ub.poison : f32
  cf.br ^end(%sum : index)
^end(%q: index):
  return %slice, %q : tensor<2x8xf32>, index
}

ml_program.global private @state(dense<0.0> : tensor<4xf32>) : tensor<4xf32>

llvm.func @plain(%p: !llvm.ptr) -> f32 {
  %x = llvm.load %p : !llvm.ptr -> f32
  llvm.return %x : f32
}

func.func @memory(%m: memref<?x8xf32>, %v: vector<8xf32>, %n: index) -> f32 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %heap = memref.alloc() : memref<8xf32>
  %stack = memref.alloca() : memref<f32>
  scf.for %i = %c0 to %n step %c1 {
    %x = vector.load %m[%i, %c0] : memref<?x8xf32>, vector<8xf32>
    %y = vector.fma %x, %v, %x : vector<8xf32>
    %e = math.exp %y : vector<8xf32>
    vector.store %e, %m[%i, %c0] : memref<?x8xf32>, vector<8xf32>
  }
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    %d = memref.dim %m, %c0 : memref<?x8xf32>
    scf.reduce
  }
  affine.for %i = 0 to 8 {
    %q = affine.load %m[%i, %i] : memref<?x8xf32>
    affine.store %q, %heap[%i] : memref<8xf32>
  }
  %sub = memref.subview %m[0, 0] [4, 4] [1, 1]
      : memref<?x8xf32> to memref<4x4xf32, strided<[8, 1]>>
  %k = memref.load %sub[%c1, %c1] : memref<4x4xf32, strided<[8, 1]>>
  memref.store %k, %stack[] : memref<f32>
  %read = vector.transfer_read %m[%c0, %c0], %k : memref<?x8xf32>, vector<4x4xf32>
  %reduced = vector.multi_reduction <add>, %read, %k [0, 1] : vector<4x4xf32> to f32
  %less = arith.cmpf olt, %reduced, %k : f32
  %result = scf.if %less -> f32 {
    %l = memref.load %stack[] : memref<f32>
    scf.yield %l : f32
  } else {
    scf.yield %reduced : f32
  }
  memref.dealloc %heap : memref<8xf32>
  return %result : f32
}
