// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks that the verifiers of several ops share.
#include "Verify.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;
using namespace pconv::pattern;

std::string pconv::pattern::formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  auto print = [&](int64_t size) { ShapedType::isDynamic(size) ? stream << '?' : stream << size; };
  llvm::interleave(shape, stream, print, "x");
  return text;
}

int64_t pconv::pattern::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t size : shape) {
    if (size < 1 || size > maxNumber || count > maxElements / size)
      return -1;
    count *= size;
  }
  return count;
}

bool pconv::pattern::isLayerTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isF32() && tensor.getRank() > 0 &&
         countElements(tensor.getShape()) > 0 &&
         (!tensor.getEncoding() || isa<PlaneAttr>(tensor.getEncoding()));
}

int64_t pconv::pattern::countWindows(int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                                     int64_t dilation) {
  int64_t room = size + padding - dilation * (kernel - 1) - 1;
  return room < 0 ? 0 : room / stride + 1;
}

LogicalResult pconv::pattern::verifyDistances(Operation *op, StringRef name,
                                              ArrayRef<int64_t> numbers, size_t count,
                                              int64_t min) {
  if (numbers.size() != count)
    return op->emitOpError("expected ")
           << count << " numbers in " << name << ", got " << numbers.size();
  for (int64_t number : numbers)
    if (number < min || number > maxDistance)
      return op->emitOpError("expected ")
             << name << " in " << min << ".." << maxDistance << ", got " << number;
  return success();
}

LogicalResult pconv::pattern::verifySameShape(Operation *op, StringRef name,
                                              ArrayRef<int64_t> shape, StringRef expectedName,
                                              ArrayRef<int64_t> expected) {
  if (shape == expected)
    return success();
  return op->emitOpError("expected ")
         << name << " to have the shape of the " << expectedName << " (" << formatShape(expected)
         << "), got " << formatShape(shape);
}

LogicalResult pconv::pattern::verifyPlanes(Operation *op, RankedTensorType input,
                                           RankedTensorType output, bool channels) {
  if (input.getRank() != 4 || output.getRank() != 4)
    return op->emitOpError("expected input and output in NCHW order (rank 4), got rank ")
           << input.getRank() << " and " << output.getRank();
  if (input.getDimSize(0) != output.getDimSize(0))
    return op->emitOpError("expected one batch size, got ")
           << input.getDimSize(0) << " in the input and " << output.getDimSize(0)
           << " in the output";
  if (channels && input.getDimSize(1) != output.getDimSize(1))
    return op->emitOpError("expected one channel count, got ")
           << input.getDimSize(1) << " in the input and " << output.getDimSize(1)
           << " in the output";
  return success();
}

WeightsOp pconv::pattern::lookupWeights(SymbolTableCollection &symbols, Operation *op,
                                        FlatSymbolRefAttr name, StringRef role,
                                        ArrayRef<int64_t> shape) {
  auto found = lookup<WeightsOp>(symbols, op, name, role);
  if (!found || found.getShape() == shape)
    return found;
  InFlightDiagnostic error = op->emitOpError("expected ")
                             << role << " of shape " << formatShape(shape) << ", got "
                             << formatShape(found.getShape());
  error.attachNote(found.getLoc()) << "defined here";
  return nullptr;
}

LogicalResult pconv::pattern::verifyBatchNorm(SymbolTableCollection &symbols, Operation *op,
                                              BatchNormAttr parameters, int64_t size) {
  std::pair<StringRef, FlatSymbolRefAttr> roles[] = {{"scale", parameters.getScale()},
                                                     {"shift", parameters.getShift()},
                                                     {"mean", parameters.getMean()},
                                                     {"variance", parameters.getVariance()}};
  for (auto [role, name] : roles) {
    WeightsOp found = lookupWeights(symbols, op, name, role, size);
    if (!found)
      return failure();
    if (found.getBatchNorm()) {
      InFlightDiagnostic error = op->emitOpError("expected ")
                                 << role << " with values of its own, got " << name
                                 << ", which is made by a batch normalisation";
      error.attachNote(found.getLoc()) << "defined here";
      return error;
    }
  }
  return success();
}

LogicalResult pconv::pattern::verifyPacked(SymbolTableCollection &symbols, Operation *op,
                                           FlatSymbolRefAttr packed, FlatSymbolRefAttr weights,
                                           FlatSymbolRefAttr bias) {
  if (!packed)
    return success();
  auto found = lookup<PackedOp>(symbols, op, packed, "packed");
  if (!found)
    return failure();
  if (found.getWeightsAttr() == weights && found.getBiasAttr() == bias)
    return success();
  auto describe = [](InFlightDiagnostic &error, FlatSymbolRefAttr weights, FlatSymbolRefAttr bias) {
    error << weights;
    if (bias)
      error << " and bias " << bias;
    else
      error << " without bias";
  };
  InFlightDiagnostic error = op->emitOpError("expected the packed form of ");
  describe(error, weights, bias);
  error << ", got that of ";
  describe(error, found.getWeightsAttr(), found.getBiasAttr());
  error.attachNote(found.getLoc()) << "defined here";
  return error;
}
