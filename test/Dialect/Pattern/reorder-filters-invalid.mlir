// RUN: pconv-opt %s -verify-diagnostics -pattern-reorder-filters

// Packed weights are stored in the order of their filters: it is too late to change that.
// expected-error @+1 {{expected a network at stage 'reordered' or before, got stage 'packed'}}
module attributes {pattern.stage = "packed"} {
}
