// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The dense meaning of pooling and resizing.
#include "DenseBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace pconv::pattern;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

Value DenseBuilder::padWindows(Value input, const Windows &windows, float value) {
  SmallVector<int64_t, 4> padding(windows.padding);
  for (int64_t i : {0, 1}) {
    // Rounding up lets the last window reach beyond the padding.
    int64_t reach = (windows.output[2 + i] - 1) * windows.strides[i] +
                    (windows.kernel[i] - 1) * windows.dilations[i] + 1;
    padding[2 + i] = std::max(padding[2 + i], reach - padding[i] - shapeOf(input)[2 + i]);
  }
  return pad(input, padding, value);
}

template <typename PoolOp>
Value DenseBuilder::reduce(Value input, const Windows &windows, float start) {
  Value padded = padWindows(input, windows, start);
  Value init = fill(windows.output, start);
  return PoolOp::create(*this, init.getType(), ValueRange{padded, empty(windows.kernel)}, init,
                        getI64TensorAttr(windows.strides), getI64TensorAttr(windows.dilations))
      .getResult(0);
}

Value DenseBuilder::poolMaximum(Value input, const Windows &windows) {
  return reduce<linalg::PoolingNchwMaxOp>(input, windows, -std::numeric_limits<float>::infinity());
}

/// How many cells each window along side `i` (0: rows, 1: columns) counts.
static SmallVector<int64_t> countCells(int64_t size, int64_t output, int64_t kernel, int64_t stride,
                                       int64_t before, int64_t after, bool countPadding) {
  SmallVector<int64_t> counts;
  int64_t low = countPadding ? -before : 0, high = countPadding ? size + after : size;
  for (int64_t window = 0; window < output; ++window) {
    int64_t start = window * stride - before;
    counts.push_back(std::min(start + kernel, high) - std::max(start, low));
  }
  return counts;
}

Value DenseBuilder::poolAverage(Value input, const Windows &windows, bool countPadding) {
  SmallVector<int64_t> counts[2];
  for (int64_t i : {0, 1})
    counts[i] =
        countCells(shapeOf(input)[2 + i], windows.output[2 + i], windows.kernel[i],
                   windows.strides[i], windows.padding[i], windows.padding[2 + i], countPadding);
  return divide(reduce<linalg::PoolingNchwSumOp>(input, windows, 0), counts[0], counts[1]);
}

/// The numbers as a tensor, to be looked up by place.
static Value table(ImplicitLocOpBuilder &b, ArrayRef<float> numbers) {
  auto type = RankedTensorType::get(numbers.size(), b.getF32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, numbers));
}

Value DenseBuilder::divide(Value sums, Shape rowCounts, Shape colCounts) {
  ArrayRef<int64_t> shape = shapeOf(sums);
  if (llvm::all_equal(rowCounts) && llvm::all_equal(colCounts)) {
    float count = rowCounts[0] * colCounts[0];
    return map(shape, sums, getMultiDimIdentityMap(4),
               [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                 Value divisor = arith::ConstantOp::create(b, b.getF32FloatAttr(count));
                 return arith::DivFOp::create(b, x[0], divisor);
               });
  }
  SmallVector<float> rows(rowCounts), cols(colCounts);
  return map(shape, {sums, table(*this, rows), table(*this, cols)},
             {getMultiDimIdentityMap(4), project(4, 2), project(4, 3)},
             [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
               Value count = arith::MulFOp::create(b, x[1], x[2]);
               return arith::DivFOp::create(b, x[0], count);
             });
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

static constexpr int64_t noPadding[] = {0, 0, 0, 0};
static constexpr int64_t noDilation[] = {1, 1};

Value DenseBuilder::pool(Value input, PoolAttr attr, Shape output) {
  Windows windows{output, attr.getKernel(), attr.getStrides(), noPadding, noDilation};
  return attr.getKind() == PoolKind::Max ? poolMaximum(input, windows)
                                         : poolAverage(input, windows, /*countPadding=*/false);
}

Value DenseBuilder::lower(MaxPool2DOp op) {
  return poolMaximum(op.getInput(), {shapeOf(op.getOutput()), op.getKernel(), op.getStrides(),
                                     op.getPadding(), op.getDilations()});
}

Value DenseBuilder::lower(AvgPool2DOp op) {
  return poolAverage(
      op.getInput(),
      {shapeOf(op.getOutput()), op.getKernel(), op.getStrides(), op.getPadding(), noDilation},
      op.getCountPadding());
}

Value DenseBuilder::lower(AdaptiveAvgPool2DOp op) {
  ArrayRef<int64_t> input = shapeOf(op.getInput()), output = shapeOf(op.getOutput());
  if (input[2] % output[2] != 0 || input[3] % output[3] != 0)
    return averageRagged(op.getInput(), output);
  int64_t kernel[] = {input[2] / output[2], input[3] / output[3]};
  return poolAverage(op.getInput(), {output, kernel, kernel, noPadding, noDilation},
                     /*countPadding=*/false);
}

/// Windows of an adaptive pooling along one side: where they start, and how many cells they have.
static std::pair<SmallVector<int64_t>, SmallVector<int64_t>> raggedWindows(int64_t size,
                                                                           int64_t output) {
  std::pair<SmallVector<int64_t>, SmallVector<int64_t>> windows;
  for (int64_t i = 0; i < output; ++i) {
    windows.first.push_back(i * size / output);
    windows.second.push_back(llvm::divideCeil((i + 1) * size, output) - windows.first.back());
  }
  return windows;
}

/// The numbers as a tensor of i32, to be looked up by place.
static Value table(ImplicitLocOpBuilder &b, ArrayRef<int64_t> numbers) {
  SmallVector<int32_t> narrow(numbers);
  auto type = RankedTensorType::get(numbers.size(), b.getI32Type());
  return arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef(narrow)));
}

