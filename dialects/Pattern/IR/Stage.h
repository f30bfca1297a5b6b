// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a module says of its compilation: `pattern.stage`, how far it has come, and
// `pattern.target`.
#ifndef PATTERN_IR_STAGE_H
#define PATTERN_IR_STAGE_H

#include "Pattern/IR/Pattern.h"

#include "mlir/IR/BuiltinOps.h"

namespace pconv::pattern {

/// The stage that `module` names; a module that names none counts as imported. Fails, with a
/// diagnostic, on a name that is no stage.
mlir::FailureOr<Stage> getStage(mlir::ModuleOp module);

/// Every pass that ensures `stage` calls this first: fails, with a diagnostic, on a module that has
/// gone beyond it, because what later passes decided would no longer hold.
mlir::LogicalResult checkNotPast(mlir::ModuleOp module, Stage stage);

void setStage(mlir::ModuleOp module, Stage stage);

/// The machine to make code for, `pattern.target`; null, with a diagnostic, if the module names
/// none.
TargetAttr getTarget(mlir::ModuleOp module);

} // namespace pconv::pattern

#endif // PATTERN_IR_STAGE_H
