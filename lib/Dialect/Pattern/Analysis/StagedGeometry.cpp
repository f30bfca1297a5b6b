// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the accumulators and the input of a tile lie in scratch memory.
#include "Pattern/Analysis/StagedGeometry.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// A kernel cell in its sub-plane.
struct Cell {
  int64_t phase, row, column;
};

Cell locate(Conv2DOp conv, const PlaneGeometry &input, int64_t row, int64_t column) {
  int64_t y = row * conv.getDilations()[0] - conv.getPadding()[0] + input.halo;
  int64_t x = column * conv.getDilations()[1] - conv.getPadding()[1] + input.halo;
  return {(y % input.rowPhases) * input.colPhases + x % input.colPhases, y / input.rowPhases,
          x / input.colPhases};
}

/// The smallest rectangle around the cells of one sub-plane.
struct Extent {
  int64_t top, left, bottom, right;
};

} // namespace

StagedBands::StagedBands(int64_t height, int64_t rows, int64_t segments, bool pools)
    : height(height), rows(rows), count(llvm::divideCeil(height, rows)), tall(count),
      step(pools ? 2 : 1) {
  int64_t missing = count * rows - height;
  if (segments == 1 && rows > step && missing % step == 0 && missing / step <= count)
    tall -= missing / step;
}

/// Folds the last strip where half a vector covers it.
static std::optional<StagedFold> foldStrip(int64_t height, int64_t width, int64_t rows,
                                           int64_t lanes, bool pools) {
  // The multiply-adds of a sum wait for each other: of four cells they take as long as eight rows,
  // so that half of eight saves nothing.
  constexpr int64_t kLeastHeight = 9;
  int64_t rest = width % lanes;
  if (width < lanes || lanes % 4 != 0 || rest == 0 || rest > lanes / 2 || height < kLeastHeight)
    return std::nullopt;
  int64_t step = pools ? 2 : 1;
  int64_t half = llvm::alignTo(llvm::divideCeil(height, 2), step);
  int64_t bands = llvm::divideCeil(half, rows);
  int64_t even = llvm::alignTo(llvm::divideCeil(half, bands), step);
  return StagedFold{width - lanes / 2, height - half, StagedBands(half, even, 1, pools)};
}

StagedTiling::StagedTiling(int64_t height, int64_t width, int64_t rows, int64_t segments,
                           int64_t lanes, bool pools)
    : segments(segments), strips(llvm::divideCeil(width, lanes)),
      bands(height, rows, segments, pools) {
  if (segments == 1)
    fold = foldStrip(height, width, rows, lanes, pools);
  if (fold)
    --strips;
}

int64_t StagedTiling::plainTiles() const {
  return llvm::divideCeil(strips * bands.count, segments);
}

StagedCopy::StagedCopy(Conv2DOp conv, ArrayRef<int64_t> weights, int64_t lanes, int64_t rows,
                       int64_t segments) {
  PlaneGeometry input(cast<RankedTensorType>(conv.getInput().getType()));
  SmallVector<Cell> cells;
  llvm::MapVector<int64_t, Extent> extents;
  for (int64_t row = 0; row < weights[2]; ++row)
    for (int64_t column = 0; column < weights[3]; ++column) {
      Cell cell = locate(conv, input, row, column);
      cells.push_back(cell);
      auto [entry, isNew] =
          extents.insert({cell.phase, {cell.row, cell.column, cell.row, cell.column}});
      Extent &extent = entry->second;
      extent = {std::min(extent.top, cell.row), std::min(extent.left, cell.column),
                std::max(extent.bottom, cell.row), std::max(extent.right, cell.column)};
    }

  int64_t widest = 0;
  for (auto &[phase, extent] : extents)
    widest = std::max(widest, extent.right - extent.left);
  rowStride = llvm::alignTo(lanes + widest, kLineFloats);

  int64_t phaseStride = input.channelStride / (input.rowPhases * input.colPhases);
  llvm::DenseMap<int64_t, int64_t> places;
  segmentStride = 0;
  for (auto &[phase, extent] : extents) {
    StagedRect rect{phase * phaseStride + extent.top * input.rowStride + extent.left,
                    extent.bottom - extent.top + 1, extent.right - extent.left + 1, segmentStride};
    places[phase] = segmentStride;
    segmentStride += (rect.rows + rows - 1) * rowStride;
    rects.push_back(rect);
  }
  channelStride = segmentStride * segments;
  for (const Cell &cell : cells) {
    const Extent &extent = extents[cell.phase];
    cellOffsets.push_back(places[cell.phase] + (cell.row - extent.top) * rowStride + cell.column -
                          extent.left);
  }
}

StagedGeometry::StagedGeometry(Conv2DOp conv, ArrayRef<int64_t> weights, int64_t lanes)
    : StagedCopy(conv, weights, lanes, conv.getScheduleAttr().getRows(),
                 conv.getScheduleAttr().getVectors()) {
  ScheduleAttr schedule = conv.getScheduleAttr();
  SmallVector<int64_t, 4> shape = conv.getConvShape(weights);
  StagedTiling tiling(shape[2], shape[3], schedule.getRows(), schedule.getVectors(), lanes,
                      bool(conv.getPool()));
  sumStride = schedule.getRows() * schedule.getVectors() * lanes;
  zeros = 0;
  sums = zeros + sumStride;
  copy = llvm::alignTo(sums + schedule.getFilterBlock() * sumStride, kLineFloats);
  // The last row of a copy may be written in whole vectors.
  scratch = copy + schedule.getChannelBlock() * channelStride * (tiling.fold ? 2 : 1) + kLineFloats;
}
