// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order in which the staged kernel loop walks the kernels of a layer.
#ifndef PATTERN_ANALYSIS_RECORDPACKING_H
#define PATTERN_ANALYSIS_RECORDPACKING_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// The index stream of a layer starts with one header for each block of filters: where the groups,
/// the kernels (both in the index stream) and the values of the block begin. Then follow the
/// original number of every stored filter, the groups and the kernels.
///
/// Filters that keep equally many kernels in a block of channels form a group, so that the kernel
/// loop runs the same number of times over and over. For every (filter block, channel block) the
/// stream holds the number of groups and then each group: its filters, their kernels, and the
/// places of the filters' accumulators. The first channel block lists all filters (it starts their
/// accumulators), the others only those that keep a kernel.
/// A kernel is the places of its loads in the staged input: one for a pair, one for a single cell.
struct RecordHeader {
  static constexpr int64_t size = 3, groups = 0, kernels = 1, values = 2;
};

/// What the walk needs to know of a layer.
struct RecordLayout {
  llvm::ArrayRef<int8_t> kernels; // [filters][channels], 0 = removed
  int64_t filters, channels;
  llvm::ArrayRef<int32_t> filterOrder; // stored -> original; empty: as they are
  int64_t filterBlock, channelBlock;
  int64_t channelStride;               // floats between the channels of the staged input
  int64_t sumStride;                   // floats of the accumulators of one filter
  llvm::ArrayRef<int32_t> cellOffsets; // place of every kernel cell in a staged channel
};

struct RecordPacking {
  llvm::SmallVector<int32_t> index;
  /// The weight of every value, as its place in the OIHW tensor; -1 for the zero that fills up a
  /// pattern with fewer cells than the others.
  llvm::SmallVector<int32_t> gather;
};

/// Lays out the walk.
RecordPacking packRecords(const RecordLayout &layout, LibraryAttr library, LoadsAttr loads);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_RECORDPACKING_H
