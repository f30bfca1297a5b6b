// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_IR_PATTERN_H
#define PATTERN_IR_PATTERN_H

#include "Pattern/IR/Bounds.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace pconv::pattern {
/// Whether layers work on tensors of this type (ODS: Pattern_Tensor).
bool isLayerTensor(mlir::Type type);

/// Whether `attribute` says how weights were pruned (ODS: Pattern_AnyScheme).
bool isScheme(mlir::Attribute attribute);

/// Number of windows of `kernel` cells along a side of `size` cells: rounded down, 0 if none fits.
int64_t countWindows(int64_t size, int64_t kernel, int64_t stride, int64_t padding,
                     int64_t dilation);
} // namespace pconv::pattern

#include "Pattern/IR/PatternDialect.h.inc"
#include "Pattern/IR/PatternEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "Pattern/IR/PatternAttrs.h.inc"
#define GET_OP_CLASSES
#include "Pattern/IR/PatternOps.h.inc"

#endif // PATTERN_IR_PATTERN_H
