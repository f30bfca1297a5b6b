// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_IR_PATTERN_H
#define PATTERN_IR_PATTERN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "Pattern/IR/PatternDialect.h.inc"
#include "Pattern/IR/PatternEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "Pattern/IR/PatternAttrs.h.inc"
#define GET_OP_CLASSES
#include "Pattern/IR/PatternOps.h.inc"

#endif // PATTERN_IR_PATTERN_H
