// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers that handle every element by itself, and copies.
#include "Layers.h"
#include "PlaneAccess.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

bool sameRows(const Plane &a, const Plane &b) {
  return a.rowStride == b.rowStride && a.height == b.height && a.width == b.width &&
         a.rowPhases * a.colPhases * b.rowPhases * b.colPhases == 1;
}

/// Room behind the elements for a vector that overruns them: planes have it, plain tensors seldom.
bool hasOverrun(const Plane &plane, int64_t lanes) {
  int64_t end = llvm::alignTo(plane.height * plane.rowStride, lanes);
  return plane.channelStride >= plane.firstElement() + end;
}

Value vectorFrom(StepBuilder &b, const Plane &plane, Value start, Value position) {
  return b.loadVector(b.add(firstElement(b, plane, start), position));
}

int64_t planes(const Layer &layer) { return layer.output.batch * layer.output.channels; }

/// Applies `function` to every element, in vectors where input and output have equal rows.
StepBody unary(const Layer &layer,
               std::function<Value(StepBuilder &, Value item, Value x)> function) {
  Plane in = layer.inputs[0], out = layer.output;
  return {planes(layer), [=](StepBuilder &b, Value item) {
            Value input = planeStart(b, in, item), output = planeStart(b, out, item);
            if (sameRows(in, out) && hasOverrun(in, b.lanes()) && hasOverrun(out, b.lanes()))
              return fillLongRow(b, out, output, [&](Value position) {
                return function(b, item, vectorFrom(b, in, input, position));
              });
            fillPlane(b, out, output, [&](Value y, Value x) {
              return function(b, item, b.load(elementAt(b, in, input, y, x)));
            });
          }};
}

} // namespace

StepBody pconv::lowerActivate(ActivateOp op, const Layer &layer) {
  ActivationAttr activation = op.getActivation();
  return unary(layer, [=](StepBuilder &b, Value, Value x) { return b.activate(activation, x); });
}

/// Copies the planes of `in` to sub-planes of every other column, in pairs of vectors: the last
/// pair overlaps its neighbour, and an odd column at the end goes alone.
static void splitColumns(StepBuilder &b, const Plane &in, Value input, const Plane &out,
                         Value output) {
  int64_t pair = 2 * b.lanes();
  while (pair > in.width)
    pair /= 2;
  clear(b, output, 0, out.channelStride);
  b.loop(0, in.height, 1, [&](Value y) {
    Value row = elementAt(b, in, input, y, b.constant(0));
    auto copyPair = [&](Value x) {
      auto [even, odd] = b.split(b.deinterleave(b.loadVector(b.add(row, x), pair)));
      b.storeVector(even, elementAt(b, out, output, y, x));
      b.storeVector(odd, elementAt(b, out, output, y, b.add(x, 1)));
    };
    int64_t evenWidth = in.width / 2 * 2;
    b.loop(0, evenWidth / pair * pair, pair, copyPair);
    if (evenWidth % pair != 0)
      copyPair(b.constant(evenWidth - pair));
    if (Value last = b.constant(in.width - 1); evenWidth < in.width)
      b.store(b.load(b.add(row, last)), elementAt(b, out, output, y, last));
  });
}

StepBody pconv::lowerRelayout(RelayoutOp, const Layer &layer) {
  Plane in = layer.inputs[0], out = layer.output;
  return {planes(layer), [=](StepBuilder &b, Value item) {
            Value input = planeStart(b, in, item), output = planeStart(b, out, item);
            if (in.colPhases == 1 && in.rowPhases == 1 && out.colPhases == 2 && in.width > 1)
              return splitColumns(b, in, input, out, output);
            fillPlane(b, out, output,
                      [&](Value y, Value x) { return b.load(elementAt(b, in, input, y, x)); });
          }};
}

StepBody pconv::lowerBatchNorm(BatchNormOp, const Layer &layer) {
  // Packed as one scale and one shift per channel.
  PackedOp packed = layer.packed;
  int64_t scales = packed.getValues(), channels = layer.output.channels;
  return unary(layer, [=](StepBuilder &b, Value item, Value x) {
    Value at = b.add(b.rem(item, channels), scales);
    Value scale = b.loadValue(at), shift = b.loadValue(b.add(at, channels));
    if (isa<VectorType>(x.getType())) {
      scale = b.broadcast(scale);
      shift = b.broadcast(shift);
    }
    return b.multiplyAdd(scale, x, shift);
  });
}

