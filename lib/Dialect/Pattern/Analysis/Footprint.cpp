// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far the loops of a layer reach in memory.
#include "Pattern/Analysis/Footprint.h"
#include "Pattern/Analysis/StagedGeometry.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pconv::pattern;

/// Floats from the start of a channel to the end of what a kernel at output position (0, 0) reads.
static int64_t furthestTap(Conv2DOp conv, const PlaneGeometry &input, ArrayRef<int64_t> weights) {
  auto offset = [&](int64_t row, int64_t column) {
    return input.tapOffset(row * conv.getDilations()[0] - conv.getPadding()[0],
                           column * conv.getDilations()[1] - conv.getPadding()[1]);
  };
  // Rows and columns add up. Of those in one phase the last one lies furthest.
  int64_t corner = offset(0, 0), furthestRow = 0, furthestColumn = 0;
  for (int64_t row = std::max<int64_t>(weights[2] - input.rowPhases, 0); row < weights[2]; ++row)
    furthestRow = std::max(furthestRow, offset(row, 0));
  for (int64_t column = std::max<int64_t>(weights[3] - input.colPhases, 0); column < weights[3];
       ++column)
    furthestColumn = std::max(furthestColumn, offset(0, column));
  return furthestRow + furthestColumn - corner;
}

/// The same for the copy of the last tile's input.
static int64_t furthestCopy(const StagedGeometry &staged, const PlaneGeometry &input, int64_t rows,
                            int64_t lanes) {
  int64_t furthest = 0;
  for (const StagedRect &rect : staged.rects)
    furthest = std::max(furthest, rect.source + (rect.rows + rows - 2) * input.rowStride +
                                      rect.columns - 1 + lanes);
  return furthest;
}

ConvFootprint::ConvFootprint(Conv2DOp conv, ArrayRef<int64_t> weights, int64_t lanes) {
  PlaneGeometry in(conv.getInput().getType()), out(conv.getOutput().getType());
  ScheduleAttr schedule = conv.getScheduleAttr();
  SmallVector<int64_t, 4> shape = conv.getConvShape(weights);
  int64_t height = shape[2], width = shape[3];
  int64_t positions; // from element (0, 0) to the end of the last tile, in rows of the input
  int64_t firstChannels = in.size() - in.channelStride; // all but the last one
  if (schedule.getDataflow() == Dataflow::Staged) {
    // Tiles overlap rather than leave the plane, but a row takes a vector at least.
    int64_t rows = schedule.getRows(), row = std::max(width, lanes);
    int64_t lastTile = (height - rows) * in.rowStride + row - lanes;
    StagedGeometry staged(conv, weights, lanes);
    input = firstChannels + lastTile + furthestCopy(staged, in, rows, lanes);
    positions = (height - 1) * in.rowStride + row;
    // The gap between rows is cleared, too; pooling halves the vectors.
    int64_t written = std::max(out.rowStride, conv.getPool() ? lanes / 2 : lanes);
    output = out.firstElement() + (out.height - 1) * out.rowStride + written;
  } else {
    positions = llvm::alignTo(height * in.rowStride, schedule.getVectors() * lanes);
    input = firstChannels + furthestTap(conv, in, weights) + positions;
    output = out.firstElement() + positions;
  }
  if (Value value = conv.getResidual()) {
    PlaneGeometry plane(cast<RankedTensorType>(value.getType()));
    residual = plane.size() - plane.channelStride + plane.firstElement() + positions;
  }
}

int64_t pconv::pattern::scratchFloats(Operation *layer, int64_t lanes) {
  ScheduleAttr schedule;
  if (isa<Conv2DOp, LinearOp>(layer))
    schedule = layer->getAttrOfType<ScheduleAttr>("schedule");
  if (!schedule)
    return 0;
  if (schedule.getDataflow() != Dataflow::Staged)
    return schedule.getFilterBlock() * schedule.getVectors() * schedule.getRows() * lanes;
  auto conv = cast<Conv2DOp>(layer);
  auto weights = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(conv, conv.getWeightsAttr());
  return StagedGeometry(conv, weights.getShape(), lanes).scratch;
}
