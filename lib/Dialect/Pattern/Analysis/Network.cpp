// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a function has to look like for the passes that store and place its tensors.
#include "Pattern/Analysis/Network.h"

using namespace mlir;
using namespace pconv::pattern;

LogicalResult pconv::pattern::checkNetwork(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitOpError("expected a network in one block, got ")
           << function.getBody().getBlocks().size();
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
    if (!isLayerTensor(type))
      return function.emitOpError("expected a tensor that layers work on as argument ")
             << index << ", got " << type;
  for (Operation &op : function.getBody().front())
    if (!isa_and_nonnull<PatternDialect>(op.getDialect()) && !isa<func::ReturnOp>(op))
      return op.emitOpError("expected only layers of the pattern dialect in a network");
  return success();
}
