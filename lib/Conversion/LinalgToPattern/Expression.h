// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the body of a linalg op computes, as text that can be compared.
#ifndef LIB_CONVERSION_LINALGTOPATTERN_EXPRESSION_H
#define LIB_CONVERSION_LINALGTOPATTERN_EXPRESSION_H

#include "Pattern/IR/Pattern.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <string>

namespace pconv::pattern {

/// The number that `body` yields, in terms of its arguments x0, x1, ...: "arith.addf(x0, x1)".
/// Operands of commutative ops are sorted. Empty if the body is too large, or depends on more than
/// its arguments and constants.
std::string expressionOf(mlir::Block &body);

/// The same of what `build` makes from `arguments` numbers.
using BuildNumber = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;
std::string expressionOf(mlir::MLIRContext *context, unsigned arguments, BuildNumber build);

/// The constants that `body` uses.
llvm::SmallVector<mlir::FloatAttr> constantsOf(mlir::Block &body);

} // namespace pconv::pattern

#endif // LIB_CONVERSION_LINALGTOPATTERN_EXPRESSION_H
