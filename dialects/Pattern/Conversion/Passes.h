// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_CONVERSION_PASSES_H
#define PATTERN_CONVERSION_PASSES_H

// The dialects that the passes name as dependent have to be complete types here.
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace pconv {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "Pattern/Conversion/Passes.h.inc"
} // namespace pconv

#endif // PATTERN_CONVERSION_PASSES_H
