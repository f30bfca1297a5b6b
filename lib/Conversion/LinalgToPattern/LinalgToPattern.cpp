// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the layers of the dialect in a network of linalg ops.
#include "Rewrites.h"

#include "Pattern/Conversion/Passes.h"
#include "Pattern/IR/Stage.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"

namespace pconv {
#define GEN_PASS_DEF_CONVERTLINALGTOPATTERN
#include "Pattern/Conversion/Passes.h.inc"
} // namespace pconv

using namespace mlir;
using namespace pconv::pattern;

namespace {

struct ConvertLinalgToPattern : pconv::impl::ConvertLinalgToPatternBase<ConvertLinalgToPattern> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkNotPast(module, Stage::Imported)))
      return signalPassFailure();
    WeightSymbols symbols(module);
    raise([&](RewritePatternSet &rewrites) { populateLayerRewrites(rewrites, symbols); });
    raise([&](RewritePatternSet &rewrites) { populateScalarRewrites(rewrites, symbols); });
    raise([&](RewritePatternSet &rewrites) { populateReshapeRewrites(rewrites); });
    eraseDead();
    symbols.eraseArguments();
    if (hasLayers())
      setStage(module, Stage::Imported);
  }

private:
  /// One walk over every function: each op is looked at once, after those that make its operands.
  void raise(llvm::function_ref<void(RewritePatternSet &)> populate) {
    RewritePatternSet rewrites(&getContext());
    populate(rewrites);
    FrozenRewritePatternSet frozen(std::move(rewrites));
    for (auto function : getOperation().getOps<func::FuncOp>())
      walkAndApplyPatterns(function, frozen);
  }

  /// Erases the paddings, fills, broadcasts and constants that layers now stand for.
  void eraseDead() {
    SmallVector<Operation *> ops;
    for (auto function : getOperation().getOps<func::FuncOp>())
      function.walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : llvm::reverse(ops)) // users first, and what is inside of an op before it
      if (isOpTriviallyDead(op))
        op->erase();
  }

  bool hasLayers() {
    WalkResult walk = getOperation().walk([](Operation *op) {
      bool isLayer = isa_and_nonnull<PatternDialect>(op->getDialect());
      return isLayer ? WalkResult::interrupt() : WalkResult::advance();
    });
    return walk.wasInterrupted();
  }
};

} // namespace
