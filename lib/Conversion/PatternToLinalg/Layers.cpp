// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dense meaning of layers with weights, and of weights that are made from others.
#include "DenseBuilder.h"
#include "Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace pconv::pattern;

Value DenseBuilder::weight(FlatSymbolRefAttr name) {
  return weights->lookup(SymbolTable::lookupNearestSymbolFrom(layer, name));
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

/// The shape with dimension `dim` cut in two, the first of which has `groups` elements.
static SmallVector<int64_t> splitDimension(ArrayRef<int64_t> shape, int64_t dim, int64_t groups) {
  SmallVector<int64_t> split(shape);
  split[dim] /= groups;
  split.insert(split.begin() + dim, groups);
  return split;
}

/// Which dimensions of a split shape belong together.
static SmallVector<ReassociationIndices> splitGroups(int64_t rank, int64_t dim) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t i = 0, next = 0; i < rank; ++i) {
    groups.push_back({next++});
    if (i == dim)
      groups.back().push_back(next++);
  }
  return groups;
}

static Value split(ImplicitLocOpBuilder &b, Value value, int64_t dim, int64_t groups) {
  ArrayRef<int64_t> shape = shapeOf(value);
  auto type = RankedTensorType::get(splitDimension(shape, dim, groups), b.getF32Type());
  return tensor::ExpandShapeOp::create(b, type, value, splitGroups(shape.size(), dim));
}

Value DenseBuilder::convolveGroups(Conv2DOp op, Value input, Value weights, Value init) {
  int64_t groups = op.getGroups();
  input = split(*this, input, 1, groups);
  weights = split(*this, weights, 0, groups);
  init = split(*this, init, 1, groups);
  Value result = linalg::Conv2DNgchwGfchwOp::create(
                     *this, init.getType(), ValueRange{input, weights}, init,
                     getI64TensorAttr(op.getStrides()), getI64TensorAttr(op.getDilations()))
                     .getResult(0);
  return tensor::CollapseShapeOp::create(*this, result, splitGroups(4, 1));
}

Value DenseBuilder::convolve(Conv2DOp op, Value weights, Value init) {
  Value input = pad(op.getInput(), op.getPadding(), 0);
  if (op.getGroups() > 1)
    return convolveGroups(op, input, weights, init);
  return linalg::Conv2DNchwFchwOp::create(*this, init.getType(), ValueRange{input, weights}, init,
                                          getI64TensorAttr(op.getStrides()),
                                          getI64TensorAttr(op.getDilations()))
      .getResult(0);
}

Value DenseBuilder::lower(Conv2DOp op) {
  Value weights = weight(op.getWeightsAttr());
  SmallVector<int64_t, 4> shape = op.getConvShape(shapeOf(weights));
  Value init = op.getBias() ? broadcastChannels(weight(op.getBiasAttr()), shape) : fill(shape, 0);
  Value result = convolve(op, weights, init);
  if (op.getResidual())
    result = add(result, op.getResidual());
  result = activate(result, op.getActivationAttr());
  return op.getPool() ? pool(result, *op.getPool(), shapeOf(op.getOutput())) : result;
}

//===----------------------------------------------------------------------===//
// Linear layer
//===----------------------------------------------------------------------===//

Value DenseBuilder::lower(LinearOp op) {
  ArrayRef<int64_t> shape = shapeOf(op.getOutput());
  Value init = op.getBias() ? broadcastChannels(weight(op.getBiasAttr()), shape) : fill(shape, 0);
  Value result = linalg::MatmulTransposeBOp::create(
                     *this, getLoc(), TypeRange(init.getType()),
                     ValueRange{op.getInput(), weight(op.getWeightsAttr())}, init)
                     .getResult(0);
  return activate(result, op.getActivationAttr());
}

//===----------------------------------------------------------------------===//
// Batch normalisation
//===----------------------------------------------------------------------===//

Value DenseBuilder::lower(BatchNormOp op) {
  ArrayRef<int64_t> shape = shapeOf(op.getOutput());
  BatchNormAttr norm = op.getParameters();
  SmallVector<AffineMap> maps(5, project(shape.size(), 1));
  maps[0] = getMultiDimIdentityMap(shape.size());
  return map(shape,
             {op.getInput(), weight(norm.getScale()), weight(norm.getShift()),
              weight(norm.getMean()), weight(norm.getVariance())},
             maps, [&](ImplicitLocOpBuilder &b, ValueRange x) {
               return normalizeScalar(b, x, norm.getEpsilon().getValueAsDouble());
             });
}

/// A folded bias is the batch normalisation of the bias; folded weights are only scaled.
Value DenseBuilder::fold(WeightsOp op, const Weights &values) {
  setLoc(op.getLoc());
  layer = op;
  weights = &values;
  ArrayRef<int64_t> shape = op.getShape();
  BatchNormAttr norm = *op.getBatchNorm();
  Value source = op.getSource() ? weight(op.getSourceAttr()) : fill(shape, 0);
  SmallVector<AffineMap> maps(5, project(shape.size(), 0));
  maps[0] = getMultiDimIdentityMap(shape.size());
  double epsilon = norm.getEpsilon().getValueAsDouble();
  if (shape.size() == 1)
    return map(shape,
               {source, weight(norm.getScale()), weight(norm.getShift()), weight(norm.getMean()),
                weight(norm.getVariance())},
               maps, [&](ImplicitLocOpBuilder &b, ValueRange x) {
                 return normalizeScalar(b, x, epsilon);
               });
  return map(shape, {source, weight(norm.getScale()), weight(norm.getVariance())},
             ArrayRef(maps).take_front(3), [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
               return arith::MulFOp::create(b, x[0], scaleFactor(b, x[1], x[2], epsilon));
             });
}
