// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The main functions of pconv-opt and pconv-lsp-server. They live in the aggregate, so that the
// programs themselves are tiny.
#include "CAPI/Pconv.h"

#include "Pattern/IR/Pattern.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

static void registerDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<pconv::pattern::PatternDialect>();
}

int pconvOptMain(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  mlir::registerAllPasses();
  pconvRegisterPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "pconv-mlir optimizer driver\n", registry));
}

int pconvLspServerMain(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
