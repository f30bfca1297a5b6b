// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a schedule costs in registers, and which places of the input a tile reads.
#ifndef PATTERN_ANALYSIS_SCHEDULE_H
#define PATTERN_ANALYSIS_SCHEDULE_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// A place in the input: (row, column), counted from what the first cell of a kernel reads for the
/// first output of a tile.
using Tap = std::pair<int32_t, int32_t>;

/// The tap that each kept cell of kernel pattern `id` reads for each of the `rows` rows of a tile,
/// cell-major like the `uses` of a load plan: `taps[cell * rows + row]`. A tap that serves several
/// rows occurs several times.
llvm::SmallVector<Tap> collectTaps(Conv2DOp conv, LibraryAttr library, int64_t id, int64_t rows);

/// Loads that are alive at once in a tile of `rows` rows, in vectors of one tile column: the
/// distinct taps of one kernel pattern (scope `run`, the largest pattern counts), of all of them
/// (`channel`), or one, used at once (`kernel`).
int64_t countLiveLoads(Conv2DOp conv, LibraryAttr library, int64_t rows, LoadScope scope);

/// Vector registers that the innermost loop of `schedule` keeps busy:
///
///   input-stationary:  vectors (live loads + rows) + 1
///   staged:            rows vectors + 1 + 1
///   output-stationary: rows vectors (filter_block + 1) + 1
///
/// that is the input, the accumulators, one weight; without fused multiply-add one more, for the
/// product. `conv` and `library` are read for input-stationary schedules only.
int64_t registersNeeded(TargetAttr target, ScheduleAttr schedule, Conv2DOp conv = {},
                        LibraryAttr library = {}, LoadScope scope = LoadScope::Run);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_SCHEDULE_H
