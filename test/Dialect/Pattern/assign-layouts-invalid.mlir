// RUN: pconv-opt %s -pattern-assign-layouts -verify-diagnostics -split-input-file

// expected-error @below {{expected a module attribute pattern.target, got none}}
module {}

// -----

// With its border, a tensor may take more than the dialect can count.
module attributes {
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  // expected-error @below {{expected a tensor of at most 2^40 floats with its border, got 1024x1073741824 channels of 80}}
  func.func @main(%x: tensor<1024x1073741824x1x1xf32>) -> tensor<1024x1073741824x1x1xf32> {
    return %x : tensor<1024x1073741824x1x1xf32>
  }
}
