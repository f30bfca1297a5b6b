// RUN: pconv-opt --help | FileCheck %s --check-prefix=HELP
// RUN: pconv-opt --show-dialects | FileCheck %s --check-prefix=DIALECTS
// RUN: pconv-opt %s | FileCheck %s
// RUN: pconv-opt %s -mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC

// HELP: OVERVIEW: pconv-mlir optimizer driver
// HELP: --convert-linalg-to-pattern
// HELP: --convert-pattern-to-linalg
// HELP: --convert-pattern-to-vector
// HELP: --pattern-assign-layouts
// HELP: --pattern-assign-schedules
// HELP: --pattern-eliminate-redundant-loads
// HELP: --eliminate{{ |=}}
// HELP: --pattern-fuse-layers
// HELP: --pattern-pack-weights
// HELP: --pattern-plan-memory
// HELP: --pattern-reorder-filters
// HELP: --pattern-verify-stage
// HELP: --stage=<string>
// HELP: --pconv-to-llvm
// HELP: --eliminate-loads
// HELP: --fuse
// HELP: --reorder
// HELP: --pconv-vector-to-llvm

// DIALECTS: Available Dialects:
// DIALECTS: linalg
// DIALECTS: pattern

// CHECK: pattern.weights @fc : tensor<5x12xf32>, #pattern.dense
// GENERIC: "pattern.weights"() <{scheme = #pattern.dense, sym_name = "fc", type = tensor<5x12xf32>}> : () -> ()
pattern.weights @fc : tensor<5x12xf32>, #pattern.dense
