// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a schedule costs in registers.
#include "Pattern/Analysis/Schedule.h"
#include "Pattern/Analysis/Dataflow.h"

using namespace mlir;
using namespace pconv::pattern;

int64_t pconv::pattern::registersNeeded(Operation *layer, ScheduleAttr schedule,
                                        LibraryAttr library, LoadsAttr loads) {
  int64_t tile = schedule.getRows() * schedule.getVectors(), filters = schedule.getFilterBlock();
  if (isa<LinearOp>(layer))
    return tile + 2;
  switch (schedule.getDataflow()) {
  case Dataflow::InputStationary:
    return loads && loads.getScope() == LoadScope::Kernel
               ? tile + 2
               : tile * (mostCells(library) + 1) + 1; // with an accumulator for each vector
  case Dataflow::Staged:
    return tile + 2 + (loads && loads.getPairs() > 0);
  case Dataflow::OutputStationary:
    return tile * filters + std::min(tile, filters) + 1;
  }
  llvm_unreachable("all dataflows are handled");
}

bool pconv::pattern::fitsRegisters(TargetAttr target, Operation *layer, ScheduleAttr schedule,
                                   LibraryAttr library, LoadsAttr loads) {
  bool smallest = schedule.getDataflow() == Dataflow::InputStationary &&
                  schedule.getRows() * schedule.getVectors() == 1;
  return smallest || registersNeeded(layer, schedule, library, loads) <= target.getRegisters();
}
