// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verification of the weight symbols: pattern.weights and pattern.packed.
#include "Verify.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pconv::pattern;

//===----------------------------------------------------------------------===//
// WeightsOp
//===----------------------------------------------------------------------===//

LibraryAttr WeightsOp::getLibrary() {
  auto kernel = dyn_cast<KernelAttr>(getScheme());
  return kernel ? kernel.getLibrary() : LibraryAttr();
}

/// C2 to C4: which kernel wears which pattern.
static LogicalResult verifyKernels(WeightsOp op) {
  LibraryAttr library = op.getLibrary();
  ElementsAttr kernels = op.getKernelsAttr();
  if (!library && !kernels)
    return success();
  if (!library || !kernels)
    return op.emitOpError("expected `kernels` with the scheme #pattern.kernel and with no other, "
                          "got ")
           << op.getScheme() << (kernels ? " with" : " without") << " kernels";

  ArrayRef<int64_t> shape = op.getShape();
  if (shape.size() != 4)
    return op.emitOpError("expected a tensor of rank 4 for the scheme #pattern.kernel, got rank ")
           << shape.size();
  if (shape[2] != library.getHeight() || shape[3] != library.getWidth())
    return op.emitOpError("expected kernels of the library's size ")
           << library.getHeight() << "x" << library.getWidth() << ", got "
           << formatShape(shape.take_back(2));
  if (shape[0] * shape[1] > maxKernels)
    return op.emitOpError("expected at most ")
           << maxKernels << " kernels, got " << formatShape(shape.take_front(2));
  auto ids = dyn_cast<DenseIntElementsAttr>(kernels);
  if (!ids || !ids.getElementType().isSignlessInteger(8) ||
      ids.getType().getShape() != shape.take_front(2))
    return op.emitOpError("expected `kernels` as a dense tensor<")
           << formatShape(shape.take_front(2)) << "xi8>, got " << kernels.getType()
           << (ids ? "" : " that is not dense");
  for (auto [index, id] : llvm::enumerate(ids.getValues<int8_t>()))
    if (id < 0 || id > library.size())
      return op.emitOpError("expected pattern numbers in 0..")
             << library.size() << ", got " << int(id) << " for kernel (" << index / shape[1] << ", "
             << index % shape[1] << ")";
  return success();
}

LogicalResult WeightsOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!isLayerTensor(getType()) || type.getEncoding())
    return emitOpError("expected a plain f32 tensor of static shape with 1 to 2^40 elements, got ")
           << getType();
  if (failed(verifyKernels(*this)))
    return failure();
  if (getSource() && !getBatchNorm())
    return emitOpError("expected `source` only with `batch_norm`, got source ")
           << getSourceAttr() << " alone";
  if (!getSource() && getBatchNorm() && type.getRank() > 1)
    return emitOpError("expected a `source` for a tensor of rank > 1 with `batch_norm`, got rank ")
           << type.getRank() << " without one";
  return success();
}

/// C7: walks from source to source, and fails where that leads back to the start.
static LogicalResult verifyAcyclic(SymbolTableCollection &symbols, WeightsOp op) {
  llvm::SmallPtrSet<Operation *, 4> seen;
  WeightsOp step = op;
  while (step && step.getSource()) {
    step = symbols.lookupNearestSymbolFrom<WeightsOp>(op, step.getSourceAttr());
    if (step == op)
      return op.emitOpError("expected a tensor that is not made from itself, got source ")
             << op.getSourceAttr() << ", which leads back to @" << op.getSymName();
    if (!seen.insert(step).second)
      break; // a cycle further on: reported there
  }
  return success();
}

LogicalResult WeightsOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (!getBatchNorm())
    return success();
  if (FlatSymbolRefAttr source = getSourceAttr())
    if (!lookupWeights(symbols, *this, source, "source", getShape()))
      return failure();
  if (failed(verifyBatchNorm(symbols, *this, *getBatchNorm(), getShape()[0])))
    return failure();
  return verifyAcyclic(symbols, *this);
}

//===----------------------------------------------------------------------===//
// PackedOp
//===----------------------------------------------------------------------===//

/// C5: what the form panels has and the others have not.
static LogicalResult verifyPanels(PackedOp op) {
  bool panels = op.getForm() == PackForm::Panels;
  std::optional<int64_t> block = op.getFilterBlock();
  if ((block || op.getBatchNorm()) != panels || (block && op.getBatchNorm()))
    return op.emitOpError(
               "expected `filter_block` or `batch_norm` with the form panels and with no "
               "other, got ")
           << stringifyPackForm(op.getForm()) << (block ? " with" : " without")
           << " filter_block and" << (op.getBatchNorm() ? " with" : " without") << " batch_norm";
  if (block && (*block < 1 || *block > maxNumber))
    return op.emitOpError("expected filter_block in 1..") << maxNumber << ", got " << *block;
  return success();
}

