// RUN: pconv-opt %s -split-input-file -verify-diagnostics -pconv-to-llvm

// expected-error @below {{expected a module attribute pattern.target, got none}}
module {
  func.func @main(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
    return %x : tensor<1x4x5x7xf32>
  }
}

// -----

// expected-error @below {{expected pattern.target, pattern.memory and a function @main; run pattern-pack-weights first}}
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @other(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
    return %x : tensor<1x4x5x7xf32>
  }
}

// -----

// expected-error @below {{expected a network at stage 'fused' or before, got stage 'lowered'}}
module attributes {pattern.stage = "lowered",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {}
