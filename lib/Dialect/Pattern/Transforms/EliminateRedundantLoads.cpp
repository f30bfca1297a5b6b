// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Decides which input vectors are loaded once and who uses them.
#include "Pattern/IR/Pattern.h"
#include "Pattern/Transforms/Passes.h"

#include "llvm/ADT/MapVector.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_ELIMINATEREDUNDANTLOADS
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// Names every distinct input row and column that the kernel patterns read from a tile of `rows`
/// output rows, and which of them each kept cell uses for each row.
LoadsAttr planLoads(LibraryAttr library, int64_t rows, int64_t rowStride, LoadScope scope) {
  llvm::MapVector<std::pair<int32_t, int32_t>, int32_t> loads;
  SmallVector<DenseI32ArrayAttr> uses;
  for (DenseI32ArrayAttr cells : library.getCells()) {
    SmallVector<int32_t> list;
    for (int32_t cell : cells.asArrayRef())
      for (int64_t row = 0; row < rows; ++row) {
        std::pair<int32_t, int32_t> tap(cell / library.getWidth() + row * rowStride,
                                        cell % library.getWidth());
        list.push_back(loads.insert({tap, loads.size()}).first->second);
      }
    uses.push_back(DenseI32ArrayAttr::get(library.getContext(), list));
  }
  SmallVector<int32_t> taps;
  for (auto &[tap, number] : loads)
    taps.append({tap.first, tap.second});
  return LoadsAttr::get(library.getContext(), scope,
                        DenseI32ArrayAttr::get(library.getContext(), taps), uses);
}

struct EliminateRedundantLoads
    : pconv::pattern::impl::EliminateRedundantLoadsBase<EliminateRedundantLoads> {
  using EliminateRedundantLoadsBase::EliminateRedundantLoadsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    module.walk([&](Conv2DOp conv) {
      ScheduleAttr schedule = conv.getScheduleAttr();
      if (!schedule || schedule.getDataflow() != Dataflow::InputStationary)
        return;
      auto weights = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(conv, conv.getWeightsAttr());
      conv.setLoadsAttr(planLoads(weights.getLibrary(), schedule.getRows(), conv.getStrides()[0],
                                  eliminate ? LoadScope::Run : LoadScope::Kernel));
    });
    module->setAttr("pattern.stage", StringAttr::get(module.getContext(), "planned"));
  }
};

} // namespace
