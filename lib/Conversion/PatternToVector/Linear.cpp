// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fully connected layers: the sums of a panel of outputs stay in registers.
#include "Layers.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

StepBody pconv::lowerLinear(LinearOp linear, const Layer &layer, TargetAttr target) {
  int64_t lanes = target.getLanes();
  int64_t panel = linear.getScheduleAttr().getFilterBlock(), vectors = panel / lanes;
  int64_t outputs = layer.output.channels, inputs = layer.inputs[0].channels;
  int64_t panels = llvm::divideCeil(outputs, panel);
  PackedOp packed = layer.packed;
  int64_t values = packed.getValues();
  std::optional<int64_t> bias;
  if (packed.getBias())
    bias = values + packed.getValueCount();
  ActivationAttr activation = linear.getActivationAttr();
  Plane in = layer.inputs[0], out = layer.output;

  return {panels * out.batch, [=](StepBuilder &b, Value item) {
            // Images are the inner loop: a panel's weights are read from memory once for all of
            // them.
            Value image = b.rem(item, out.batch), number = b.div(item, out.batch);
            Value weights = b.add(b.mul(number, inputs * panel), values);
            Value input = b.add(b.mul(image, inputs), in.place);
            SmallVector<Value> zeros(vectors, b.vectorOf(0));
            SmallVector<Value> sums =
                b.loop(b.constant(0), b.constant(inputs), zeros, [&](Value i, ValueRange carried) {
                  Value x = b.broadcast(b.load(b.add(input, i)));
                  Value row = b.add(weights, b.mul(i, panel));
                  SmallVector<Value> next;
                  for (auto [v, sum] : llvm::enumerate(carried))
                    next.push_back(b.multiplyAdd(x, b.loadValueVector(b.add(row, v * lanes)), sum));
                  return next;
                });
            // Through scratch memory, since the last panel may be short.
            Value scratch = b.scratch(), first = b.mul(number, panel);
            for (auto [v, sum] : llvm::enumerate(sums)) {
              if (bias) // packed with the padding of the last panel
                sum = arith::AddFOp::create(
                    b, b.getLoc(), sum, b.loadValueVector(b.add(b.add(first, *bias), v * lanes)));
              b.storeVector(b.activate(activation, sum), b.add(scratch, v * lanes));
            }
            Value left = b.sub(b.constant(outputs), first);
            Value count = b.min(b.constant(panel), left);
            Value output = b.add(b.add(b.mul(image, outputs), out.place), first);
            b.loop(b.constant(0), count, 1,
                   [&](Value i) { b.store(b.load(b.add(scratch, i)), b.add(output, i)); });
          }};
}
