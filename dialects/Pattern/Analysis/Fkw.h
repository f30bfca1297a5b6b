// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// FKW: the compact storage of pattern-pruned filters, and its size against CSR.
#ifndef PATTERN_ANALYSIS_FKW_H
#define PATTERN_ANALYSIS_FKW_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// The index arrays of filter-kernel-weight storage (PatDNN). Filters are stored in filter order,
/// the kernels of a filter by (pattern, channel), so that each pattern is one run.
struct Fkw {
  /// Kernels before stored filter f; one more entry than filters.
  llvm::SmallVector<int32_t> offset;
  /// Original filter of stored filter f.
  llvm::SmallVector<int32_t> reorder;
  /// Input channel of each stored kernel.
  llvm::SmallVector<int32_t> index;
  /// For each stored filter the kernels before each pattern's run, from 0 to the filter's length:
  /// filters x (patterns + 1).
  llvm::SmallVector<int32_t> stride;
  /// Kept weights: the sum of the kept cells over all kernels.
  int64_t weights = 0;
};

/// The pattern ids of all kernels of `weights`, [filter][channel], 0 = removed. Empty unless the
/// scheme is `#pattern.kernel`.
llvm::SmallVector<int8_t, 0> getKernels(WeightsOp weights);

/// Stores `kernels` ([filter][channel]) in `filterOrder`; an empty order is the original one.
Fkw computeFkw(llvm::ArrayRef<int8_t> kernels, int64_t filters, LibraryAttr library,
               llvm::ArrayRef<int32_t> filterOrder = {});

/// Bytes of the index arrays of FKW. `offset` takes 4 bytes a number; `reorder` and `stride` take
/// 2, `index` 1 where channels are numbered 0..255, else 2 (4 where even that is too narrow).
int64_t countFkwIndexBytes(const Fkw &fkw, int64_t channels);

/// Bytes of the index arrays of CSR for the same weights: a column of 4 bytes for each kept weight
/// and a row pointer of 4 bytes for each filter and the end.
int64_t countCsrIndexBytes(const Fkw &fkw);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_FKW_H
