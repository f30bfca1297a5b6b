// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which ops can become part of the layer that makes their input.
//
// Each function gives that layer, or null. A layer is taken only where nothing else uses its
// result.
#ifndef PATTERN_ANALYSIS_FUSION_H
#define PATTERN_ANALYSIS_FUSION_H

#include "Pattern/IR/Pattern.h"

namespace pconv::pattern {

/// The conv2d or linear into whose weights `norm` can be folded: nothing may come between the two.
mlir::Operation *findFoldableProducer(BatchNormOp norm);

/// The conv2d that can take the other operand of `add` as its residual. Of two candidates the
/// later, which has the other operand at hand where it stands.
Conv2DOp findResidualProducer(AddOp add);

/// The conv2d, linear, add or mul that can apply the activation itself. After a maximum pooling
/// only a monotone function can go in, since the layer pools last: f(max(x)) = max(f(x)).
mlir::Operation *findActivationProducer(ActivateOp activate);

/// The conv2d that can pool its result itself: windows without padding and dilation that do not
/// overlap, and no window that hangs over the edge.
Conv2DOp findPoolingProducer(MaxPool2DOp pool);

} // namespace pconv::pattern

#endif // PATTERN_ANALYSIS_FUSION_H
