// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which dataflow a convolution runs with.
#include "Pattern/Analysis/Dataflow.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace pconv::pattern;

int64_t pconv::pattern::mostCells(LibraryAttr library) {
  size_t most = 0;
  for (DenseI32ArrayAttr cells : library.getCells())
    most = std::max<size_t>(most, cells.size());
  return most;
}

int64_t pconv::pattern::keptKernels(WeightsOp weights) {
  auto kernels = cast<DenseElementsAttr>(weights.getKernelsAttr());
  return llvm::count_if(kernels.getValues<int8_t>(), [](int8_t kernel) { return kernel != 0; });
}

static WeightsOp weightsOf(Conv2DOp conv) {
  return SymbolTable::lookupNearestSymbolFrom<WeightsOp>(conv, conv.getWeightsAttr());
}

/// A sparse kernel loop does fewer multiplications, each at a higher price.
static bool runsSparse(Conv2DOp conv, WeightsOp weights) {
  LibraryAttr library = weights.getLibrary();
  if (!library || conv.getGroups() != 1)
    return false;
  // Every kept kernel costs its largest pattern, and reading and writing the sums about one cell
  // more; measured, the loop then runs at some two thirds of the dense one's rate.
  double cells = mostCells(library);
  double kept = keptKernels(weights) * 1.5 * (cells + 1);
  return kept < static_cast<double>(weights.getTensorType().getNumElements());
}

Dataflow pconv::pattern::chooseDataflow(Conv2DOp conv, TargetAttr target) {
  if (!runsSparse(conv, weightsOf(conv)))
    return Dataflow::OutputStationary;
  // Where registers are few, the input vectors of a channel would leave no room for a tile.
  return target.getRegisters() < 32 ? Dataflow::Staged : Dataflow::InputStationary;
}

bool pconv::pattern::hasWholeWindows(Conv2DOp conv, TargetAttr target) {
  PoolAttr pool = conv.getPoolAttr();
  auto isTwo = [](int64_t size) { return size == 2; };
  if (pool.getKind() != PoolKind::Max || !llvm::all_of(pool.getKernel().asArrayRef(), isTwo) ||
      !llvm::all_of(pool.getStrides().asArrayRef(), isTwo))
    return false;
  SmallVector<int64_t, 4> shape = conv.getConvShape(weightsOf(conv).getShape());
  return target.getLanes() % 2 == 0 && shape[2] % 2 == 0 && shape[3] % 2 == 0 &&
         shape[3] >= target.getLanes();
}

bool pconv::pattern::poolsInTile(Conv2DOp conv, TargetAttr target) {
  return hasWholeWindows(conv, target) && chooseDataflow(conv, target) == Dataflow::Staged;
}
