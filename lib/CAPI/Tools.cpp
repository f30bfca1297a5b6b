// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The main functions of pconv-opt and pconv-lsp-server. They live in the aggregate, so that the
// programs themselves are tiny.
#include "CAPI/Pconv.h"

#include "mlir/CAPI/IR.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"

static void printVersion(llvm::raw_ostream &out) {
  out << "pconv-mlir " PCONV_VERSION " (MLIR " LLVM_VERSION_STRING ")\n";
}

int pconvOptMain(int argc, char **argv) {
  llvm::cl::SetVersionPrinter(printVersion);
  mlir::DialectRegistry registry;
  pconvRegisterDialects(wrap(&registry));
  pconvRegisterPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "pconv-mlir optimizer driver\n", registry));
}

int pconvLspServerMain(int argc, char **argv) {
  llvm::cl::SetVersionPrinter(printVersion);
  mlir::DialectRegistry registry;
  pconvRegisterDialects(wrap(&registry));
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
