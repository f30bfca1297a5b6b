// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one list of what this compiler knows: Python, pconv-opt and pconv-lsp-server all take it from
// here. It names what the pipelines need of upstream MLIR rather than everything, because all that
// is named here is linked in: the full list makes the library three times as large.
#include "CAPI/Pconv.h"

#include "Pattern/Conversion/Passes.h"
#include "Pattern/Pipelines.h"
#include "Pattern/Transforms/Passes.h"

// Upstream's C interface where it has one: its headers cost next to nothing to compile.
#include "mlir-c/Dialect/Affine.h"
#include "mlir-c/Dialect/Arith.h"
#include "mlir-c/Dialect/Bufferization.h"
#include "mlir-c/Dialect/ControlFlow.h"
#include "mlir-c/Dialect/Func.h"
#include "mlir-c/Dialect/Index.h"
#include "mlir-c/Dialect/LLVM.h"
#include "mlir-c/Dialect/Linalg.h"
#include "mlir-c/Dialect/MLProgram.h"
#include "mlir-c/Dialect/Math.h"
#include "mlir-c/Dialect/MemRef.h"
#include "mlir-c/Dialect/SCF.h"
#include "mlir-c/Dialect/Tensor.h"
#include "mlir-c/Dialect/UB.h"
#include "mlir-c/Dialect/Vector.h"
#include "mlir-c/Transforms.h"
#include "mlir/Dialect/Affine/Transforms/Passes.capi.h.inc"
#include "mlir/Dialect/Arith/Transforms/Passes.capi.h.inc"
#include "mlir/Dialect/Bufferization/Transforms/Passes.capi.h.inc"
#include "mlir/Dialect/Linalg/Passes.capi.h.inc"
#include "mlir/Dialect/Math/Transforms/Passes.capi.h.inc"
#include "mlir/Dialect/MemRef/Transforms/Passes.capi.h.inc"
#include "mlir/Dialect/SCF/Transforms/Passes.capi.h.inc"
#include "mlir/Dialect/Tensor/Transforms/Passes.capi.h.inc"
#include "mlir/Dialect/Vector/Transforms/Passes.capi.h.inc"

#include "mlir/CAPI/IR.h"
#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/BufferizationToMemRef/BufferizationToMemRef.h"
#include "mlir/Conversion/ComplexToLLVM/ComplexToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/ConvertToLLVM/ToLLVMPass.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/TensorToLinalg/TensorToLinalgPass.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Conversion/VectorToSCF/VectorToSCF.h"
#include "mlir/Dialect/Affine/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferDeallocationOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferViewFlowOpInterfaceImpl.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/ControlFlow/Transforms/BufferDeallocationOpInterfaceImpl.h"
#include "mlir/Dialect/ControlFlow/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Func/Extensions/InlinerExtension.h"
#include "mlir/Dialect/LLVMIR/Transforms/InlinerInterfaceImpl.h"
#include "mlir/Dialect/LLVMIR/Transforms/LegalizeForExport.h"
#include "mlir/Dialect/LLVMIR/Transforms/RequestCWrappers.h"
#include "mlir/Dialect/Linalg/Transforms/AllInterfaces.h"
#include "mlir/Dialect/MLProgram/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRefMemorySlot.h"
#include "mlir/Dialect/MemRef/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/AllocationOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/BufferViewFlowOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/RuntimeOpVerification.h"
#include "mlir/Dialect/SCF/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferDeallocationOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorTilingInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/RuntimeOpVerification.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/Transforms/SubsetOpInterfaceImpl.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

using namespace mlir;

