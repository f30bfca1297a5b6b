// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order in which the input-stationary kernel loop walks the kernels of a layer.
#ifndef PATTERN_ANALYSIS_RUNPACKING_H
#define PATTERN_ANALYSIS_RUNPACKING_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// The index stream of a layer starts with one header for each block of filters: where the runs,
/// the kernels (both in the index stream) and the values of the block begin. Then follow the
/// original number of every stored filter, the runs and the kernels.
///
/// A run is (input offset of the channel, number of kernels): the kernels of one channel that wear
/// one pattern. Runs are stored by (filter block, channel block, pattern), each such list behind
/// its length, and sorted by falling number of kernels: equal trip counts stand together, so that
/// the branch predictor sees a change seldom. A kernel is the place of its accumulators.
struct RunHeader {
  static constexpr int64_t size = 3, runs = 0, kernels = 1, values = 2;
};

/// What the walk needs to know of a layer.
struct RunLayout {
  llvm::ArrayRef<int8_t> kernels; // [filters][channels], 0 = removed
  int64_t filters, channels;
  llvm::ArrayRef<int32_t> filterOrder; // stored -> original; empty: as they are
  int64_t filterBlock, channelBlock;
  int64_t channelStride; // floats between the channels of the input
  int64_t sumStride;     // floats of the accumulators of one filter
};

struct RunPacking {
  llvm::SmallVector<int32_t> index;
  llvm::SmallVector<int32_t> gather; // place of every value in the OIHW tensor
};

/// Lays out the walk. Values are stored in the order of the kernels, cells ascending.
RunPacking packRuns(const RunLayout &layout, LibraryAttr library);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_RUNPACKING_H
