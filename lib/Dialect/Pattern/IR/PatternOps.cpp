// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verification of the layers that have no weights.
#include "Verify.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace pconv::pattern;

#define GET_OP_CLASSES
#include "Pattern/IR/PatternOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Pooling and resizing of planes
//===----------------------------------------------------------------------===//

/// One side (height or width) of a pooling window.
namespace {
struct PoolSide {
  StringRef name;
  int64_t input, output, kernel, stride, before, after, dilation;
};
} // namespace

/// C2 (second half) and C3 of the pooling ops along one side.
static LogicalResult verifyPoolSide(Operation *op, const PoolSide &side) {
  int64_t extent = side.dilation * (side.kernel - 1) + 1;
  int64_t padding = std::max(side.before, side.after);
  if (padding > extent / 2)
    return op->emitOpError("expected padding of at most half of the kernel's ")
           << side.name << " (" << extent << "), got " << padding;

  int64_t down =
      countWindows(side.input, side.kernel, side.stride, side.before + side.after, side.dilation);
  int64_t up = countWindows(side.input + side.stride - 1, side.kernel, side.stride,
                            side.before + side.after, side.dilation);
  if (up > down && (up - 1) * side.stride >= side.input + side.before)
    up = down; // the last window would start outside of the input
  if (side.output == down || side.output == up)
    return success();
  InFlightDiagnostic error = op->emitOpError("expected an output ") << side.name << " of " << down;
  if (up != down)
    error << " or " << up;
  return error << ", got " << side.output;
}

static LogicalResult verifyPool(Operation *op, RankedTensorType input, RankedTensorType output,
                                ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides,
                                ArrayRef<int64_t> padding, ArrayRef<int64_t> dilations) {
  if (failed(verifyPlanes(op, input, output, /*channels=*/true)) ||
      failed(verifyDistances(op, "kernel", kernel, 2, 1)) ||
      failed(verifyDistances(op, "strides", strides, 2, 1)) ||
      failed(verifyDistances(op, "padding", padding, 4, 0)) ||
      failed(verifyDistances(op, "dilations", dilations, 2, 1)))
    return failure();
  for (int64_t i : {0, 1})
    if (failed(verifyPoolSide(op, {i ? "width" : "height", input.getDimSize(2 + i),
                                   output.getDimSize(2 + i), kernel[i], strides[i],
                                   padding[i ? 1 : 0], padding[i ? 3 : 2], dilations[i]})))
      return failure();
  return success();
}

LogicalResult MaxPool2DOp::verify() {
  return verifyPool(*this, getInput().getType(), getOutput().getType(), getKernel(), getStrides(),
                    getPadding(), getDilations());
}

LogicalResult AvgPool2DOp::verify() {
  return verifyPool(*this, getInput().getType(), getOutput().getType(), getKernel(), getStrides(),
                    getPadding(), {1, 1});
}

LogicalResult AdaptiveAvgPool2DOp::verify() {
  return verifyPlanes(*this, getInput().getType(), getOutput().getType(), /*channels=*/true);
}

LogicalResult ResizeOp::verify() {
  if (getAlignCorners() && getMode() != ResizeMode::Bilinear)
    return emitOpError("expected align_corners with the mode bilinear only, got ")
           << stringifyResizeMode(getMode());
  return verifyPlanes(*this, getInput().getType(), getOutput().getType(), /*channels=*/true);
}

//===----------------------------------------------------------------------===//
// Element by element
//===----------------------------------------------------------------------===//

LogicalResult ActivateOp::verify() {
  return verifySameShape(*this, "output", getOutput().getType().getShape(), "input",
                         getInput().getType().getShape());
}

static LogicalResult verifyBinary(Operation *op, RankedTensorType lhs, RankedTensorType rhs,
                                  RankedTensorType output) {
  if (failed(verifySameShape(op, "output", output.getShape(), "lhs", lhs.getShape())))
    return failure();
  if (rhs.getRank() != lhs.getRank())
    return op->emitOpError("expected rhs of rank ") << lhs.getRank() << ", got " << rhs.getRank();
  for (auto [index, sizes] : llvm::enumerate(llvm::zip(lhs.getShape(), rhs.getShape()))) {
    auto [left, right] = sizes;
    if (right != left && right != 1)
      return op->emitOpError("expected dimension ")
             << index << " of rhs to be " << left << " or 1, got " << right;
  }
  return success();
}

LogicalResult AddOp::verify() {
  return verifyBinary(*this, getLhs().getType(), getRhs().getType(), getOutput().getType());
}

LogicalResult MulOp::verify() {
  return verifyBinary(*this, getLhs().getType(), getRhs().getType(), getOutput().getType());
}

LogicalResult RelayoutOp::verify() {
  return verifySameShape(*this, "output", getOutput().getType().getShape(), "input",
                         getInput().getType().getShape());
}

//===----------------------------------------------------------------------===//
// Along an axis
//===----------------------------------------------------------------------===//

static LogicalResult verifyAxis(Operation *op, int64_t axis, int64_t rank) {
  if (axis >= 0 && axis < rank)
    return success();
  return op->emitOpError("expected an axis in 0..") << rank - 1 << ", got " << axis;
}

LogicalResult SoftmaxOp::verify() {
  RankedTensorType input = getInput().getType();
  if (failed(verifyAxis(*this, getAxis(), input.getRank())))
    return failure();
  return verifySameShape(*this, "output", getOutput().getType().getShape(), "input",
                         input.getShape());
}

LogicalResult ConcatOp::verify() {
  RankedTensorType output = getOutput().getType();
  int64_t axis = getAxis(), sum = 0;
  if (getInputs().empty())
    return emitOpError("expected at least 1 input, got 0");
  if (failed(verifyAxis(*this, axis, output.getRank())))
    return failure();
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(input.getType()).getShape();
    if (static_cast<int64_t>(shape.size()) != output.getRank())
      return emitOpError("expected input ")
             << index << " to have rank " << output.getRank() << ", got " << shape.size();
    for (int64_t dim = 0; dim < output.getRank(); ++dim)
      if (dim != axis && shape[dim] != output.getDimSize(dim))
        return emitOpError("expected dimension ")
               << dim << " of input " << index << " to be " << output.getDimSize(dim) << ", got "
               << shape[dim];
    sum += shape[axis];
  }
  if (sum != output.getDimSize(axis))
    return emitOpError("expected an output of ")
           << sum << " along axis " << axis << ", got " << output.getDimSize(axis);
  return success();
}

LogicalResult ReshapeOp::verify() {
  int64_t input = getInput().getType().getNumElements();
  int64_t output = getOutput().getType().getNumElements();
  if (input != output)
    return emitOpError("expected an output of ") << input << " elements, got " << output;
  for (RankedTensorType type : {getInput().getType(), getOutput().getType()})
    if (type.getEncoding())
      return emitOpError("expected tensors in plain order, got ") << type;
  return success();
}
