// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Folding and canonicalisation. A layer folds away only where input and output have one type: a
// change of layout is work, too.
#include "Pattern/IR/Pattern.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pconv::pattern;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// The activation that was applied last to make `value`, or null. (Pooling that comes after it in
/// one op keeps a value within the range of the function.)
static ActivationAttr getLastActivation(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return {};
  return llvm::TypeSwitch<Operation *, ActivationAttr>(op)
      .Case<ActivateOp, Conv2DOp, LinearOp, AddOp, MulOp>(
          [](auto layer) { return layer.getActivationAttr(); })
      .Default(ActivationAttr());
}

/// Whether `outer` changes nothing on the values that `inner` makes.
static bool isIdentityAfter(Function outer, Function inner) {
  bool atMostSix =
      inner == Function::Relu6 || inner == Function::Sigmoid || inner == Function::Hardsigmoid;
  if (outer == Function::Relu || outer == Function::LeakyRelu)
    return inner == Function::Relu || atMostSix;
  return outer == Function::Relu6 && atMostSix;
}

/// Whether `inner` changes nothing if `outer` comes right after it: relu(leaky_relu(x)) = relu(x).
static bool isHiddenBy(ActivationAttr inner, Function outer) {
  if (outer != Function::Relu && outer != Function::Relu6)
    return false;
  if (inner.getFunction() == Function::LeakyRelu)
    return !inner.getAlpha().getValue().isNegative();
  return inner.getFunction() == Function::Relu;
}

OpFoldResult ActivateOp::fold(FoldAdaptor) {
  Function function = getActivation().getFunction();
  bool sameType = getInput().getType() == getType();
  if (sameType && function == Function::Identity)
    return getInput();
  ActivationAttr last = getLastActivation(getInput());
  if (!last)
    return {};
  if (sameType && isIdentityAfter(function, last.getFunction()))
    return getInput();
  auto inner = getInput().getDefiningOp<ActivateOp>();
  if (!inner || !isHiddenBy(last, function))
    return {};
  getInputMutable().assign(inner.getInput());
  return getResult();
}

/// Takes `activation = identity` off a layer.
template <typename OpTy> static LogicalResult dropIdentity(OpTy op, PatternRewriter &rewriter) {
  if (!op.getActivation() || op.getActivation()->getFunction() != Function::Identity)
    return failure();
  rewriter.modifyOpInPlace(op, [&] { op.removeActivationAttr(); });
  return success();
}

LogicalResult Conv2DOp::canonicalize(Conv2DOp op, PatternRewriter &rewriter) {
  return dropIdentity(op, rewriter);
}

LogicalResult LinearOp::canonicalize(LinearOp op, PatternRewriter &rewriter) {
  return dropIdentity(op, rewriter);
}

LogicalResult AddOp::canonicalize(AddOp op, PatternRewriter &rewriter) {
  return dropIdentity(op, rewriter);
}

LogicalResult MulOp::canonicalize(MulOp op, PatternRewriter &rewriter) {
  return dropIdentity(op, rewriter);
}

//===----------------------------------------------------------------------===//
// Planes
//===----------------------------------------------------------------------===//

/// The input of an op of the same type that reads every element once: then the op does nothing.
template <typename OpTy> static OpFoldResult foldSameType(OpTy op) {
  return op.getInput().getType() == op.getType() ? OpFoldResult(op.getInput()) : OpFoldResult();
}

/// Windows of one cell, and as many as there are cells.
template <typename OpTy> static OpFoldResult foldPool(OpTy op) {
  auto isOne = [](int64_t number) { return number == 1; };
  if (!llvm::all_of(op.getKernel(), isOne) || !llvm::all_of(op.getStrides(), isOne))
    return {};
  return foldSameType(op);
}

OpFoldResult MaxPool2DOp::fold(FoldAdaptor) { return foldPool(*this); }
OpFoldResult AvgPool2DOp::fold(FoldAdaptor) { return foldPool(*this); }
OpFoldResult AdaptiveAvgPool2DOp::fold(FoldAdaptor) { return foldSameType(*this); }
OpFoldResult ResizeOp::fold(FoldAdaptor) { return foldSameType(*this); }

//===----------------------------------------------------------------------===//
// Moving elements
//===----------------------------------------------------------------------===//

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  if (getInputs().size() == 1 && getInputs()[0].getType() == getType())
    return getInputs()[0];
  return {};
}

/// Of two ops that only move elements, the second does the work of both.
template <typename OpTy> static OpFoldResult foldMove(OpTy op) {
  if (OpFoldResult input = foldSameType(op))
    return input;
  auto inner = op.getInput().template getDefiningOp<OpTy>();
  if (!inner)
    return {};
  op.getInputMutable().assign(inner.getInput());
  return op.getResult();
}

OpFoldResult ReshapeOp::fold(FoldAdaptor) { return foldMove(*this); }
OpFoldResult RelayoutOp::fold(FoldAdaptor) { return foldMove(*this); }
