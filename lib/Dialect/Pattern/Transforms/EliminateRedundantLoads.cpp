// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decides which input vectors are loaded once and who uses them.
#include "Pattern/IR/Pattern.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_ELIMINATEREDUNDANTLOADS
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// Deals the cells of a kernel pattern into pairs that lie one below the other (upper cell first)
/// and single cells.
struct PairedCells {
  SmallVector<int32_t> pairs, singles;
};

PairedCells pairCells(ArrayRef<int32_t> cells, int32_t width) {
  PairedCells result;
  llvm::SmallDenseSet<int32_t> left(cells.begin(), cells.end());
  for (int32_t cell : cells) // ascending, so the upper cell of a pair comes first
    if (left.contains(cell) && left.contains(cell + width)) {
      result.pairs.append({cell, cell + width});
      left.erase(cell);
      left.erase(cell + width);
    }
  for (int32_t cell : cells)
    if (left.contains(cell))
      result.singles.push_back(cell);
  return result;
}

/// The cells of every pattern in the order of their use. One loop serves all patterns, so all have
/// as many pairs as the pattern that has fewest.
LoadsAttr planLoads(LibraryAttr library, int64_t mostPairs, LoadScope scope) {
  int32_t width = library.getWidth();
  int64_t pairs = mostPairs;
  for (DenseI32ArrayAttr cells : library.getCells())
    pairs = std::min<int64_t>(pairs, pairCells(cells, width).pairs.size() / 2);
  llvm::MapVector<int32_t, int32_t> loads;
  SmallVector<DenseI32ArrayAttr> uses;
  for (DenseI32ArrayAttr cells : library.getCells()) {
    SmallVector<int32_t> order(cells.asArrayRef());
    if (pairs > 0) {
      PairedCells paired = pairCells(cells, width);
      order = paired.pairs;
      order.append(paired.singles);
    }
    SmallVector<int32_t> list;
    for (int32_t cell : order)
      list.push_back(loads.insert({cell, static_cast<int32_t>(loads.size())}).first->second);
    uses.push_back(DenseI32ArrayAttr::get(library.getContext(), list));
  }
  SmallVector<int32_t> taps;
  for (auto &[cell, number] : loads)
    taps.append({cell / width, cell % width});
  return LoadsAttr::get(library.getContext(), scope,
                        DenseI32ArrayAttr::get(library.getContext(), taps), uses, pairs);
}

/// Pairs that the registers allow: besides the sums, a pair needs one input row and two weights.
int64_t pairsThatFit(TargetAttr target, ScheduleAttr schedule) {
  bool room = schedule.getRows() * schedule.getVectors() + 3 <= target.getRegisters();
  return room && schedule.getRows() > 1 ? 1 : 0;
}

struct EliminateRedundantLoads
    : pconv::pattern::impl::EliminateRedundantLoadsBase<EliminateRedundantLoads> {
  using EliminateRedundantLoadsBase::EliminateRedundantLoadsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    // The packed weights follow the order in which the plan uses them.
    if (failed(checkNotPast(module, Stage::Planned)))
      return signalPassFailure();
    TargetAttr target = getTarget(module);
    if (!target)
      return signalPassFailure();
    WalkResult walk = module.walk([&](Conv2DOp conv) -> WalkResult { return plan(conv, target); });
    if (walk.wasInterrupted())
      return signalPassFailure();
    setStage(module, Stage::Planned);
  }

private:
  LogicalResult plan(Conv2DOp conv, TargetAttr target) const {
    ScheduleAttr schedule = conv.getScheduleAttr();
    if (!schedule)
      return conv.emitOpError("expected a schedule; run pattern-assign-schedules");
    if (schedule.getDataflow() == Dataflow::OutputStationary)
      return success();
    auto weights = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(conv, conv.getWeightsAttr());
    bool staged = schedule.getDataflow() == Dataflow::Staged;
    bool stacked = conv.getStrides()[0] == 1 && conv.getDilations()[0] == 1;
    int64_t pairs = staged && stacked && eliminate ? pairsThatFit(target, schedule) : 0;
    LoadScope scope = staged || !eliminate ? LoadScope::Kernel : LoadScope::Run;
    conv.setLoadsAttr(planLoads(weights.getLibrary(), pairs, scope));
    return success();
  }
};

} // namespace
