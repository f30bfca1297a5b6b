// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Verification of the layers that have weights.
#include "Verify.h"

#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace pconv::pattern;

//===----------------------------------------------------------------------===//
// Conv2DOp
//===----------------------------------------------------------------------===//

SmallVector<int64_t, 4> Conv2DOp::getConvShape(ArrayRef<int64_t> weights) {
  ArrayRef<int64_t> input = getInput().getType().getShape();
  SmallVector<int64_t, 4> shape{input[0], weights[0]};
  for (int64_t i : {0, 1})
    shape.push_back(countWindows(input[2 + i], weights[2 + i], getStrides()[i],
                                 getPadding()[i ? 1 : 0] + getPadding()[i ? 3 : 2],
                                 getDilations()[i]));
  return shape;
}

/// C8: `order` holds each of 0 .. filters-1 once.
static LogicalResult verifyFilterOrder(Conv2DOp op, ArrayRef<int32_t> order, int64_t filters) {
  if (static_cast<int64_t>(order.size()) != filters)
    return op.emitOpError("expected ")
           << filters << " numbers in filter_order, got " << order.size();
  llvm::BitVector seen(filters);
  for (int32_t filter : order) {
    if (filter < 0 || filter >= filters)
      return op.emitOpError("expected filter_order in 0..") << filters - 1 << ", got " << filter;
    if (seen.test(filter))
      return op.emitOpError("expected each filter once in filter_order, got ")
             << filter << " twice";
    seen.set(filter);
  }
  return success();
}

LogicalResult Conv2DOp::verify() {
  RankedTensorType output = getOutput().getType();
  if (failed(verifyPlanes(*this, getInput().getType(), output, /*channels=*/false)) ||
      failed(verifyDistances(*this, "strides", getStrides(), 2, 1)) ||
      failed(verifyDistances(*this, "padding", getPadding(), 4, 0)) ||
      failed(verifyDistances(*this, "dilations", getDilations(), 2, 1)))
    return failure();
  if (std::optional<ArrayRef<int32_t>> order = getFilterOrder())
    return verifyFilterOrder(*this, *order, output.getDimSize(1));
  return success();
}

/// C3: channels of input, weights and output.
static LogicalResult verifyChannels(Conv2DOp op, WeightsOp weights) {
  int64_t filters = weights.getShape()[0], channels = weights.getShape()[1];
  int64_t groups = op.getGroups();
  int64_t input = op.getInput().getType().getDimSize(1);
  int64_t output = op.getOutput().getType().getDimSize(1);
  if (groups < 1 || groups > filters || filters % groups != 0)
    return op.emitOpError("expected a positive number of groups that divides the ")
           << filters << " filters, got " << groups;
  if (input != channels * groups)
    return op.emitOpError("expected ") << channels * groups << " input channels (" << channels
                                       << " per kernel, " << groups << " groups), got " << input;
  if (output != filters)
    return op.emitOpError("expected ") << filters << " output channels (filters), got " << output;
  return success();
}

/// C6 and C7: the sizes of output and residual.
static LogicalResult verifySizes(Conv2DOp op, WeightsOp weights) {
  SmallVector<int64_t, 4> shape = op.getConvShape(weights.getShape());
  if (op.getResidual() &&
      failed(verifySameShape(op, "residual", op.getResidual().getType().getShape(),
                             "convolution's result", shape)))
    return failure();
  if (std::optional<PoolAttr> pool = op.getPool())
    for (int64_t i : {0, 1})
      shape[2 + i] = countWindows(shape[2 + i], pool->getKernel()[i], pool->getStrides()[i], 0, 1);
  ArrayRef<int64_t> output = op.getOutput().getType().getShape();
  if (output != ArrayRef(shape))
    return op.emitOpError("expected an output of shape ")
           << formatShape(shape) << ", got " << formatShape(output);
  return success();
}

/// C10: the load plan names every kept cell of every pattern once.
static LogicalResult verifyLoads(Conv2DOp op, LoadsAttr loads, LibraryAttr library) {
  if (!library)
    return op.emitOpError("expected `loads` only with weights of scheme #pattern.kernel, got ")
           << op.getWeightsAttr() << ", which has another";
  ArrayRef<DenseI32ArrayAttr> uses = loads.getUses();
  if (static_cast<int64_t>(uses.size()) != library.size())
    return op.emitOpError("expected uses for the ")
           << library.size() << " kernel patterns of the library, got " << uses.size();
  for (int64_t i = 0, end = loads.getTaps().size(); i < end; i += 2)
    if (loads.getTaps()[i] >= library.getHeight() || loads.getTaps()[i + 1] >= library.getWidth())
      return op.emitOpError("expected taps inside of a ")
             << library.getHeight() << "x" << library.getWidth() << " kernel, got "
             << loads.getTaps()[i] << ", " << loads.getTaps()[i + 1];
  for (auto [index, list] : llvm::enumerate(uses)) {
    SmallVector<int64_t> cells;
    for (int32_t use : list.asArrayRef())
      cells.push_back(loads.getTaps()[2 * use] * library.getWidth() + loads.getTaps()[2 * use + 1]);
    llvm::sort(cells);
    ArrayRef<int32_t> kept = library.getPattern(index + 1);
    if (!llvm::equal(cells, kept)) {
      InFlightDiagnostic diagnostic = op.emitOpError("expected uses that name cells ");
      llvm::interleaveComma(kept, diagnostic);
      diagnostic << " of kernel pattern " << index + 1 << ", got ";
      llvm::interleaveComma(cells, diagnostic);
      return diagnostic;
    }
  }
  return success();
}

