// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dense meaning of layers that work element by element or move elements.
#include "DenseBuilder.h"
#include "Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace pconv::pattern;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value DenseBuilder::activate(Value value, ActivationAttr activation) {
  if (!activation || activation.getFunction() == Function::Identity)
    return value;
  return map(
      shapeOf(value), value, getMultiDimIdentityMap(shapeOf(value).size()),
      [&](ImplicitLocOpBuilder &b, ValueRange x) { return activateScalar(b, activation, x[0]); });
}

Value DenseBuilder::lower(ActivateOp op) { return activate(op.getInput(), op.getActivation()); }

//===----------------------------------------------------------------------===//
// Two operands
//===----------------------------------------------------------------------===//

/// The map of an operand whose dimensions of size 1 stand for every element.
static AffineMap broadcastMap(Builder &b, ArrayRef<int64_t> operand, ArrayRef<int64_t> output) {
  SmallVector<AffineExpr> places;
  for (auto [dim, sizes] : llvm::enumerate(llvm::zip(operand, output)))
    places.push_back(std::get<0>(sizes) == std::get<1>(sizes) ? b.getAffineDimExpr(dim)
                                                              : b.getAffineConstantExpr(0));
  return AffineMap::get(output.size(), 0, places, b.getContext());
}

Value DenseBuilder::combine(Value lhs, Value rhs, Body body) {
  ArrayRef<int64_t> shape = shapeOf(lhs);
  return map(shape, {lhs, rhs},
             {getMultiDimIdentityMap(shape.size()), broadcastMap(*this, shapeOf(rhs), shape)},
             body);
}

Value DenseBuilder::add(Value lhs, Value rhs) {
  return combine(lhs, rhs, [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
    return arith::AddFOp::create(b, x[0], x[1]);
  });
}

Value DenseBuilder::lower(AddOp op) {
  return activate(add(op.getLhs(), op.getRhs()), op.getActivationAttr());
}

Value DenseBuilder::lower(MulOp op) {
  Value product =
      combine(op.getLhs(), op.getRhs(), [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        return arith::MulFOp::create(b, x[0], x[1]);
      });
  return activate(product, op.getActivationAttr());
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

Value DenseBuilder::lower(ConcatOp op) {
  ArrayRef<int64_t> shape = shapeOf(op.getOutput());
  Value result = empty(shape);
  SmallVector<OpFoldResult> offsets(shape.size(), getIndexAttr(0));
  SmallVector<OpFoldResult> strides(shape.size(), getIndexAttr(1));
  int64_t offset = 0;
  for (Value input : op.getInputs()) {
    offsets[op.getAxis()] = getIndexAttr(offset);
    auto sizes = getAsIndexOpFoldResult(getContext(), shapeOf(input));
    result = tensor::InsertSliceOp::create(*this, input, result, offsets, sizes, strides);
    offset += shapeOf(input)[op.getAxis()];
  }
  return result;
}

/// The dimensions 0 .. rank-1 as one group.
static SmallVector<ReassociationIndices> allDimensions(size_t rank) {
  return {llvm::to_vector<2>(llvm::seq<int64_t>(0, rank))};
}

Value DenseBuilder::lower(ReshapeOp op) {
  Value row = op.getInput();
  if (shapeOf(row).size() > 1)
    row = tensor::CollapseShapeOp::create(*this, row, allDimensions(shapeOf(row).size()));
  if (op.getType().getRank() == 1)
    return row;
  return tensor::ExpandShapeOp::create(*this, op.getType(), row,
                                       allDimensions(op.getType().getRank()));
}

Value DenseBuilder::lower(SoftmaxOp op) {
  // No upstream pass takes linalg.softmax apart, so that is done here.
  auto softmax = linalg::SoftmaxOp::create(*this, TypeRange(op.getType()), op.getInput(),
                                           empty(op.getType().getShape()), op.getAxis());
  Value result = softmax.decomposeOperation(*this)->front();
  softmax.erase();
  return result;
}

Value DenseBuilder::lower(RelayoutOp op) { return op.getInput(); } // plain on both sides
