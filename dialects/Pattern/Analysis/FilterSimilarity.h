// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Filter kernel reorder: the order in which pattern-pruned filters are stored.
#ifndef PATTERN_ANALYSIS_FILTERSIMILARITY_H
#define PATTERN_ANALYSIS_FILTERSIMILARITY_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

namespace pconv::pattern {

/// Orders filters so that like stands next to like (PatDNN's filter kernel reorder). Filters with
/// the same number of kernels form a group, longest first. Inside a group a greedy chain starts at
/// the lowest filter; next comes the filter that shares most kernels with the one before, the
/// lowest of equals; removed kernels are never shared. With `similarity` off, or where so many
/// filters would take longer than seconds, the group keeps its original order.
///
/// `kernels` are pattern ids, [filter][channel]. A filter stays in its convolution group, so the
/// result is a permutation of each `filters / groups` filters. O(filters² channels / groups) byte
/// compares.
llvm::SmallVector<int32_t> orderFilters(llvm::ArrayRef<int8_t> kernels, int64_t filters,
                                        int64_t groups = 1, bool similarity = true);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_FILTERSIMILARITY_H
