// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How networks enter and leave the pattern dialect.
#ifndef PATTERN_CONVERSION_PASSES_TD
#define PATTERN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertPatternToVector : Pass<"convert-pattern-to-vector", "::mlir::ModuleOp"> {
  let summary = "Lower a placed network to vector, scf and memref";
  let description = [{
    Makes one function a layer, parametric in the lanes, registers and schedule of the target, and
    the function `pconv_network(run, arena, values, indices)`, which hands them to the runtime's
    `pconv_parallel_for` in order. Steps are named in `pattern.steps`, the network's inputs and
    outputs in `pattern.inputs` and `pattern.outputs`.

    *Requires*: stage `placed`. *Ensures*: no op of the pattern dialect is left; stage `lowered`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // PATTERN_CONVERSION_PASSES_TD
