// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether the index stream of a layer keeps the kernel loop inside of its memory.
#ifndef PATTERN_ANALYSIS_PACKEDINDEX_H
#define PATTERN_ANALYSIS_PACKEDINDEX_H

#include "Pattern/IR/Pattern.h"

#include <optional>
#include <string>

namespace pconv::pattern {

/// Fails, with a diagnostic, unless the 32-bit numbers of an index stream can name all weights of a
/// sparse convolution, all floats of an image of its input, and all of its scratch memory.
mlir::LogicalResult checkIndexable(Conv2DOp conv, WeightsOp weights, int64_t lanes);

/// Walks the stream as the kernel loop of `conv` will: every number has to stay inside of what it
/// points into, blocks and streams have to follow each other without gaps, and the walk has to end
/// where the numbers and the values of `packed` end. Says what is expected of the first number that
/// is not as it has to be, or nothing. O(numbers).
///
/// Requires the form that the dataflow reads, and `checkIndexable`.
std::optional<std::string> findIndexFault(Conv2DOp conv, WeightsOp weights, PackedOp packed,
                                          int64_t lanes);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_PACKEDINDEX_H
