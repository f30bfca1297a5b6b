// RUN: pconv-opt %s -split-input-file -verify-diagnostics -pattern-fuse-layers

// expected-error @+1 {{expected a network at stage 'fused' or before, got stage 'reordered'}}
module attributes {pattern.stage = "reordered"} {
}

// -----

// expected-error @+1 {{expected pattern.stage to name a stage, got "melted"}}
module attributes {pattern.stage = "melted"} {
}

// -----

// expected-error @+1 {{expected pattern.stage to name a stage, got 3 : i64}}
module attributes {pattern.stage = 3 : i64} {
}
