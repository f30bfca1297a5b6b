// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks that the network keeps the promises of a stage.
#include "Pattern/IR/Pattern.h"
#include "Pattern/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_VERIFYSTAGE
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {
struct VerifyStage : pconv::pattern::impl::VerifyStageBase<VerifyStage> {
  using VerifyStageBase::VerifyStageBase;
  void runOnOperation() override {}
};
} // namespace