StepBody pconv::lowerBinary(Operation *op, const Layer &layer) {
  Plane lhs = layer.inputs[0], rhs = layer.inputs[1], out = layer.output;
  bool isAdd = isa<AddOp>(op);
  auto activation = op->getAttrOfType<ActivationAttr>("activation");
  auto combine = [=](StepBuilder &b, Value x, Value y) -> Value {
    Value result = isAdd ? arith::AddFOp::create(b, b.getLoc(), x, y).getResult()
                         : arith::MulFOp::create(b, b.getLoc(), x, y).getResult();
    return b.activate(activation, result);
  };
  bool channelWise = rhs.height == 1 && rhs.width == 1;
  return {planes(layer), [=](StepBuilder &b, Value item) {
            bool vectors = sameRows(lhs, out) && hasOverrun(lhs, b.lanes()) &&
                           hasOverrun(out, b.lanes()) &&
                           (channelWise || (sameRows(rhs, out) && hasOverrun(rhs, b.lanes())));
            Value left = planeStart(b, lhs, item), output = planeStart(b, out, item);
            // Dimensions of size 1 of the right side are read again and again.
            Value image = rhs.batch == 1 ? b.constant(0) : b.div(item, out.channels);
            Value channel = rhs.channels == 1 ? b.constant(0) : b.rem(item, out.channels);
            Value right = planeStart(b, rhs, b.add(b.mul(image, rhs.channels), channel));
            if (vectors) {
              Value zero = b.constant(0), scalar;
              if (channelWise)
                scalar = b.broadcast(b.load(elementAt(b, rhs, right, zero, zero)));
              return fillLongRow(b, out, output, [&](Value position) {
                Value y = channelWise ? scalar : vectorFrom(b, rhs, right, position);
                return combine(b, vectorFrom(b, lhs, left, position), y);
              });
            }
            fillPlane(b, out, output, [&](Value y, Value x) {
              Value row = rhs.height == 1 ? b.constant(0) : y,
                    column = rhs.width == 1 ? b.constant(0) : x;
              return combine(b, b.load(elementAt(b, lhs, left, y, x)),
                             b.load(elementAt(b, rhs, right, row, column)));
            });
          }};
}

StepBody pconv::lowerConcat(ConcatOp op, const Layer &layer) {
  int64_t axis = op.getAxis();
  SmallVector<Plane> inputs(layer.inputs.begin(), layer.inputs.end());
  Plane out = layer.output;
  if (axis <= 1) // whole planes, one after the other
    return {planes(layer), [=](StepBuilder &b, Value item) {
              Value position = axis == 0 ? b.div(item, out.channels) : b.rem(item, out.channels);
              Value image = b.div(item, out.channels), channel = b.rem(item, out.channels);
              int64_t first = 0;
              for (const Plane &in : inputs) {
                int64_t size = axis == 0 ? in.batch : in.channels, begin = first;
                first += size;
                Value here = b.createOrFold<arith::CmpIOp>(
                    arith::CmpIPredicate::ult, b.add(position, -begin), b.constant(size));
                b.onlyIf(here, [&] {
                  Value number = axis == 0
                                     ? b.add(b.mul(b.add(image, -begin), in.channels), channel)
                                     : b.add(b.mul(image, in.channels), b.add(channel, -begin));
                  Value start = planeStart(b, in, number);
                  fillPlane(b, out, planeStart(b, out, item), [&](Value y, Value x) {
                    return b.load(elementAt(b, in, start, y, x));
                  });
                });
              }
            }};
  return {planes(layer), [=](StepBuilder &b, Value item) { // side by side inside a plane
            fillPlane(b, out, planeStart(b, out, item), [&](Value y, Value x) {
              Value along = axis == 2 ? y : x, result = b.number(0);
              int64_t first = 0;
              for (const Plane &in : inputs) {
                int64_t size = axis == 2 ? in.height : in.width;
                Value local = b.add(along, -first);
                first += size;
                Value here = b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ult, local,
                                                           b.constant(size));
                Value clamped = b.min(b.max(local, b.constant(0)), b.constant(size - 1));
                Value start = planeStart(b, in, item);
                Value value = b.load(axis == 2 ? elementAt(b, in, start, clamped, x)
                                               : elementAt(b, in, start, y, clamped));
                result = arith::SelectOp::create(b, b.getLoc(), here, value, result);
              }
              return result;
            });
          }};
}

StepBody pconv::lowerSoftmax(SoftmaxOp op, const Layer &layer) {
  // Every output element sums its own line again: softmax stands at the end of a network, on few
  // elements, and this form serves all axes.
  int64_t axis = op.getAxis();
  Plane in = layer.inputs[0], out = layer.output;
  return {planes(layer), [=](StepBuilder &b, Value item) {
            Value image = b.div(item, out.channels), channel = b.rem(item, out.channels);
            fillPlane(b, out, planeStart(b, out, item), [&](Value y, Value x) {
              auto at = [&](Value i) {
                Value n = axis == 0 ? i : image, c = axis == 1 ? i : channel;
                Value start = planeStart(b, in, b.add(b.mul(n, in.channels), c));
                return b.load(elementAt(b, in, start, axis == 2 ? i : y, axis == 3 ? i : x));
              };
              auto exponential = [&](Value value, Value largest) -> Value {
                Value shifted = arith::SubFOp::create(b, b.getLoc(), value, largest);
                return math::ExpOp::create(b, b.getLoc(), shifted);
              };
              Value zero = b.constant(0);
              Value size =
                  b.constant(ArrayRef<int64_t>{in.batch, in.channels, in.height, in.width}[axis]);
              Value largest = b.loop(zero, size, at(zero), [&](Value i, ValueRange carried) {
                return SmallVector<Value>{b.maximum(carried[0], at(i))};
              })[0];
              Value sum = b.loop(zero, size, b.number(0), [&](Value i, ValueRange carried) {
                Value term = exponential(at(i), largest);
                return SmallVector<Value>{
                    arith::AddFOp::create(b, b.getLoc(), carried[0], term).getResult()};
              })[0];
              Value own = ArrayRef<Value>{image, channel, y, x}[axis];
              return arith::DivFOp::create(b, b.getLoc(), exponential(at(own), largest), sum)
                  .getResult();
            });
          }};
}
