// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel loops of all convolutions share: the tile and how it is written.
#ifndef CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H
#define CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H

#include "Layers.h"

namespace pconv {

/// A tile of output positions of one convolution. Planes are walked as one long row: position
/// `y row_stride + x`, the few positions in the border between rows included.
class ConvTile {
public:
  ConvTile(pattern::Conv2DOp conv, const Layer &layer);

  /// Floats from the input position of an output position to what kernel cell (row, column) reads.
  int64_t tapOffset(int64_t row, int64_t column) const;

  /// One mask a vector: which of its positions are elements of the output.
  llvm::SmallVector<mlir::Value> masks(StepBuilder &b, mlir::Value position) const;

  /// Adds bias and residual to the sums of one filter, applies the activation and stores the tile
  /// and, with the first and the last tile, the border above and below.
  void write(StepBuilder &b, llvm::ArrayRef<mlir::Value> sums, mlir::Value image,
             mlir::Value channel, mlir::Value position, llvm::ArrayRef<mlir::Value> masks) const;

  int64_t positions; // of a tile
  int64_t tiles;     // of a plane

private:
  void writeBorder(StepBuilder &b, mlir::Value plane, mlir::Value position) const;

  mutable pattern::Conv2DOp conv;
  Plane input, output;
  std::optional<Plane> residual;
  std::optional<int64_t> bias; // place of the bias in the values
  int64_t lanes;
};

} // namespace pconv

#endif // CONVERSION_PATTERNTOVECTOR_CONVOLUTION_H
