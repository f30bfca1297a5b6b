// RUN: pconv-opt %s -pattern-assign-layouts -verify-diagnostics -split-input-file

// expected-error @below {{expected a module attribute pattern.target, got none}}
module {}

// -----

// Planes are laid out once.
// expected-error @below {{expected a network at stage 'reordered' or before, got stage 'laid_out'}}
module attributes {pattern.stage = "laid_out"} {}

// -----

module attributes {
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @other_op(%x: tensor<1x3x5x7xf32>) -> tensor<1x3x5x7xf32> {
    // expected-error @below {{'math.exp' op expected only layers of the pattern dialect in a network}}
    %y = math.exp %x : tensor<1x3x5x7xf32>
    return %y : tensor<1x3x5x7xf32>
  }
}

// -----

module attributes {
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  // expected-error @below {{expected a network in one block, got 2}}
  func.func @two_blocks(%x: tensor<1x3x5x7xf32>) -> tensor<1x3x5x7xf32> {
    cf.br ^next
  ^next:
    return %x : tensor<1x3x5x7xf32>
  }
}

// -----

module attributes {
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  // expected-error @below {{expected a tensor that layers work on as argument 1, got 'i32'}}
  func.func @argument(%x: tensor<1x3x5x7xf32>, %n: i32) -> tensor<1x3x5x7xf32> {
    return %x : tensor<1x3x5x7xf32>
  }
}

// -----

// With its border, a tensor may take more than the dialect can count.
module attributes {
    pattern.target = #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  // expected-error @below {{expected a tensor of at most 2^40 floats with its border, got 1024x1073741824 channels of 80}}
  func.func @main(%x: tensor<1024x1073741824x1x1xf32>) -> tensor<1024x1073741824x1x1xf32> {
    return %x : tensor<1024x1073741824x1x1xf32>
  }
}
