// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel loops of all convolutions share: the tile and how it is written.
#ifndef CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H
#define CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H

#include "Layers.h"

#include "Pattern/Analysis/StagedGeometry.h"

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
/// last rows of segments are shorter, or the last column is folded.
class ConvTile {
public:
  ConvTile(pattern::Conv2DOp conv, const Layer &layer);

  /// Floats from the input position of an output position to what kernel cell (row, column) reads.
  int64_t tapOffset(int64_t row, int64_t column) const;
  mlir::Value tapOffset(StepBuilder &b, mlir::Value row, mlir::Value column) const;

  /// Tiles of one shape, with all numbers from the previous shape's up to `end`.
  struct Shape {
    int64_t end;
    int64_t rows;
    bool folded;
  };

  /// The shapes that the tiles of a plane have, in the order of their numbers.
  llvm::SmallVector<Shape> shapes() const;

  /// The same tile in another shape.
  ConvTile withShape(const Shape &shape) const;

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
  /// What a row of a folded tile has at `at` in the upper and in the lower half of `plane`.
  std::pair<mlir::Value, mlir::Value> loadHalves(StepBuilder &b, const Plane &plane,
                                                 mlir::Value at) const;

  /// Floats between the halves of a folded tile in `plane`, which has 1/`shrink` of its rows.
  int64_t halfStride(const Plane &plane, int64_t shrink = 1) const {
    return tiling->fold->lower / shrink * plane.rowStride;
  }

  int64_t tiles; // of a plane

private:
  bool stacked() const { return tiling.has_value(); }
  int64_t shrink() const;
  /// Where a segment begins in the output, before or after pooling.
  mlir::Value cornerOf(StepBuilder &b, mlir::Value first, const Segment &segment) const;
  /// For a row of the output; of a folded tile for its row in either half.
  void inEachHalf(StepBuilder &b, mlir::Value at, StepBuilder::Body body) const;
  mlir::Value loadResidual(StepBuilder &b, mlir::Value at) const;
  void storeRow(StepBuilder &b, mlir::Value vector, mlir::Value at) const;
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
  int64_t segmentCount;                        // of a tile
  int64_t segmentVectors;                      // of a segment
  int64_t vectorStep;                          // positions from one vector of a segment to the next
  std::optional<pattern::StagedTiling> tiling; // staged only
  bool folded = false;
};

} // namespace pconv

#endif // CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H
