// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Upper bounds on the numbers in the dialect. The verifiers hold ops and attributes to them, so
// that no pass has to ask whether a product of sizes fits 64 bits.
#ifndef PATTERN_IR_BOUNDS_H
#define PATTERN_IR_BOUNDS_H

#include <cstdint>

namespace pconv::pattern {

/// Strides, dilations, paddings and borders.
inline constexpr int64_t maxDistance = (int64_t(1) << 16) - 1;
/// Dimensions of tensors, and other counts.
inline constexpr int64_t maxNumber = (int64_t(1) << 31) - 1;
/// Floats of a vector, rows and vectors of a tile.
inline constexpr int64_t maxTile = int64_t(1) << 10;
/// Elements of a tensor, with its border.
inline constexpr int64_t maxElements = int64_t(1) << 40;
/// Kernels of a layer (input channels times filters): `kernels` is one byte for each.
inline constexpr int64_t maxKernels = int64_t(1) << 26;

} // namespace pconv::pattern

#endif // PATTERN_IR_BOUNDS_H