LogicalResult Conv2DOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto weights = lookup<WeightsOp>(symbols, *this, getWeightsAttr(), "weights");
  if (!weights)
    return failure();
  if (weights.getShape().size() != 4)
    return emitOpError("expected weights of shape OxIxKHxKW (rank 4), got ")
           << formatShape(weights.getShape());
  if (failed(verifyChannels(*this, weights)) || failed(verifySizes(*this, weights)))
    return failure();
  if (getBias() && !lookupWeights(symbols, *this, getBiasAttr(), "bias", weights.getShape()[0]))
    return failure();
  std::optional<ScheduleAttr> schedule = getSchedule();
  bool sparse = schedule && schedule->getDataflow() != Dataflow::OutputStationary;
  if (sparse && !weights.getLibrary())
    return emitOpError("expected weights of scheme #pattern.kernel for the dataflow ")
           << stringifyDataflow(schedule->getDataflow()) << ", got " << weights.getScheme();
  if (sparse && getGroups() != 1)
    return emitOpError("expected one group for the dataflow ")
           << stringifyDataflow(schedule->getDataflow()) << ", got " << getGroups();
  if (getLoads() && failed(verifyLoads(*this, *getLoads(), weights.getLibrary())))
    return failure();
  return verifyPacked(symbols, *this, getPackedAttr(), getWeightsAttr(), getBiasAttr());
}

//===----------------------------------------------------------------------===//
// LinearOp
//===----------------------------------------------------------------------===//

LogicalResult LinearOp::verify() {
  RankedTensorType input = getInput().getType(), output = getOutput().getType();
  if (input.getRank() != 2 || output.getRank() != 2)
    return emitOpError("expected input and output of rank 2, got rank ")
           << input.getRank() << " and " << output.getRank();
  if (input.getDimSize(0) != output.getDimSize(0))
    return emitOpError("expected one batch size, got ")
           << input.getDimSize(0) << " in the input and " << output.getDimSize(0)
           << " in the output";
  if (getSchedule() && getSchedule()->getDataflow() != Dataflow::OutputStationary)
    return emitOpError("expected the dataflow output_stationary, got ")
           << stringifyDataflow(getSchedule()->getDataflow());
  return success();
}

LogicalResult LinearOp::verifySymbolUses(SymbolTableCollection &symbols) {
  int64_t inputs = getInput().getType().getDimSize(1);
  int64_t outputs = getOutput().getType().getDimSize(1);
  if (!lookupWeights(symbols, *this, getWeightsAttr(), "weights", {outputs, inputs}))
    return failure();
  if (getBias() && !lookupWeights(symbols, *this, getBiasAttr(), "bias", outputs))
    return failure();
  return verifyPacked(symbols, *this, getPackedAttr(), getWeightsAttr(), getBiasAttr());
}

//===----------------------------------------------------------------------===//
// BatchNormOp
//===----------------------------------------------------------------------===//

LogicalResult BatchNormOp::verify() {
  ArrayRef<int64_t> input = getInput().getType().getShape();
  if (input.size() != 2 && input.size() != 4)
    return emitOpError("expected an input of rank 2 or 4, got rank ") << input.size();
  return verifySameShape(*this, "output", getOutput().getType().getShape(), "input", input);
}

LogicalResult BatchNormOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyBatchNorm(symbols, *this, getParameters(), getInput().getType().getDimSize(1))))
    return failure();
  FlatSymbolRefAttr symbol = getPackedAttr();
  if (!symbol)
    return success();
  auto packed = lookup<PackedOp>(symbols, *this, symbol, "packed");
  if (!packed)
    return failure();
  if (packed.getBatchNormAttr() == getParameters())
    return success();
  InFlightDiagnostic error = emitOpError("expected the packed form of these parameters, got ")
                             << symbol;
  error.attachNote(packed.getLoc()) << "defined here";
  return error;
}
