// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_PIPELINES_H
#define PATTERN_PIPELINES_H

namespace pconv {

/// Registers the pipelines that take a network all the way: `pconv-to-llvm`.
void registerPipelines();

} // namespace pconv

#endif // PATTERN_PIPELINES_H
