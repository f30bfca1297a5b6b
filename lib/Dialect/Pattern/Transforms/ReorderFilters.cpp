// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stores filters that share kernels next to each other.
#include "Pattern/Analysis/FilterSimilarity.h"
#include "Pattern/Analysis/Fkw.h"
#include "Pattern/IR/Pattern.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

#include "llvm/ADT/Sequence.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_REORDERFILTERS
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

struct ReorderFilters : pconv::pattern::impl::ReorderFiltersBase<ReorderFilters> {
  using ReorderFiltersBase::ReorderFiltersBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkNotPast(module, Stage::Reordered)))
      return signalPassFailure();
    module.walk([&](Conv2DOp conv) {
      auto weights = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(conv, conv.getWeightsAttr());
      if (weights.getLibrary())
        conv.setFilterOrder(orderOf(weights, conv.getGroups()));
    });
    setStage(module, Stage::Reordered);
  }

private:
  SmallVector<int32_t> orderOf(WeightsOp weights, int64_t groups) const {
    int64_t filters = weights.getShape()[0];
    if (!reorder)
      return llvm::to_vector(llvm::seq<int32_t>(0, filters));
    return orderFilters(getKernels(weights), filters, groups, similarity);
  }
};

} // namespace
