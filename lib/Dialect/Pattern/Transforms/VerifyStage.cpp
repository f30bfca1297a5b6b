// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks that the network keeps the promises of a stage.
#include "Pattern/Analysis/StagePromises.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_VERIFYSTAGE
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

struct VerifyStage : pconv::pattern::impl::VerifyStageBase<VerifyStage> {
  using VerifyStageBase::VerifyStageBase;

  void runOnOperation() override {
    FailureOr<Stage> wanted = stageToCheck();
    if (failed(wanted) || failed(verifyStage(getOperation(), *wanted)))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  FailureOr<Stage> stageToCheck() {
    if (stage.empty())
      return getStage(getOperation());
    if (std::optional<Stage> named = symbolizeStage(stage))
      return *named;
    return getOperation().emitError("expected the option `stage` to name a stage, got '")
           << stage << "'";
  }
};

} // namespace
