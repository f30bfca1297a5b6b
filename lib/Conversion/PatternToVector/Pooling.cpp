// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling and resizing of planes.
#include "Layers.h"
#include "PlaneAccess.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

/// The rows (or columns) from .. to of the input that one window covers.
struct Span {
  Value from, to;
};

using ElementOf = std::function<Value(StepBuilder &, Value input, Value y, Value x)>;

/// A step whose items are planes, each output element made by itself; in a box, by `inner`.
StepBody perElement(const Layer &layer, const Box &box, ElementOf inner, ElementOf outer) {
  return {layer.output.batch * layer.output.channels,
          [layer, box, inner, outer](StepBuilder &b, Value item) {
            Value input = planeStart(b, layer.inputs[0], item);
            fillPlane(
                b, layer.output, planeStart(b, layer.output, item), box,
                [&](Value y, Value x) { return inner(b, input, y, x); },
                [&](Value y, Value x) { return outer(b, input, y, x); });
          }};
}

StepBody perElement(const Layer &layer, ElementOf element) {
  return perElement(layer, {}, element, element);
}

/// Folds `combine(sum, value)` over the cells of a window.
Value reduce(StepBuilder &b, const Plane &plane, Value input, Span rows, Span columns, Value start,
             llvm::function_ref<Value(Value, Value)> combine) {
  return b.loop(rows.from, rows.to, start, [&](Value y, ValueRange outer) {
    return b.loop(columns.from, columns.to, outer, [&](Value x, ValueRange inner) {
      Value value = b.load(elementAt(b, plane, input, y, x));
      return SmallVector<Value>{combine(inner[0], value)};
    });
  })[0];
}

Value toFloat(StepBuilder &b, Value index) {
  Value number = arith::IndexCastOp::create(b, b.getLoc(), b.getI32Type(), index);
  return arith::SIToFPOp::create(b, b.getLoc(), b.getF32Type(), number);
}

Value plus(StepBuilder &b, Value x, Value y) { return arith::AddFOp::create(b, b.getLoc(), x, y); }
Value times(StepBuilder &b, Value x, Value y) { return arith::MulFOp::create(b, b.getLoc(), x, y); }
Value minus(StepBuilder &b, Value x, Value y) { return arith::SubFOp::create(b, b.getLoc(), x, y); }
Value over(StepBuilder &b, Value x, Value y) { return arith::DivFOp::create(b, b.getLoc(), x, y); }

/// The window of output row `at`, cut to 0 .. size.
Span window(StepBuilder &b, Value at, int64_t stride, int64_t padding, int64_t extent,
            int64_t size) {
  Value from = b.add(b.mul(at, stride), -padding);
  return {b.max(from, b.constant(0)), b.min(b.add(from, extent), b.constant(size))};
}

/// Windows of a pooling.
struct Windows {
  SmallVector<int64_t> kernel, strides, padding, dilations;

  /// The output elements whose windows lie wholly inside of the input. None where their cells are
  /// not to be unrolled: those of a large window would be much code, those of phases lie scattered.
  Box inside(const Layer &layer) const {
    constexpr int64_t kMostUnrolled = 1024;
    const Plane &in = layer.inputs[0], &out = layer.output;
    if (in.rowPhases * in.colPhases != 1 || kernel[0] * kernel[1] > kMostUnrolled)
      return {};
    auto [top, bottom] = inside(0, in.height, out.height);
    auto [left, right] = inside(1, in.width, out.width);
    if (top >= bottom || left >= right)
      return {};
    return {top, bottom, left, right};
  }

