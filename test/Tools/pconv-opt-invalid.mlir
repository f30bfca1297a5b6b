// REQUIRES: llvm-tools
// RUN: not pconv-opt %s -pattern-fuse-layer 2>&1 | FileCheck %s --check-prefix=PASS
// RUN: not pconv-opt %s -pattern-fuse-layers=fold=true 2>&1 | FileCheck %s --check-prefix=OPTION
// RUN: not pconv-opt %s -pattern-fuse-layers=pooling=perhaps 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not pconv-opt %s -pconv-to-llvm=tile=3 2>&1 | FileCheck %s --check-prefix=PIPELINE
// RUN: not pconv-opt %s --pass-pipeline='builtin.module(pattern-fuse-layers' 2>&1 | FileCheck %s --check-prefix=BRACKET
// RUN: not pconv-opt %s --pass-pipeline='func.func(pattern-fuse-layers)' 2>&1 | FileCheck %s --check-prefix=ANCHOR
// RUN: not pconv-opt %s.missing 2>&1 | FileCheck %s --check-prefix=FILE
// RUN: not pconv-opt %s -o %t.missing/folder/out.mlir 2>&1 | FileCheck %s --check-prefix=OUT
// RUN: not pconv-lsp-server --no-such-option 2>&1 | FileCheck %s --check-prefix=SERVER
// A mistake on the command line is one message, and nothing is printed as if it had worked.

// PASS: nknown command line argument '-pattern-fuse-layer'
// OPTION: no such option fold
// VALUE: 'perhaps' is invalid value for boolean argument
// PIPELINE: no such option tile
// BRACKET: expected pass pipeline to be wrapped
// ANCHOR: an't add pass 'FuseLayers' restricted to 'builtin.module'
// FILE: cannot open input file
// OUT: cannot open output file
// SERVER: nknown command line argument '--no-such-option'
// PASS-NOT: module {
// OPTION-NOT: module {
// VALUE-NOT: module {
// PIPELINE-NOT: module {
// BRACKET-NOT: module {
// ANCHOR-NOT: module {
module {}
