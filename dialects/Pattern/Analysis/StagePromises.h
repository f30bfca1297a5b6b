// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the stages promise.
#ifndef PATTERN_ANALYSIS_STAGEPROMISES_H
#define PATTERN_ANALYSIS_STAGEPROMISES_H

#include "Pattern/IR/Pattern.h"

#include "mlir/IR/BuiltinOps.h"

namespace pconv::pattern {

/// Fails, with a diagnostic for each, on what `module` breaks of the promises of `stage` and of the
/// stages before it.
mlir::LogicalResult verifyStage(mlir::ModuleOp module, Stage stage);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_STAGEPROMISES_H
