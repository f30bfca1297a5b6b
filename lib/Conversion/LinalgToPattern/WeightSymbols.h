// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which values of a linalg network are weights, and the symbols that stand for them.
#ifndef LIB_CONVERSION_LINALGTOPATTERN_WEIGHTSYMBOLS_H
#define LIB_CONVERSION_LINALGTOPATTERN_WEIGHTSYMBOLS_H

#include "Pattern/IR/Pattern.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SetVector.h"

namespace pconv::pattern {

/// Weights are function arguments with `pattern.weights = @symbol`, and constants.
class WeightSymbols {
public:
  explicit WeightSymbols(mlir::ModuleOp module) : symbols(module) {}

  /// Whether `value` holds weights of this shape, which a symbol can stand for.
  bool isWeights(mlir::Value value, mlir::ArrayRef<int64_t> shape) const;

  /// The symbol that stands for `value`, made when asked for first. A constant without a name of
  /// its own is called after the layer that uses it and its role there. Takes what `isWeights`.
  mlir::FlatSymbolRefAttr get(mlir::Value value, mlir::StringAttr layer, mlir::StringRef role);

  /// Takes the arguments that now have a symbol, and no use, off their functions.
  void eraseArguments();

private:
  mlir::FlatSymbolRefAttr make(mlir::Value value, mlir::StringRef name, mlir::Attribute scheme,
                               mlir::ElementsAttr kernels, mlir::ElementsAttr values);

  mlir::SymbolTable symbols;
  llvm::DenseMap<mlir::Attribute, mlir::FlatSymbolRefAttr> constants; // by value
  llvm::SetVector<mlir::BlockArgument> arguments;
};

} // namespace pconv::pattern

#endif // LIB_CONVERSION_LINALGTOPATTERN_WEIGHTSYMBOLS_H
