// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which ops can become part of the layer that makes their input.
#include "Pattern/Analysis/Fusion.h"

using namespace mlir;
using namespace pconv::pattern;

/// The op that makes `value` in the block of `user`, if nothing but `user` takes it. It can then
/// make the result of `user`, which `sameType` says has to be stored in the same way.
static Operation *findOnlyFor(Operation *user, Value value, bool sameType = true) {
  Operation *producer = value.getDefiningOp();
  if (!producer || !value.hasOneUse() || producer->getBlock() != user->getBlock() ||
      (sameType && value.getType() != user->getResult(0).getType()))
    return nullptr;
  return producer;
}

/// True for a convolution that only convolves and adds its bias.
static bool isPlain(Conv2DOp conv) {
  return !conv.getResidual() && !conv.getActivation() && !conv.getPool();
}

Operation *pconv::pattern::findFoldableProducer(BatchNormOp norm) {
  Operation *producer = findOnlyFor(norm, norm.getInput());
  if (auto conv = dyn_cast_or_null<Conv2DOp>(producer))
    return isPlain(conv) ? producer : nullptr;
  if (auto linear = dyn_cast_or_null<LinearOp>(producer))
    return linear.getActivation() ? nullptr : producer;
  return nullptr;
}

Conv2DOp pconv::pattern::findResidualProducer(AddOp add) {
  if (add.getLhs().getType() != add.getRhs().getType())
    return {};
  Conv2DOp found;
  for (Value operand : add->getOperands()) {
    auto conv = dyn_cast_or_null<Conv2DOp>(findOnlyFor(add, operand));
    if (conv && isPlain(conv) && (!found || found->isBeforeInBlock(conv)))
      found = conv;
  }
  return found;
}

/// True if x <= y implies f(x) <= f(y).
static bool isMonotone(ActivationAttr activation) {
  switch (activation.getFunction()) {
  case Function::Silu:
  case Function::Hardswish:
    return false;
  case Function::LeakyRelu:
    return activation.getAlpha().getValueAsDouble() >= 0;
  default:
    return true;
  }
}

Operation *pconv::pattern::findActivationProducer(ActivateOp activate) {
  Operation *producer = findOnlyFor(activate, activate.getInput());
  if (!isa_and_nonnull<Conv2DOp, LinearOp, AddOp, MulOp>(producer) ||
      producer->hasAttr("activation"))
    return nullptr;
  if (auto conv = dyn_cast<Conv2DOp>(producer); conv && conv.getPool())
    if (conv.getPool()->getKind() != PoolKind::Max || !isMonotone(activate.getActivation()))
      return nullptr;
  return producer;
}

Conv2DOp pconv::pattern::findPoolingProducer(MaxPool2DOp pool) {
  auto conv = dyn_cast_or_null<Conv2DOp>(findOnlyFor(pool, pool.getInput(), /*sameType=*/false));
  if (!conv || conv.getPool() || pool.getKernel() != pool.getStrides() ||
      llvm::any_of(pool.getPadding(), [](int64_t cells) { return cells != 0; }) ||
      llvm::any_of(pool.getDilations(), [](int64_t step) { return step != 1; }))
    return {};
  for (int64_t i : {0, 1}) {
    int64_t size = pool.getInput().getType().getDimSize(2 + i);
    if (pool.getOutput().getType().getDimSize(2 + i) != size / pool.getKernel()[i])
      return {};
  }
  return conv;
}
