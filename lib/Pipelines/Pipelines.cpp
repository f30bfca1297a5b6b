// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The named pipelines: whole ways from a stage of the pattern dialect to a target's dialect.
#include "Pattern/Pipelines.h"

#include "Pattern/Conversion/Passes.h"
#include "Pattern/Transforms/Passes.h"

// One header a conversion: all of mlir/Conversion/Passes.h takes five times as long to compile.
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

/// From the dialects that convert-pattern-to-vector leaves down to the LLVM dialect.
static void addLoweringToLLVM(OpPassManager &manager) {
  manager.addPass(createCanonicalizerPass());
  manager.addPass(createCSEPass());
  manager.addPass(createLoopInvariantCodeMotionPass());
  manager.addPass(createSCFToControlFlowPass());
  manager.addPass(memref::createExpandStridedMetadataPass());
  manager.addPass(createConvertVectorToLLVMPass());
  manager.addPass(createConvertMathToLLVMPass());
  manager.addPass(createFinalizeMemRefToLLVMConversionPass());
  manager.addPass(createArithToLLVMConversionPass());
  manager.addPass(createConvertControlFlowToLLVMPass());
  ConvertFuncToLLVMPassOptions bare;
  bare.useBarePtrCallConv = true; // the steps are called from C, with plain pointers
  manager.addPass(createConvertFuncToLLVMPass(bare));
  manager.addPass(createReconcileUnrealizedCastsPass());
}

namespace {

/// What can be switched off, to measure what it brings.
struct PconvToLLVMOptions : PassPipelineOptions<PconvToLLVMOptions> {
  Option<bool> fuse{*this, "fuse", llvm::cl::desc("Make what follows a layer part of it"),
                    llvm::cl::init(true)};
  Option<bool> reorder{*this, "reorder",
                       llvm::cl::desc("Store filters that share kernels next to each other"),
                       llvm::cl::init(true)};
  Option<bool> eliminateLoads{*this, "eliminate-loads",
                              llvm::cl::desc("Share loads between the kernels of a channel"),
                              llvm::cl::init(true)};
};

} // namespace

static void buildPconvToLLVM(OpPassManager &manager, const PconvToLLVMOptions &options) {
  if (options.fuse)
    manager.addPass(pconv::pattern::createFuseLayers());
  manager.addPass(pconv::pattern::createReorderFilters({options.reorder, /*similarity=*/true}));
  manager.addPass(pconv::pattern::createAssignLayouts());
  manager.addPass(pconv::pattern::createAssignSchedules());
  manager.addPass(pconv::pattern::createEliminateRedundantLoads({options.eliminateLoads}));
  manager.addPass(pconv::pattern::createPackWeights());
  manager.addPass(pconv::pattern::createPlanMemory());
  manager.addPass(pconv::createConvertPatternToVector());
  addLoweringToLLVM(manager);
}

void pconv::registerPipelines() {
  PassPipelineRegistration<PconvToLLVMOptions>(
      "pconv-to-llvm", "Compile an imported network all the way to the LLVM dialect",
      buildPconvToLLVM);
  PassPipelineRegistration<>("pconv-vector-to-llvm",
                             "Lower what convert-pattern-to-vector makes to the LLVM dialect",
                             addLoweringToLLVM);
}