/// Windows of different sizes: the loops run over the largest, and skip what is too much.
Value DenseBuilder::averageRagged(Value input, Shape output) {
  auto [rowStarts, rowCounts] = raggedWindows(shapeOf(input)[2], output[2]);
  auto [colStarts, colCounts] = raggedWindows(shapeOf(input)[3], output[3]);
  int64_t window[] = {*llvm::max_element(rowCounts), *llvm::max_element(colCounts)};
  Value init = fill(output, 0);
  SmallVector<utils::IteratorType> loops(6, utils::IteratorType::parallel);
  loops[4] = loops[5] = utils::IteratorType::reduction;
  SmallVector<AffineMap> maps{project(6, 2), project(6, 2),      project(6, 3),
                              project(6, 3), project(6, {4, 5}), project(6, {0, 1, 2, 3})};
  auto body = [&](OpBuilder &nested, Location loc, ValueRange x) {
    ImplicitLocOpBuilder b(loc, nested);
    auto loop = [&](int64_t dim) -> Value { return linalg::IndexOp::create(b, dim); };
    auto cell = [&](Value start, Value count, int64_t dim) -> std::pair<Value, Value> {
      Value step = arith::IndexCastOp::create(b, b.getI32Type(), loop(dim));
      Value inside = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, step, count);
      // A step too far reads the window's first cell again, which is there for sure.
      Value zero = arith::ConstantOp::create(b, b.getI32IntegerAttr(0));
      step = arith::SelectOp::create(b, inside, step, zero);
      Value place = arith::AddIOp::create(b, start, step);
      return {arith::IndexCastOp::create(b, b.getIndexType(), place), inside};
    };
    auto [row, rowInside] = cell(x[0], x[1], 4);
    auto [col, colInside] = cell(x[2], x[3], 5);
    Value value = tensor::ExtractOp::create(b, input, ValueRange{loop(0), loop(1), row, col});
    Value inside = arith::AndIOp::create(b, rowInside, colInside);
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    value = arith::SelectOp::create(b, inside, value, zero);
    linalg::YieldOp::create(b, arith::AddFOp::create(b, x.back(), value).getResult());
  };
  Value sums = linalg::GenericOp::create(
                   *this, init.getType(),
                   ValueRange{table(*this, rowStarts), table(*this, rowCounts),
                              table(*this, colStarts), table(*this, colCounts), empty(window)},
                   init, maps, loops, body)
                   .getResult(0);
  return divide(sums, rowCounts, colCounts);
}

//===----------------------------------------------------------------------===//
// Resizing
//===----------------------------------------------------------------------===//

/// What the places of an output side lie between: cell `low`, cell `high`, and how far from the
/// first to the second.
namespace {
struct Samples {
  SmallVector<int64_t> low, high;
  SmallVector<float> part;
};
} // namespace

static Samples sample(int64_t size, int64_t output, ResizeMode mode, bool alignCorners) {
  Samples samples;
  for (int64_t i = 0; i < output; ++i) {
    int64_t low = i * size / output;
    double part = 0;
    if (mode == ResizeMode::Bilinear) {
      double place = (i + 0.5) * size / output - 0.5;
      if (alignCorners)
        place = output == 1 ? 0 : i * (double(size - 1) / (output - 1));
      place = std::clamp(place, 0.0, double(size - 1));
      low = std::floor(place);
      part = place - low;
    }
    samples.low.push_back(low);
    samples.high.push_back(std::min(low + 1, size - 1));
    samples.part.push_back(part);
  }
  return samples;
}

/// from (1 - part) + to part.
static Value interpolate(ImplicitLocOpBuilder &b, Value from, Value to, Value part) {
  Value one = arith::ConstantOp::create(b, b.getF32FloatAttr(1));
  from = arith::MulFOp::create(b, from, arith::SubFOp::create(b, one, part));
  to = arith::MulFOp::create(b, to, part);
  return arith::AddFOp::create(b, from, to);
}

Value DenseBuilder::lower(ResizeOp op) {
  Value input = op.getInput();
  ArrayRef<int64_t> shape = shapeOf(op.getOutput());
  bool bilinear = op.getMode() == ResizeMode::Bilinear;
  SmallVector<Value> tables;
  SmallVector<AffineMap> maps;
  for (unsigned dim : {2, 3}) {
    Samples samples = sample(shapeOf(input)[dim], shape[dim], op.getMode(), op.getAlignCorners());
    tables.push_back(table(*this, samples.low));
    if (bilinear) {
      tables.push_back(table(*this, samples.high));
      tables.push_back(table(*this, samples.part));
    }
    maps.append(bilinear ? 3 : 1, project(4, dim));
  }
  return map(shape, tables, maps, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
    auto read = [&](Value row, Value col) -> Value {
      Value place[] = {linalg::IndexOp::create(b, 0), linalg::IndexOp::create(b, 1),
                       arith::IndexCastOp::create(b, b.getIndexType(), row),
                       arith::IndexCastOp::create(b, b.getIndexType(), col)};
      return tensor::ExtractOp::create(b, input, place);
    };
    if (!bilinear)
      return read(x[0], x[1]);
    auto readRow = [&](Value row) {
      Value left = read(row, x[3]), right = read(row, x[4]);
      return interpolate(b, left, right, x[5]);
    };
    Value above = readRow(x[0]), below = readRow(x[1]);
    return interpolate(b, above, below, x[2]);
  });
}
