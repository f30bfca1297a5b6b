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

/// A step whose items are planes, each output element made by itself.
StepBody perElement(const Layer &layer,
                    std::function<Value(StepBuilder &, Value input, Value y, Value x)> element) {
  return {layer.output.batch * layer.output.channels, [layer, element](StepBuilder &b, Value item) {
            Value input = planeStart(b, layer.inputs[0], item);
            fillPlane(b, layer.output, planeStart(b, layer.output, item),
                      [&](Value y, Value x) { return element(b, input, y, x); });
          }};
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
Value maximum(StepBuilder &b, Value x, Value y) {
  return arith::MaximumFOp::create(b, b.getLoc(), x, y);
}

/// The window of output row `at`, cut to 0 .. size.
Span window(StepBuilder &b, Value at, int64_t stride, int64_t padding, int64_t extent,
            int64_t size) {
  Value from = b.add(b.mul(at, stride), -padding);
  return {b.max(from, b.constant(0)), b.min(b.add(from, extent), b.constant(size))};
}

/// Whether all windows lie inside of the input, in one piece.
bool coversInput(ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides, ArrayRef<int64_t> padding,
                 const Layer &layer) {
  const Plane &in = layer.inputs[0], &out = layer.output;
  return in.rowPhases * in.colPhases == 1 &&
         llvm::all_of(padding, [](int64_t p) { return p == 0; }) &&
         (out.height - 1) * strides[0] + kernel[0] <= in.height &&
         (out.width - 1) * strides[1] + kernel[1] <= in.width;
}

} // namespace

StepBody pconv::lowerMaxPool(MaxPool2DOp pool, const Layer &layer) {
  SmallVector<int64_t> kernel(pool.getKernel()), strides(pool.getStrides()),
      padding(pool.getPadding()), dilations(pool.getDilations());
  Plane in = layer.inputs[0];
  constexpr int64_t kMostUnrolled = 1024; // cells; all of a large plane would be much code
  if (kernel[0] * kernel[1] <= kMostUnrolled &&
      coversInput({(kernel[0] - 1) * dilations[0] + 1, (kernel[1] - 1) * dilations[1] + 1}, strides,
                  padding, layer))
    // No window leaves the plane: unrolled and without tests, so that LLVM makes vectors of it.
    return perElement(layer, [=](StepBuilder &b, Value input, Value y, Value x) {
      Value corner = elementAt(b, in, input, b.mul(y, strides[0]), b.mul(x, strides[1]));
      Value result;
      for (int64_t r = 0; r < kernel[0]; ++r)
        for (int64_t s = 0; s < kernel[1]; ++s) {
          Value value = b.load(b.add(corner, r * dilations[0] * in.rowStride + s * dilations[1]));
          result = result ? maximum(b, result, value) : value;
        }
      return result;
    });
  return perElement(layer, [=](StepBuilder &b, Value input, Value y, Value x) {
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
        Value larger = maximum(b, inner[0], value);
        return SmallVector<Value>{arith::SelectOp::create(b, b.getLoc(), both, larger, inner[0])};
      });
    })[0];
  });
}

StepBody pconv::lowerAvgPool(AvgPool2DOp pool, const Layer &layer) {
  SmallVector<int64_t> kernel(pool.getKernel()), strides(pool.getStrides()),
      padding(pool.getPadding());
  bool countPadding = pool.getCountPadding();
  Plane in = layer.inputs[0];
  return perElement(layer, [=](StepBuilder &b, Value input, Value y, Value x) {
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
  });
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
  point = maximum(b, point, b.number(0));
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
