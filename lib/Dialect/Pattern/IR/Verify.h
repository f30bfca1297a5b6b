// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks that the verifiers of several ops share.
#ifndef LIB_DIALECT_PATTERN_IR_VERIFY_H
#define LIB_DIALECT_PATTERN_IR_VERIFY_H

#include "Pattern/IR/Pattern.h"

#include <string>

namespace pconv::pattern {

/// "1x3x5x7".
std::string formatShape(mlir::ArrayRef<int64_t> shape);

/// Number of elements of `shape`, or -1 if a dimension or the product is out of bounds or empty.
int64_t countElements(mlir::ArrayRef<int64_t> shape);

/// Fails unless `numbers` are `count` distances in `min` .. maxDistance.
mlir::LogicalResult verifyDistances(mlir::Operation *op, mlir::StringRef name,
                                    mlir::ArrayRef<int64_t> numbers, size_t count, int64_t min);

/// Fails unless both shapes are the same; the message calls them by their names.
mlir::LogicalResult verifySameShape(mlir::Operation *op, mlir::StringRef name,
                                    mlir::ArrayRef<int64_t> shape, mlir::StringRef expectedName,
                                    mlir::ArrayRef<int64_t> expected);

/// Fails unless input and output have rank 4, one batch size and (with `channels`) channel count.
mlir::LogicalResult verifyPlanes(mlir::Operation *op, mlir::RankedTensorType input,
                                 mlir::RankedTensorType output, bool channels);

/// The op of the given kind that `name` refers to; reports and returns null if there is none.
/// `role` says what the name stands for in `op`.
template <typename OpTy>
OpTy lookup(mlir::SymbolTableCollection &symbols, mlir::Operation *op, mlir::FlatSymbolRefAttr name,
            mlir::StringRef role) {
  mlir::Operation *symbol = symbols.lookupNearestSymbolFrom(op, name);
  if (auto found = llvm::dyn_cast_or_null<OpTy>(symbol))
    return found;
  mlir::InFlightDiagnostic error = op->emitOpError("expected ")
                                   << role << " to name a " << OpTy::getOperationName() << ", got "
                                   << name;
  if (!symbol)
    error << ", which is not defined";
  else
    (error << ", which is a " << symbol->getName()).attachNote(symbol->getLoc()) << "defined here";
  return nullptr;
}

/// The `pattern.weights` called `name`, if it has this shape; reports and returns null otherwise.
WeightsOp lookupWeights(mlir::SymbolTableCollection &symbols, mlir::Operation *op,
                        mlir::FlatSymbolRefAttr name, mlir::StringRef role,
                        mlir::ArrayRef<int64_t> shape);

/// Fails unless the four symbols of `parameters` are weights of `size` elements with values of
/// their own (no `batch_norm`).
mlir::LogicalResult verifyBatchNorm(mlir::SymbolTableCollection &symbols, mlir::Operation *op,
                                    BatchNormAttr parameters, int64_t size);

/// Fails unless `packed` (if given) names the packed form of these weights and this bias.
mlir::LogicalResult verifyPacked(mlir::SymbolTableCollection &symbols, mlir::Operation *op,
                                 mlir::FlatSymbolRefAttr packed, mlir::FlatSymbolRefAttr weights,
                                 mlir::FlatSymbolRefAttr bias);

} // namespace pconv::pattern

#endif // LIB_DIALECT_PATTERN_IR_VERIFY_H
