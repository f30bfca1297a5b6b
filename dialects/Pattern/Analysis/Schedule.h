// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a schedule costs in registers.
#ifndef PATTERN_ANALYSIS_SCHEDULE_H
#define PATTERN_ANALYSIS_SCHEDULE_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// Vector registers that the innermost loop of `schedule` keeps busy in `layer`, a conv2d or
/// linear. With T = rows * vectors:
///
///   input-stationary   T (cells + 1) + 1       the live cells of the input, accumulators, one
///   weight staged             T + 2                   accumulators, one input row, one weight;
///   with paired
///                                              cells a second weight
///   output-stationary  T F + min(T, F) + 1     accumulators of F = filter_block filters; of inputs
///                                              and weights the fewer stay, one passes
///   linear             T + 2                   accumulators, one input, one weight
///
/// The live cells are those of the largest pattern of `library`; `loads`, once planned, may say
/// that none lives (scope `kernel`: one input passes).
int64_t registersNeeded(mlir::Operation *layer, ScheduleAttr schedule, LibraryAttr library = {},
                        LoadsAttr loads = {});

/// True if the loop fits into the registers of `target`. An input-stationary tile of one vector
/// counts as legal in any case: nothing smaller exists, and the loop reloads what it cannot keep.
bool fitsRegisters(TargetAttr target, mlir::Operation *layer, ScheduleAttr schedule,
                   LibraryAttr library = {}, LoadsAttr loads = {});

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_SCHEDULE_H
