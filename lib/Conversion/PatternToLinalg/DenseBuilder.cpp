// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pieces that the dense meanings of all layers are made of.
#include "DenseBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace pconv::pattern;

DenseBuilder::DenseBuilder(MLIRContext *context)
    : ImplicitLocOpBuilder(UnknownLoc::get(context), context, this) {}

void DenseBuilder::notifyOperationInserted(Operation *op, InsertPoint) {
  if (auto name = layer ? layer->getAttrOfType<StringAttr>("layer") : StringAttr())
    if (isa<linalg::LinalgOp>(op))
      op->setAttr("pattern.layer", name);
}

Value DenseBuilder::lower(Operation *op, const Weights &values) {
  setInsertionPoint(op);
  setLoc(op->getLoc());
  layer = op;
  weights = &values;
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<Conv2DOp, LinearOp, BatchNormOp, MaxPool2DOp, AvgPool2DOp, AdaptiveAvgPool2DOp,
            ResizeOp, ActivateOp, AddOp, MulOp, ConcatOp, ReshapeOp, SoftmaxOp, RelayoutOp>(
          [&](auto typed) { return lower(typed); })
      .Default(Value());
}

Value DenseBuilder::constant(float value) {
  return arith::ConstantOp::create(*this, getF32FloatAttr(value));
}

Value DenseBuilder::empty(Shape shape) {
  return tensor::EmptyOp::create(*this, shape, getF32Type());
}

Value DenseBuilder::fill(Shape shape, float value) {
  return linalg::FillOp::create(*this, constant(value), empty(shape)).getResult(0);
}

Value DenseBuilder::broadcastChannels(Value vector, Shape shape) {
  SmallVector<int64_t> others;
  for (int64_t dim = 0; dim < static_cast<int64_t>(shape.size()); ++dim)
    if (dim != 1)
      others.push_back(dim);
  return linalg::BroadcastOp::create(*this, vector, empty(shape), others)->getResult(0);
}

Value DenseBuilder::pad(Value plane, Shape padding, float value) {
  if (llvm::all_of(padding, [](int64_t border) { return border == 0; }))
    return plane;
  SmallVector<int64_t> shape(shapeOf(plane));
  shape[2] += padding[0] + padding[2];
  shape[3] += padding[1] + padding[3];
  auto low = getAsIndexOpFoldResult(getContext(), {0, 0, padding[0], padding[1]});
  auto high = getAsIndexOpFoldResult(getContext(), {0, 0, padding[2], padding[3]});
  return tensor::PadOp::create(*this, RankedTensorType::get(shape, getF32Type()), plane, low, high,
                               constant(value));
}

Value DenseBuilder::map(Shape shape, ValueRange inputs, ArrayRef<AffineMap> maps, Body body) {
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(getMultiDimIdentityMap(shape.size()));
  SmallVector<utils::IteratorType> loops(shape.size(), utils::IteratorType::parallel);
  auto build = [&](OpBuilder &nested, Location loc, ValueRange arguments) {
    ImplicitLocOpBuilder builder(loc, nested);
    linalg::YieldOp::create(builder, body(builder, arguments));
  };
  return linalg::GenericOp::create(*this, RankedTensorType::get(shape, getF32Type()), inputs,
                                   empty(shape), allMaps, loops, build)
      .getResult(0);
}

AffineMap DenseBuilder::project(int64_t rank, ArrayRef<unsigned> dims) {
  return AffineMap::getMultiDimMapWithTargets(rank, dims, getContext());
}
