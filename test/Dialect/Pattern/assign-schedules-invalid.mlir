// RUN: pconv-opt %s -pattern-assign-schedules -verify-diagnostics -split-input-file

// expected-error @below {{expected a module attribute pattern.target, got none}}
module {}

// -----

// Load plans and packed weights follow a schedule: it cannot change under them.
// expected-error @below {{expected a network at stage 'scheduled' or before, got stage 'planned'}}
module attributes {pattern.stage = "planned",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {}

// -----

// expected-error @below {{expected pattern.stage to name a stage, got "melted"}}
module attributes {pattern.stage = "melted",
    pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, l2 = 524288>} {}
