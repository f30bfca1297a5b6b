// RUN: pconv-opt %s -split-input-file -verify-diagnostics -pattern-fuse-layers

// expected-error @+1 {{expected a network at stage 'fused' or before, got stage 'reordered'}}
module attributes {pattern.stage = "reordered"} {
}
