// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What element-wise layers do to one number. Both directions of the conversion take it from here:
// the way back recognises a layer by comparing with what the way there would have made.
#ifndef LIB_CONVERSION_PATTERNTOLINALG_SCALARS_H
#define LIB_CONVERSION_PATTERNTOLINALG_SCALARS_H

#include "Pattern/IR/Pattern.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace pconv::pattern {

/// activation(x).
mlir::Value activateScalar(mlir::ImplicitLocOpBuilder &b, ActivationAttr activation, mlir::Value x);

/// scale / sqrt(variance + epsilon).
mlir::Value scaleFactor(mlir::ImplicitLocOpBuilder &b, mlir::Value scale, mlir::Value variance,
                        double epsilon);

/// Batch normalisation; `x` is the number, scale, shift, mean and variance.
mlir::Value normalizeScalar(mlir::ImplicitLocOpBuilder &b, mlir::ValueRange x, double epsilon);

} // namespace pconv::pattern

#endif // LIB_CONVERSION_PATTERNTOLINALG_SCALARS_H
