// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_PIPELINES_H
#define PATTERN_PIPELINES_H

namespace pconv {

/// Registers the pipelines: `pconv-to-llvm`, all the way, and `pconv-vector-to-llvm`, the part of
/// it behind the dialect.
void registerPipelines();

} // namespace pconv

#endif // PATTERN_PIPELINES_H
