// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the checks of all stages share.
#ifndef LIB_DIALECT_PATTERN_ANALYSIS_PROMISES_H
#define LIB_DIALECT_PATTERN_ANALYSIS_PROMISES_H

#include "Pattern/IR/Pattern.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace pconv::pattern {

/// A module whose promises are checked, and how many it has broken so far.
struct Promises {
  explicit Promises(mlir::ModuleOp module);

  /// An error that says which pass keeps the promise that `op` breaks.
  mlir::InFlightDiagnostic complain(mlir::Operation *op, Stage broken);

  /// An entry of pattern.memory.
  std::optional<int64_t> sizeOf(llvm::StringRef name) const;

  WeightsOp weightsOf(Conv2DOp conv) const { return symbols.lookup<WeightsOp>(conv.getWeights()); }

  mlir::ModuleOp module;
  mlir::SymbolTable symbols;
  TargetAttr target;
  mlir::DictionaryAttr memory;
  int64_t faults = 0;
};

/// Stage packed: the layer's weights are in the form that its kernel loop reads. With `walkIndex`,
/// the loop is followed through the index numbers, too: for layers that kept all promises so far.
void checkPacked(Promises &promises, mlir::Operation *layer, bool walkIndex);

/// Stage packed: all packed weights lie in the two data blobs, apart from each other.
void checkBlobs(Promises &promises);

/// Stage placed: what a layer with weights reads and its scratch memory lie inside of the arena.
/// For layers that kept all promises of earlier stages.
void checkReach(Promises &promises, mlir::Operation *layer);

/// Stage placed: all tensors have places in the arena, apart from those that live with them.
void checkPlaces(Promises &promises, mlir::func::FuncOp function);

} // namespace pconv::pattern

#endif // LIB_DIALECT_PATTERN_ANALYSIS_PROMISES_H
