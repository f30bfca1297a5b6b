// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the staged copy of a tile's input lies in scratch memory.
#ifndef PATTERN_ANALYSIS_STAGEDGEOMETRY_H
#define PATTERN_ANALYSIS_STAGEDGEOMETRY_H

#include "Pattern/Analysis/PlaneGeometry.h"

namespace pconv::pattern {

/// A rectangle of the input that the rows of one segment read: all of the plane, or one sub-plane
/// of a plane with phases.
struct StagedRect {
  int64_t source;        // floats from the plane to the rectangle's corner, for the first position
  int64_t rows, columns; // for one output row and column; more rows follow below
  int64_t place;         // floats from the segment's copy to the rectangle's copy
};

/// The copy of a channel holds one segment after the other, a segment its rectangles, a rectangle
/// its rows. A row takes whole cache lines and starts one, so that no shifted load of it crosses
/// lines.
struct StagedGeometry {
  /// `lanes` floats per vector. Requires a schedule.
  StagedGeometry(Conv2DOp conv, llvm::ArrayRef<int64_t> weights, int64_t lanes);

  llvm::SmallVector<StagedRect> rects;
  llvm::SmallVector<int32_t> cellOffsets; // of every kernel cell, from the channel's copy
  int64_t rowStride, segmentStride, channelStride;
};

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_STAGEDGEOMETRY_H
