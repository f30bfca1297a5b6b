// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_TRANSFORMS_PASSES_H
#define PATTERN_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace pconv::pattern {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

#endif // PATTERN_TRANSFORMS_PASSES_H
