// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the elements of a bordered plane lie.
#ifndef PATTERN_ANALYSIS_PLANEGEOMETRY_H
#define PATTERN_ANALYSIS_PLANEGEOMETRY_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// Floats of a cache line.
constexpr int64_t kLineFloats = 16;

/// Vectors that a tile may have at most; planes leave room for a tile that overruns their end.
constexpr int64_t kMaxTileVectors = 8;

/// Shortest row that holds a plane of NCHW `shape`: the border between two rows is shared.
int64_t minimalRowStride(llvm::ArrayRef<int64_t> shape, int64_t halo, int64_t colPhases);

/// Floats that a channel takes, with room for a tile of vectors of `lanes` that overruns its end.
int64_t minimalChannelStride(llvm::ArrayRef<int64_t> shape, int64_t halo, int64_t rowStride,
                             int64_t rowPhases, int64_t colPhases, int64_t lanes);

/// Rows and columns of zeros that a convolution reads beyond its input, on the widest side;
/// `weights` is the shape of its weights.
int64_t borderNeeded(Conv2DOp conv, llvm::ArrayRef<int64_t> weights);

/// The addresses of one activation: of a bordered plane, or of a tensor in plain row-major order.
struct PlaneGeometry {
  explicit PlaneGeometry(mlir::RankedTensorType type);

  /// Floats from the start of a channel to what output position (0, 0) of a convolution reads for a
  /// tap at (row, column) relative to that position, padding already subtracted.
  int64_t tapOffset(int64_t row, int64_t column) const;
  /// Floats from the start of a channel to element (0, 0), for a plane without phases.
  int64_t firstElement() const { return halo * rowStride + halo; }
  /// All floats of the tensor.
  int64_t size() const { return batch * channels * channelStride; }

  int64_t batch, channels, height, width;
  int64_t halo, rowStride, channelStride, rowPhases, colPhases;
};

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_PLANEGEOMETRY_H
