// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The C interface.
#include "CAPI/Pconv.h"

#include "Pattern/IR/Pattern.h"
#include "Target/EmitObject.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Registration.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;

MLIR_DEFINE_CAPI_DIALECT_REGISTRATION(Pattern, pattern, pconv::pattern::PatternDialect)

bool pconvEmitObject(MlirOperation module, MlirStringRef triple, MlirStringRef cpu,
                     MlirStringRef features, int optLevel, bool assembly, MlirStringCallback sink,
                     void *userData) {
  pconv::Machine machine{unwrap(triple), unwrap(cpu), unwrap(features)};
  SmallVector<char, 0> bytes;
  if (failed(pconv::emitObject(unwrap(module), machine, optLevel, assembly, bytes)))
    return false;
  sink(mlirStringRefCreate(bytes.data(), bytes.size()), userData);
  return true;
}

static void give(StringRef text, MlirStringCallback sink, void *userData) {
  sink(mlirStringRefCreate(text.data(), text.size()), userData);
}

void pconvHostCpu(MlirStringCallback sink, void *userData) {
  give(llvm::sys::getHostCPUName(), sink, userData);
}

void pconvHostTriple(MlirStringCallback sink, void *userData) {
  give(llvm::sys::getProcessTriple(), sink, userData);
}

void pconvHostFeatures(MlirStringCallback sink, void *userData) {
  SmallVector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features);
  give(llvm::join(features, ","), sink, userData);
}
