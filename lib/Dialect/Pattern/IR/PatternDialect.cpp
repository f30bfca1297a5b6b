// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pattern dialect: registration, and its attributes on ops of other dialects.
#include "Pattern/IR/Pattern.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace pconv::pattern;

#include "Pattern/IR/PatternDialect.cpp.inc"

void PatternDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "Pattern/IR/PatternOps.cpp.inc"
      >();
}

/// The sizes of what a network works on, each an i64 in 0 .. 2^40.
static LogicalResult verifyMemory(Operation *op, Attribute value) {
  auto sizes = dyn_cast<DictionaryAttr>(value);
  if (!sizes)
    return op->emitOpError("expected pattern.memory to be a dictionary, got ") << value;
  for (NamedAttribute entry : sizes) {
    StringRef name = entry.getName();
    if (!llvm::is_contained({"values", "indices", "arena", "scratch"}, name))
      return op->emitOpError("expected values, indices, arena and scratch in pattern.memory, got ")
             << name;
    auto size = dyn_cast<IntegerAttr>(entry.getValue());
    if (!size || !size.getType().isSignlessInteger(64) || size.getInt() < 0 ||
        size.getInt() > maxElements)
      return op->emitOpError("expected ") << name << " in pattern.memory to be an i64 in 0.."
                                          << maxElements << ", got " << entry.getValue();
  }
  return success();
}

LogicalResult PatternDialect::verifyOperationAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  if (!llvm::is_contained({"pattern.stage", "pattern.target", "pattern.memory"}, name))
    return success();
  if (!isa<ModuleOp>(op))
    return op->emitOpError("expected ") << name << " on a module, got it on " << op->getName();
  if (name == "pattern.target" && !isa<TargetAttr>(attribute.getValue()))
    return op->emitOpError("expected pattern.target to be a #pattern.target, got ")
           << attribute.getValue();
  if (name == "pattern.memory")
    return verifyMemory(op, attribute.getValue());
  auto stage = dyn_cast<StringAttr>(attribute.getValue());
  if (name == "pattern.stage" && (!stage || !symbolizeStage(stage)))
    return op->emitOpError("expected pattern.stage to name a stage, got ") << attribute.getValue();
  return success();
}

/// What an argument or a result of a function may carry.
static LogicalResult verifyValueAttribute(Operation *op, NamedAttribute attribute) {
  StringRef name = attribute.getName();
  Attribute value = attribute.getValue();
  if (name == "pattern.name" && !isa<StringAttr>(value))
    return op->emitOpError("expected pattern.name to be a string, got ") << value;
  if (name == "pattern.weights" && !isa<FlatSymbolRefAttr>(value))
    return op->emitOpError("expected pattern.weights to be a symbol, got ") << value;
  if (name == "pattern.scheme" && !isScheme(value))
    return op->emitOpError("expected pattern.scheme to be a pruning scheme, got ") << value;
  if (name == "pattern.kernels" && !isa<ElementsAttr>(value))
    return op->emitOpError("expected pattern.kernels to be a tensor, got ") << value;
  auto place = dyn_cast<IntegerAttr>(value);
  if (name == "pattern.place" &&
      (!place || !place.getType().isSignlessInteger(64) || place.getInt() < 0))
    return op->emitOpError("expected pattern.place to be an i64 that is not negative, got ")
           << value;
  return success();
}

LogicalResult PatternDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned,
                                                       NamedAttribute attribute) {
  return verifyValueAttribute(op, attribute);
}

LogicalResult PatternDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned,
                                                          NamedAttribute attribute) {
  return verifyValueAttribute(op, attribute);
}
