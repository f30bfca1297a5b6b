// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How networks enter and leave the pattern dialect.
#ifndef PATTERN_CONVERSION_PASSES_TD
#define PATTERN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

#endif // PATTERN_CONVERSION_PASSES_TD