/// What a pass finds through an interface and nobody names: without these lines it fails at run
/// time.
static void registerInterfaces(DialectRegistry &registry) {
  linalg::registerAllDialectInterfaceImplementations(registry);
  // Bufferization.
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(registry);
  cf::registerBufferizableOpInterfaceExternalModels(registry);
  ml_program::registerBufferizableOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  vector::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
  vector::registerSubsetOpInterfaceExternalModels(registry);
  arith::registerBufferViewFlowOpInterfaceExternalModels(registry);
  memref::registerBufferViewFlowOpInterfaceExternalModels(registry);
  memref::registerAllocationOpInterfaceExternalModels(registry);
  arith::registerBufferDeallocationOpInterfaceExternalModels(registry);
  cf::registerBufferDeallocationOpInterfaceExternalModels(registry);
  scf::registerBufferDeallocationOpInterfaceExternalModels(registry);
  // Tiling, bounds, inlining, promotion to registers, checks at run time.
  tensor::registerTilingInterfaceExternalModels(registry);
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  affine::registerValueBoundsOpInterfaceExternalModels(registry);
  arith::registerValueBoundsOpInterfaceExternalModels(registry);
  memref::registerValueBoundsOpInterfaceExternalModels(registry);
  scf::registerValueBoundsOpInterfaceExternalModels(registry);
  tensor::registerValueBoundsOpInterfaceExternalModels(registry);
  vector::registerValueBoundsOpInterfaceExternalModels(registry);
  func::registerInlinerExtension(registry);
  LLVM::registerInlinerInterface(registry);
  memref::registerMemorySlotExternalModels(registry);
  memref::registerRuntimeVerifiableOpInterfaceExternalModels(registry);
  tensor::registerRuntimeVerifiableOpInterfaceExternalModels(registry);
  // To the LLVM dialect and on to LLVM IR.
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  registerConvertComplexToLLVMInterface(registry); // linalg and math load that dialect
  registerConvertFuncToLLVMInterface(registry);
  index::registerConvertIndexToLLVMInterface(registry);
  registerConvertMathToLLVMInterface(registry);
  registerConvertMemRefToLLVMInterface(registry);
  ub::registerConvertUBToLLVMInterface(registry);
  vector::registerConvertVectorToLLVMInterface(registry);
  registerConvertToLLVMDependentDialectLoading(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

void pconvRegisterDialects(MlirDialectRegistry registry) {
  const MlirDialectHandle dialects[] = {
      mlirGetDialectHandle__affine__(),        mlirGetDialectHandle__arith__(),
      mlirGetDialectHandle__bufferization__(), mlirGetDialectHandle__cf__(),
      mlirGetDialectHandle__func__(),          mlirGetDialectHandle__index__(),
      mlirGetDialectHandle__linalg__(),        mlirGetDialectHandle__llvm__(),
      mlirGetDialectHandle__math__(),          mlirGetDialectHandle__memref__(),
      mlirGetDialectHandle__ml_program__(),    mlirGetDialectHandle__scf__(),
      mlirGetDialectHandle__tensor__(),        mlirGetDialectHandle__ub__(),
      mlirGetDialectHandle__vector__(),        mlirGetDialectHandle__pattern__()};
  for (MlirDialectHandle dialect : dialects)
    mlirDialectHandleInsertDialect(dialect, registry);
  registerInterfaces(*unwrap(registry));
}

/// Passes one by one, where upstream registers a whole group and that would drag in other targets.
static void registerSinglePasses() {
  using Create = std::unique_ptr<Pass> (*)();
  const Create passes[] = {createArithToLLVMConversionPass,
                           createConvertBufferizationToMemRefPass,
                           createConvertControlFlowToLLVMPass,
                           createConvertFuncToLLVMPass,
                           createConvertIndexToLLVMPass,
                           createConvertMathToLLVMPass,
                           createConvertMathToLibmPass,
                           createConvertTensorToLinalgPass,
                           createConvertToLLVMPass,
                           createConvertVectorToLLVMPass,
                           [] { return createConvertVectorToSCFPass(); },
                           createFinalizeMemRefToLLVMConversionPass,
                           createLowerAffinePass,
                           createReconcileUnrealizedCastsPass,
                           createSCFToControlFlowPass,
                           createSetLLVMModuleDataLayoutPass,
                           createUBToLLVMConversionPass,
                           LLVM::createLLVMLegalizeForExportPass,
                           LLVM::createLLVMRequestCWrappersPass};
  for (Create create : passes)
    registerPass(create);
}

void pconvRegisterPasses(void) {
  mlirRegisterTransformsPasses();
  mlirRegisterAffinePasses();
  mlirRegisterArithPasses();
  mlirRegisterBufferizationPasses();
  mlirRegisterLinalgPasses();
  mlirRegisterMathPasses();
  mlirRegisterMemRefPasses();
  mlirRegisterSCFPasses();
  mlirRegisterTensorPasses();
  mlirRegisterVectorPasses();
  bufferization::registerBufferizationPipelines();
  registerSinglePasses();
  pconv::pattern::registerPatternTransformsPasses();
  pconv::registerPatternConversionPasses();
  pconv::registerPipelines();
}