  /// Folds all cells of a window that lies inside of the input. Without tests and loops, so that
  /// LLVM makes vectors of it.
  Value unrolled(StepBuilder &b, const Plane &in, Value input, Value y, Value x,
                 function_ref<Value(Value, Value)> combine) const {
    Value first = elementAt(b, in, input, b.add(b.mul(y, strides[0]), -padding[0]),
                            b.add(b.mul(x, strides[1]), -padding[1]));
    Value result;
    for (int64_t r = 0; r < kernel[0]; ++r)
      for (int64_t s = 0; s < kernel[1]; ++s) {
        Value cell = b.load(b.add(first, r * dilations[0] * in.rowStride + s * dilations[1]));
        result = result ? combine(result, cell) : cell;
      }
    return result;
  }

private:
  /// The same along one axis: from, to.
  std::pair<int64_t, int64_t> inside(int64_t axis, int64_t size, int64_t outputs) const {
    int64_t extent = (kernel[axis] - 1) * dilations[axis] + 1;
    int64_t room = size + padding[axis] - extent; // where the last window may begin
    int64_t to = room < 0 ? 0 : room / strides[axis] + 1;
    return {llvm::divideCeil(padding[axis], strides[axis]), std::min(to, outputs)};
  }
};

} // namespace

StepBody pconv::lowerMaxPool(MaxPool2DOp pool, const Layer &layer) {
  Windows windows{SmallVector<int64_t>(pool.getKernel()), SmallVector<int64_t>(pool.getStrides()),
                  SmallVector<int64_t>(pool.getPadding()),
                  SmallVector<int64_t>(pool.getDilations())};
  Plane in = layer.inputs[0];
  auto inner = [=](StepBuilder &b, Value input, Value y, Value x) {
    return windows.unrolled(b, in, input, y, x, [&](Value a, Value c) { return b.maximum(a, c); });
  };
  auto outer = [=](StepBuilder &b, Value input, Value y, Value x) {
    auto &[kernel, strides, padding, dilations] = windows;
    Value zero = b.constant(0);
    Value lowest = b.number(-std::numeric_limits<float>::infinity());
    return b.loop(zero, b.constant(kernel[0]), lowest, [&](Value r, ValueRange outer) {
      return b.loop(zero, b.constant(kernel[1]), outer, [&](Value s, ValueRange inner) {
        Value row = b.add(b.add(b.mul(y, strides[0]), b.mul(r, dilations[0])), -padding[0]);
        Value column = b.add(b.add(b.mul(x, strides[1]), b.mul(s, dilations[1])), -padding[1]);
        // Clamped cells lie in the window too, unless the window has no cell there at all.
        auto inside = [&](Value at, int64_t size) {
          return b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::ult, at, b.constant(size));
        };
        Value both =
            arith::AndIOp::create(b, b.getLoc(), inside(row, in.height), inside(column, in.width));
        auto clamp = [&](Value at, int64_t size) {
          return b.min(b.max(at, zero), b.constant(size - 1));
        };
        Value value =
            b.load(elementAt(b, in, input, clamp(row, in.height), clamp(column, in.width)));
        Value larger = b.maximum(inner[0], value);
        return SmallVector<Value>{arith::SelectOp::create(b, b.getLoc(), both, larger, inner[0])};
      });
    })[0];
  };
  return perElement(layer, windows.inside(layer), inner, outer);
}

StepBody pconv::lowerAvgPool(AvgPool2DOp pool, const Layer &layer) {
  Windows windows{SmallVector<int64_t>(pool.getKernel()),
                  SmallVector<int64_t>(pool.getStrides()),
                  SmallVector<int64_t>(pool.getPadding()),
                  {1, 1}};
  bool countPadding = pool.getCountPadding();
  Plane in = layer.inputs[0];
  auto inner = [=](StepBuilder &b, Value input, Value y, Value x) {
    Value sum =
        windows.unrolled(b, in, input, y, x, [&](Value a, Value c) { return plus(b, a, c); });
    return over(b, sum, b.number(windows.kernel[0] * windows.kernel[1]));
  };
  auto outer = [=](StepBuilder &b, Value input, Value y, Value x) {
    auto &[kernel, strides, padding, dilations] = windows;
    Span rows = window(b, y, strides[0], padding[0], kernel[0], in.height);
    Span columns = window(b, x, strides[1], padding[1], kernel[1], in.width);
    Value sum = reduce(b, in, input, rows, columns, b.number(0),
                       [&](Value a, Value c) { return plus(b, a, c); });
    auto extent = [&](Span span) { return b.sub(span.to, span.from); };
    Span countedRows = rows, countedColumns = columns;
    if (countPadding) {
      // Cells of the padding count, those that only rounding up adds do not.
      auto padded = [&](Value at, int64_t stride, int64_t before, int64_t after, int64_t size,
                        int64_t cells) -> Span {
        Value from = b.add(b.mul(at, stride), -before);
        return {from, b.min(b.add(from, cells), b.constant(size + after))};
      };
      countedRows = padded(y, strides[0], padding[0], padding[2], in.height, kernel[0]);
      countedColumns = padded(x, strides[1], padding[1], padding[3], in.width, kernel[1]);
    }
    return over(b, sum, toFloat(b, b.mul(extent(countedRows), extent(countedColumns))));
  };
  return perElement(layer, windows.inside(layer), inner, outer);
}

