// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_CONVERSION_PASSES_H
#define PATTERN_CONVERSION_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace pconv {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Pattern/Conversion/Passes.h.inc"
} // namespace pconv

#endif // PATTERN_CONVERSION_PASSES_H
