// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel loops of all convolutions share: the tile and how it is written.
#ifndef CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H
#define CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H

#include "Layers.h"

namespace pconv {

/// A part of a tile: vectors at equal distances in the plane.
struct Segment {
  mlir::Value position;    // of the first vector, from element (0, 0) of the plane
  mlir::Value row, column; // the same, apart (staged only)
  mlir::Value lastInRow;   // whether the segment ends its rows (staged only)
};

/// A tile of output positions of one convolution.
///
/// Most dataflows walk a plane as one long row, position `y row_stride + x`, the few positions in
/// the border between rows included: a tile is one segment of consecutive vectors. The staged
/// dataflow stacks the vectors of a segment in rows, and a tile holds several such segments; the
/// last row and column of segments overlap their neighbours rather than leave the plane, or the
/// last rows of segments are shorter.
class ConvTile {
public:
  ConvTile(pattern::Conv2DOp conv, const Layer &layer);

  /// Floats from the input position of an output position to what kernel cell (row, column) reads.
  int64_t tapOffset(int64_t row, int64_t column) const;
  mlir::Value tapOffset(StepBuilder &b, mlir::Value row, mlir::Value column) const;

  /// A tile with fewer rows in its segments, as the last bands of a plane may have.
  ConvTile shortened() const;

  /// Whether tile `number` has fewer rows than the others; null where none has.
  mlir::Value isShort(StepBuilder &b, mlir::Value number) const;

  /// The segments of tile `number`.
  llvm::SmallVector<Segment> segments(StepBuilder &b, mlir::Value number) const;

  /// One mask a vector: which of its positions are elements of the output. Null where all are.
  llvm::SmallVector<mlir::Value> masks(StepBuilder &b, llvm::ArrayRef<Segment> segments) const;

  /// Adds bias and residual to the sums of one filter (segment by segment), applies the activation
  /// and stores the tile, and with tile 0 the border above and below.
  void write(StepBuilder &b, llvm::ArrayRef<mlir::Value> sums, mlir::Value image,
             mlir::Value channel, mlir::Value number, llvm::ArrayRef<Segment> segments,
             llvm::ArrayRef<mlir::Value> masks) const;

  /// Asks for the cache lines that `write` will write for this filter.
  void prefetchOutput(StepBuilder &b, mlir::Value image, mlir::Value channel,
                      llvm::ArrayRef<Segment> segments) const;

  int64_t rows() const { return segmentVectors; }

  int64_t tiles; // of a plane

private:
  bool stacked() const { return strips != 0; }
  void writeVectors(StepBuilder &b, llvm::ArrayRef<mlir::Value> vectors, mlir::Value first,
                    const Segment &segment) const;
  void writePooled(StepBuilder &b, llvm::ArrayRef<mlir::Value> vectors, mlir::Value first,
                   const Segment &segment) const;
  void clearGap(StepBuilder &b, mlir::Value first, const Segment &segment) const;
  void clearBorder(StepBuilder &b, mlir::Value plane, mlir::Value number) const;

  mutable pattern::Conv2DOp conv;
  Plane input, output;
  Plane result; // of the convolution, before pooling: what the positions count in
  std::optional<Plane> residual;
  std::optional<int64_t> bias; // place of the bias in the values
  int64_t lanes;
  int64_t segmentCount;          // of a tile
  int64_t segmentVectors;        // of a segment
  int64_t vectorStep;            // positions from one vector of a segment to the next
  int64_t strips = 0, bands = 0; // segments in a plane, across and down (staged only)
  int64_t tallBands = 0;         // those that are not shortened
  int64_t shortage = 0;          // rows that the others have less
};

} // namespace pconv

#endif // CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H