StepBody pconv::lowerAdaptiveAvgPool(AdaptiveAvgPool2DOp, const Layer &layer) {
  Plane in = layer.inputs[0], out = layer.output;
  return perElement(layer, [=](StepBuilder &b, Value input, Value y, Value x) {
    auto cell = [&](Value at, int64_t size, int64_t cells) -> Span {
      Value end = b.add(b.mul(b.add(at, 1), size), cells - 1);
      return {b.div(b.mul(at, size), cells), b.div(end, cells)};
    };
    Span rows = cell(y, in.height, out.height), columns = cell(x, in.width, out.width);
    Value sum = reduce(b, in, input, rows, columns, b.number(0),
                       [&](Value a, Value c) { return plus(b, a, c); });
    auto extent = [&](Span span) { return b.sub(span.to, span.from); };
    return over(b, sum, toFloat(b, b.mul(extent(rows), extent(columns))));
  });
}

//===----------------------------------------------------------------------===//
// Resizing
//===----------------------------------------------------------------------===//

namespace {

/// The two neighbours of a sampling point and the weight of the second.
struct Sample {
  Value low, high, weight;
};

Sample sampleAt(StepBuilder &b, Value at, int64_t size, int64_t cells, bool alignCorners) {
  Value point;
  if (alignCorners) {
    double scale = cells > 1 ? double(size - 1) / (cells - 1) : 0;
    point = times(b, toFloat(b, at), b.number(scale));
  } else {
    Value centre = plus(b, toFloat(b, at), b.number(0.5));
    point = minus(b, times(b, centre, b.number(double(size) / cells)), b.number(0.5));
  }
  // Rounding may not take the point out of the plane, nor out of 32 bits (2^31 - 128 is the last
  // float that fits).
  point = b.maximum(point, b.number(0));
  point = arith::MinimumFOp::create(b, b.getLoc(), point,
                                    b.number(std::min<double>(size - 1, 2147483520.0)));
  Value whole = arith::FPToSIOp::create(b, b.getLoc(), b.getI32Type(), point);
  Value low = arith::IndexCastOp::create(b, b.getLoc(), b.getIndexType(), whole);
  low = b.min(low, b.constant(size - 1));
  Value weight = minus(b, point, toFloat(b, low));
  return {low, b.min(b.add(low, 1), b.constant(size - 1)), weight};
}

Value blend(StepBuilder &b, Value low, Value high, Value weight) {
  return plus(b, low, times(b, weight, minus(b, high, low)));
}

} // namespace

StepBody pconv::lowerResize(ResizeOp op, const Layer &layer) {
  Plane in = layer.inputs[0], out = layer.output;
  if (op.getMode() == ResizeMode::Nearest)
    return perElement(layer, [=](StepBuilder &b, Value input, Value y, Value x) {
      Value row = b.div(b.mul(y, in.height), out.height);
      Value column = b.div(b.mul(x, in.width), out.width);
      return b.load(elementAt(b, in, input, row, column));
    });
  bool alignCorners = op.getAlignCorners();
  return perElement(layer, [=](StepBuilder &b, Value input, Value y, Value x) {
    Sample row = sampleAt(b, y, in.height, out.height, alignCorners);
    Sample column = sampleAt(b, x, in.width, out.width, alignCorners);
    auto at = [&](Value r, Value c) { return b.load(elementAt(b, in, input, r, c)); };
    Value upper = blend(b, at(row.low, column.low), at(row.low, column.high), column.weight);
    Value lower = blend(b, at(row.high, column.low), at(row.high, column.high), column.weight);
    return blend(b, upper, lower, row.weight);
  });
}
