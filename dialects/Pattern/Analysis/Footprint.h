// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How far the loops of a layer reach in memory.
#ifndef PATTERN_ANALYSIS_FOOTPRINT_H
#define PATTERN_ANALYSIS_FOOTPRINT_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// The floats that the tiles of a convolution touch. Tiles are whole vectors: they overrun the ends
/// of planes, where what they read does not count, and what they write has to be border.
struct ConvFootprint {
  /// `lanes` floats per vector. Requires a schedule and the layouts that it relies on.
  ConvFootprint(Conv2DOp conv, llvm::ArrayRef<int64_t> weights, int64_t lanes);

  int64_t input;        // from the start of the input to the end of what is read
  int64_t residual = 0; // the same for the residual; 0 without one
  int64_t output;       // from the start of a channel of the output to the end of what is written
};

/// Floats of scratch memory that one thread needs for a layer: accumulators, and the staged input.
int64_t scratchFloats(mlir::Operation *layer, int64_t lanes);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_FOOTPRINT_H
