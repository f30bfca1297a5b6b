// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler does to the dialect, in the order of the pipeline.
#ifndef PATTERN_TRANSFORMS_PASSES_TD
#define PATTERN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def VerifyStage : Pass<"pattern-verify-stage", "::mlir::ModuleOp"> {
  let summary = "Check that the network keeps the promises of a stage";
  let options = [Option<"stage", "stage", "std::string", /*default=*/"",
                        "Stage to check; empty: the one named by `pattern.stage`">];
}

#endif // PATTERN_TRANSFORMS_PASSES_TD
