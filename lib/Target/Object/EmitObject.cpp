// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the LLVM dialect to machine code, in process.
#include "Target/EmitObject.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Target/TargetOptions.h"

using namespace mlir;

/// Tells LLVM's registry of the back ends. Not InitializeAll...: that names every back end of the
/// LLVM that we were built with, and each is 3 to 10 MB.
static void initializeBackEnds() {
#define PCONV_BACK_END(NAME)                                                                       \
  LLVMInitialize##NAME##TargetInfo();                                                              \
  LLVMInitialize##NAME##Target();                                                                  \
  LLVMInitialize##NAME##TargetMC();                                                                \
  LLVMInitialize##NAME##AsmPrinter();
  static const bool done = [] {
    PCONV_BACK_END(X86)
    PCONV_BACK_END(AArch64)
    PCONV_BACK_END(ARM)
    return true;
  }();
#undef PCONV_BACK_END
  (void)done;
}

/// Runs LLVM's optimizer for this machine. Kernels come from us unrolled and in vectors, so that
/// the stock pipelines find nothing to gain in them, but take several times as long as all the rest
/// of a compilation. What is left to do is to clean up, and to turn loops over single elements
/// (pooling, copies) into vectors.
static llvm::Error optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  constexpr llvm::StringLiteral kPasses =
      "function(early-cse,simplifycfg,loop-simplify,lcssa,loop(loop-rotate,indvars),loop-vectorize,"
      "early-cse,instcombine<no-verify-fixpoint>,simplifycfg)";
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, kPasses))
    return error;
  passes.run(module, modules);
  return llvm::Error::success();
}

LogicalResult pconv::emitObject(Operation *op, const Machine &wanted, int optLevel, bool assembly,
                                llvm::SmallVectorImpl<char> &out) {
  initializeBackEnds();
  // Harmless when repeated; a context may come without these interfaces.
  registerBuiltinDialectTranslation(*op->getContext());
  registerLLVMDialectTranslation(*op->getContext());

  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(op, context, "pconv");
  if (!module)
    return op->emitError("cannot be translated to LLVM IR");

  std::string problem;
  llvm::Triple triple(wanted.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target)
    return op->emitError(problem);
  auto effort = optLevel >= 3 ? llvm::CodeGenOptLevel::Aggressive : llvm::CodeGenOptLevel::Default;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, wanted.cpu, wanted.features, llvm::TargetOptions(),
                                  llvm::Reloc::PIC_, std::nullopt, effort));
  if (!machine)
    return op->emitError("LLVM has no machine for ") << wanted.triple;

  module->setTargetTriple(triple);
  module->setDataLayout(machine->createDataLayout());
  for (llvm::Function &function : *module) {
    if (function.isDeclaration())
      continue;
    // The optimizer asks the function, not the machine, what it may use.
    if (!wanted.cpu.empty())
      function.addFnAttr("target-cpu", wanted.cpu);
    if (!wanted.features.empty())
      function.addFnAttr("target-features", wanted.features);
  }
  if (optLevel > 0)
    if (llvm::Error error = optimize(*module, *machine))
      return op->emitError(llvm::toString(std::move(error)));

  llvm::raw_svector_ostream stream(out);
  llvm::legacy::PassManager emitter;
  auto kind = assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if (machine->addPassesToEmitFile(emitter, stream, nullptr, kind))
    return op->emitError("this machine cannot write that kind of file");
  emitter.run(*module);
  return success();
}
