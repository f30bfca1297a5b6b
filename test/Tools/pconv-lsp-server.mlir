// RUN: pconv-lsp-server --help | FileCheck %s --check-prefix=HELP
// RUN: pconv-lsp-server --lit-test < %s | FileCheck %s

// HELP: OVERVIEW: MLIR LSP Language Server
// HELP: USAGE: pconv-lsp-server [options]
// HELP: --lit-test

// The server knows the dialect: it says where a weight tensor is defined, and complains of an op
// that breaks a rule.
{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"processId":123,"rootPath":"mlir","capabilities":{},"trace":"off"}}
// CHECK: "id": 0
// CHECK: "capabilities"
// -----
{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"test:///good.mlir","languageId":"mlir","version":1,"text":"pattern.weights @w : tensor<5x12xf32>, #pattern.dense\nfunc.func @f(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {\n%y = pattern.linear %x weights(@w) : tensor<1x12xf32> -> tensor<1x5xf32>\nreturn %y : tensor<1x5xf32>\n}"}}}
// CHECK: "method": "textDocument/publishDiagnostics"
// CHECK: "diagnostics": []
// CHECK: "uri": "test:///good.mlir"
// -----
{"jsonrpc":"2.0","id":1,"method":"textDocument/definition","params":{"textDocument":{"uri":"test:///good.mlir"},"position":{"line":3,"character":8}}}
// CHECK: "id": 1
// CHECK: "line": 2
// -----
{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"test:///bad.mlir","languageId":"mlir","version":1,"text":"pattern.weights @w : tensor<5x12xf32>, #pattern.kernel<#pattern.library<3x3, [[0, 1]]>>"}}}
// CHECK: "method": "textDocument/publishDiagnostics"
// CHECK: "message": "'pattern.weights' op
// CHECK: "uri": "test:///bad.mlir"
// -----
{"jsonrpc":"2.0","id":3,"method":"shutdown"}
// -----
{"jsonrpc":"2.0","method":"exit"}
