// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which dataflow a convolution runs with.
#ifndef PATTERN_ANALYSIS_DATAFLOW_H
#define PATTERN_ANALYSIS_DATAFLOW_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// Cells that the largest kernel pattern keeps.
int64_t mostCells(LibraryAttr library);

/// Kernels that were not removed.
int64_t keptKernels(WeightsOp weights);

/// The dataflow that is predicted to be fastest on the target.
Dataflow chooseDataflow(Conv2DOp conv, TargetAttr target);

/// Whether staged tiles of an even number of rows would hold whole windows of the convolution's
/// pooling: 2 x 2 maxima of even planes, in vectors of even length.
bool hasWholeWindows(Conv2DOp conv, TargetAttr target);

/// Whether the convolution will run so that it can pool before it stores.
bool poolsInTile(Conv2DOp conv, TargetAttr target);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_DATAFLOW_H
