// RUN: pconv-opt %s -pattern-eliminate-redundant-loads -verify-diagnostics -split-input-file

// expected-error @below {{expected a module attribute pattern.target, got none}}
module {}

// -----

// The packed weights follow the order of the uses in the plan.
// expected-error @below {{expected a network at stage 'planned' or before, got stage 'packed'}}
module attributes {pattern.stage = "packed",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {}

// -----

#plane = #pattern.plane<halo = 0, row_stride = 7, channel_stride = 100>
module attributes {pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {
  pattern.weights @w : tensor<2x3x3x3xf32>, #pattern.dense
  func.func @without_schedule(%x: tensor<1x3x5x7xf32, #plane>) -> tensor<1x2x3x5xf32, #plane> {
    // expected-error @below {{expected a schedule; run pattern-assign-schedules}}
    %y = pattern.conv2d %x weights(@w) : tensor<1x3x5x7xf32, #plane> -> tensor<1x2x3x5xf32, #plane>
    return %y : tensor<1x2x3x5xf32, #plane>
  }
}
