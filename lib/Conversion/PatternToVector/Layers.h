// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernel generators: each writes the body of one step.
#ifndef CONVERSION_PATTERNTOVECTOR_LAYERS_H
#define CONVERSION_PATTERNTOVECTOR_LAYERS_H

#include "StepBuilder.h"

namespace pconv {

/// Everything a generator has to know of one layer besides the op.
struct Layer {
  llvm::SmallVector<Plane, 2> inputs; // in the order of the operands
  Plane output;
  // Null for layers without weights. (Op handles are pointers whose accessors are not const.)
  mutable pattern::PackedOp packed;
  mutable pattern::WeightsOp weights;
};

/// The number of independent items of a step, and the code of one item.
struct StepBody {
  int64_t items;
  std::function<void(StepBuilder &, mlir::Value item)> emit;
};

StepBody lowerInputStationaryConv(pattern::Conv2DOp conv, const Layer &layer,
                                  pattern::TargetAttr target);
StepBody lowerStagedConv(pattern::Conv2DOp conv, const Layer &layer, pattern::TargetAttr target);
StepBody lowerOutputStationaryConv(pattern::Conv2DOp conv, const Layer &layer,
                                   pattern::TargetAttr target);
StepBody lowerLinear(pattern::LinearOp linear, const Layer &layer, pattern::TargetAttr target);
StepBody lowerMaxPool(pattern::MaxPool2DOp pool, const Layer &layer);
StepBody lowerAvgPool(pattern::AvgPool2DOp pool, const Layer &layer);
StepBody lowerAdaptiveAvgPool(pattern::AdaptiveAvgPool2DOp pool, const Layer &layer);
StepBody lowerBinary(mlir::Operation *op, const Layer &layer);
StepBody lowerActivate(pattern::ActivateOp op, const Layer &layer);
StepBody lowerBatchNorm(pattern::BatchNormOp op, const Layer &layer);
StepBody lowerConcat(pattern::ConcatOp op, const Layer &layer);
StepBody lowerResize(pattern::ResizeOp op, const Layer &layer);
StepBody lowerSoftmax(pattern::SoftmaxOp op, const Layer &layer);
StepBody lowerRelayout(pattern::RelayoutOp op, const Layer &layer);

} // namespace pconv

#endif // CONVERSION_PATTERNTOVECTOR_LAYERS_H
