// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a function has to look like for the passes that store and place its tensors.
#ifndef PATTERN_ANALYSIS_NETWORK_H
#define PATTERN_ANALYSIS_NETWORK_H

#include "Pattern/IR/Pattern.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace pconv::pattern {

/// Fails, with a diagnostic, unless `function` is one block of layers on tensors of the dialect.
mlir::LogicalResult checkNetwork(mlir::func::FuncOp function);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_NETWORK_H