LogicalResult PackedOp::verify() {
  bool indexed = getForm() != PackForm::Panels;
  if (indexed != getIndex().has_value() || indexed != getGather().has_value())
    return emitOpError("expected `index` and `gather` with the forms runs and records and with no "
                       "other, got ")
           << stringifyPackForm(getForm()) << (getIndex() ? " with" : " without") << " index and"
           << (getGather() ? " with" : " without") << " gather";
  if (getGather() && getGather()->getNumElements() != static_cast<int64_t>(getValueCount()))
    return emitOpError("expected ") << getValueCount() << " numbers in `gather` (count), got "
                                    << getGather()->getNumElements();
  std::pair<StringRef, std::optional<int64_t>> numbers[] = {{"values", getValues()},
                                                            {"count", getValueCount()},
                                                            {"indices", getIndices()},
                                                            {"index_bytes", getIndexBytes()},
                                                            {"csr_bytes", getCsrBytes()}};
  for (auto [name, number] : numbers)
    if (number && (*number < 0 || *number > maxElements))
      return emitOpError("expected ") << name << " in 0.." << maxElements << ", got " << *number;
  return verifyPanels(*this);
}

/// C4: where the packed values come from.
static LogicalResult verifyGather(PackedOp op, DenseIntElementsAttr gather, WeightsOp weights) {
  int64_t elements = weights.getTensorType().getNumElements();
  auto *numbers = reinterpret_cast<const int32_t *>(gather.getRawData().data());
  int64_t count = gather.getNumElements();
  if (gather.isSplat())
    count = std::min<int64_t>(count, 1);
  for (int64_t i = 0; i < count; ++i)
    if (numbers[i] < -1 || numbers[i] >= elements)
      return op.emitOpError("expected gather in -1..")
             << elements - 1 << ", got " << numbers[i] << " for value " << i;
  return success();
}

/// C5 (second half) and C6: how many values panels of `weights` have.
static LogicalResult verifyPanelCount(PackedOp op, int64_t filterBlock, WeightsOp weights) {
  int64_t filters = weights.getShape()[0], groups = op.getGroups();
  if (groups < 1 || groups > filters || filters % groups != 0)
    return op.emitOpError("expected a positive number of groups that divides the ")
           << filters << " filters, got " << groups;
  uint64_t stored = groups * llvm::alignTo(filters / groups, filterBlock);
  uint64_t count = llvm::SaturatingMultiply<uint64_t>(
      stored, weights.getTensorType().getNumElements() / filters);
  if (op.getValueCount() == count)
    return success();
  return op.emitOpError("expected ") << count << " values in panels of " << filterBlock
                                     << " filters (count), got " << op.getValueCount();
}

/// C6 (second half) and C7: a batch normalisation of its own.
static LogicalResult verifyPackedNorm(SymbolTableCollection &symbols, PackedOp op,
                                      BatchNormAttr parameters, WeightsOp weights) {
  int64_t channels = weights.getTensorType().getNumElements();
  if (parameters.getScale() != op.getWeightsAttr() || op.getBias())
    return op.emitOpError("expected the scale of batch_norm as weights, and no bias, got ")
           << op.getWeightsAttr() << (op.getBias() ? " with" : " without") << " bias";
  if (static_cast<int64_t>(op.getValueCount()) != 2 * channels)
    return op.emitOpError("expected ") << 2 * channels << " values for " << channels
                                       << " channels (count), got " << op.getValueCount();
  return verifyBatchNorm(symbols, op, parameters, channels);
}

LogicalResult PackedOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weights = lookup<WeightsOp>(symbols, *this, getWeightsAttr(), "weights");
  if (!weights)
    return failure();
  FlatSymbolRefAttr bias = getBiasAttr();
  if (bias && !lookupWeights(symbols, *this, bias, "bias", weights.getShape()[0]))
    return failure();
  if (std::optional<BatchNormAttr> parameters = getBatchNorm())
    return verifyPackedNorm(symbols, *this, *parameters, weights);
  if (std::optional<int64_t> filterBlock = getFilterBlock())
    return verifyPanelCount(*this, *filterBlock, weights);
  return verifyGather(*this, *getGather(), weights);
}
