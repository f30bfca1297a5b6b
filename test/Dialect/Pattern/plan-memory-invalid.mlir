// RUN: pconv-opt %s -pattern-plan-memory -verify-diagnostics -split-input-file

// expected-error @below {{expected pattern.target, pattern.memory and a function @main; run pattern-pack-weights first}}
module attributes {
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
    return %x : tensor<3xf32>
  }
}

// -----

// expected-error @below {{expected pattern.target, pattern.memory and a function @main; run pattern-pack-weights first}}
module attributes {pattern.memory = {values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @other(%x: tensor<3xf32>) -> tensor<3xf32> {
    return %x : tensor<3xf32>
  }
}

// -----

// expected-error @below {{expected a network at stage 'placed' or before, got stage 'lowered'}}
module attributes {pattern.stage = "lowered"} {}

// -----

module attributes {pattern.memory = {values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  // expected-error @below {{expected a network in one block, got 0}}
  func.func private @main(tensor<3xf32>) -> tensor<3xf32>
}

// -----

module attributes {pattern.memory = {values = 0 : i64, indices = 0 : i64},
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  func.func @main(%x: tensor<3xf32>) -> tensor<3xf32> {
    // expected-error @below {{'arith.negf' op expected only layers of the pattern dialect in a network}}
    %y = arith.negf %x : tensor<3xf32>
    return %y : tensor<3xf32>
  }
}
