// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a schedule costs in registers, and which places of the input a tile reads.
#include "Pattern/Analysis/Schedule.h"

#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace pconv::pattern;

SmallVector<Tap> pconv::pattern::collectTaps(Conv2DOp conv, LibraryAttr library, int64_t id,
                                             int64_t rows) {
  SmallVector<Tap> taps;
  for (int32_t cell : library.getPattern(id)) {
    int64_t row = cell / library.getWidth() * conv.getDilations()[0];
    int64_t column = cell % library.getWidth() * conv.getDilations()[1];
    for (int64_t y = 0; y < rows; ++y)
      taps.emplace_back(y * conv.getStrides()[0] + row, column);
  }
  return taps;
}

int64_t pconv::pattern::countLiveLoads(Conv2DOp conv, LibraryAttr library, int64_t rows,
                                       LoadScope scope) {
  if (scope == LoadScope::Kernel)
    return 1;
  llvm::SmallDenseSet<Tap, 16> alive;
  size_t most = 0;
  for (int64_t id = 1; id <= library.size(); ++id) {
    if (scope == LoadScope::Run)
      alive.clear();
    for (Tap tap : collectTaps(conv, library, id, rows))
      alive.insert(tap);
    most = std::max<size_t>(most, alive.size());
  }
  return most;
}

int64_t pconv::pattern::registersNeeded(TargetAttr target, ScheduleAttr schedule, Conv2DOp conv,
                                        LibraryAttr library, LoadScope scope) {
  int64_t rows = schedule.getRows(), vectors = schedule.getVectors();
  int64_t scalars = target.getFma() ? 1 : 2;
  if (schedule.getDataflow() == Dataflow::OutputStationary)
    return rows * vectors * (schedule.getFilterBlock() + 1) + scalars;
  if (schedule.getDataflow() == Dataflow::Staged)
    return rows * vectors + 1 + scalars;
  return vectors * (countLiveLoads(conv, library, rows, scope) + rows) + scalars;
}
