// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the accumulators and the input of a tile lie in scratch memory.
#ifndef PATTERN_ANALYSIS_STAGEDGEOMETRY_H
#define PATTERN_ANALYSIS_STAGEDGEOMETRY_H

#include "Pattern/Analysis/PlaneGeometry.h"

#include <optional>

namespace pconv::pattern {

/// A rectangle of the input that the rows of one segment read: all of the plane, or one sub-plane
/// of a plane with phases.
struct StagedRect {
  int64_t source;        // floats from the plane to the rectangle's corner, for the first position
  int64_t rows, columns; // for one output row and column; more rows follow below
  int64_t place;         // floats from the segment's copy to the rectangle's copy
};

/// How rows are shared out among the tiles of a strip. Tiles of one segment may be shorter: bands
/// 0..tall-1 have `rows` rows and the others `step` less, which is 1, or 2 where layers pool. Where
/// that does not come out even, all are tall, and the last one overlaps its neighbour.
struct StagedBands {
  StagedBands(int64_t height, int64_t rows, int64_t segments, bool pools);

  int64_t height, rows, count, tall, step;
};

/// The last strip of a plane that half a vector covers: its upper and its lower half share vectors,
/// and element i of either half lies in lanes 2i and 2i + 1. The halves may overlap.
struct StagedFold {
  int64_t column;    // the first one
  int64_t lower;     // first row of the lower half
  StagedBands bands; // of the upper half
};

/// The tiles of an output plane: strips of whole vectors, `bands` of `segments` each, and behind
/// them in number those of the folded strip. Where no strip is folded, the last one overlaps its
/// neighbour.
struct StagedTiling {
  /// For a plane of `height` x `width` before pooling, and the shape of a tile.
  StagedTiling(int64_t height, int64_t width, int64_t rows, int64_t segments, int64_t lanes,
               bool pools);

  int64_t plainTiles() const;
  int64_t tiles() const { return plainTiles() + (fold ? fold->bands.count : 0); }

  int64_t segments; // of a tile
  int64_t strips;   // that are not folded
  StagedBands bands;
  std::optional<StagedFold> fold;
};

/// The copy of a channel's input holds one segment after the other, a segment its rectangles, a
/// rectangle its rows. A row takes whole cache lines and starts one, so that no shifted load of it
/// crosses lines. In the copy of a folded tile all distances are twice as long.
struct StagedCopy {
  /// For tiles of `segments` segments of `rows` rows, each a vector of `lanes` floats.
  StagedCopy(Conv2DOp conv, llvm::ArrayRef<int64_t> weights, int64_t lanes, int64_t rows,
             int64_t segments);

  llvm::SmallVector<StagedRect> rects;
  llvm::SmallVector<int32_t> cellOffsets; // of every kernel cell, from the channel's copy
  int64_t rowStride, segmentStride, channelStride;
};

/// Scratch memory holds accumulators that stay zero, the accumulators of every filter of the block,
/// and a copy of the input.
struct StagedGeometry : StagedCopy {
  /// `lanes` floats per vector. Requires a schedule.
  StagedGeometry(Conv2DOp conv, llvm::ArrayRef<int64_t> weights, int64_t lanes);

  int64_t sumStride;         // floats of the accumulators of one filter
  int64_t zeros, sums, copy; // floats from the start of scratch memory
  int64_t scratch;           // floats in all
};

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_STAGEDGEOMETRY_H
