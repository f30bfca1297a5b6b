// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the body of a linalg op computes, as text that can be compared.
#include "Expression.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/InterleavedRange.h"

using namespace mlir;
using namespace pconv::pattern;

/// Text doubles with every op that uses a number twice.
static constexpr size_t maxOps = 16, maxText = 1 << 14;

/// The f32 constant that `value` is, or null. A constant of another float type that is cut to f32
/// counts as well: importers write an f64 epsilon that way.
static FloatAttr getNumber(Value value) {
  auto cut = value.getDefiningOp<arith::TruncFOp>();
  FloatAttr number;
  if (!value.getType().isF32() || !matchPattern(cut ? cut.getIn() : value, m_Constant(&number)))
    return {};
  return FloatAttr::get(value.getType(), number.getValueAsDouble());
}

static std::string describe(Value value, Block &body) {
  if (FloatAttr number = getNumber(value))
    return std::to_string(number.getValue().bitcastToAPInt().getZExtValue());
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() == &body ? "x" + std::to_string(argument.getArgNumber()) : "";
  Operation *op = value.getDefiningOp();
  if (op->getBlock() != &body || op->getNumResults() != 1 || op->getNumRegions() != 0)
    return "";

  SmallVector<std::string> operands;
  for (Value operand : op->getOperands()) {
    operands.push_back(describe(operand, body));
    if (operands.back().empty())
      return "";
  }
  if (op->hasTrait<OpTrait::IsCommutative>())
    llvm::sort(operands);
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << op->getName();
  for (NamedAttribute attribute : op->getAttrs())
    if (attribute.getName() != "fastmath")
      stream << ' ' << attribute.getName() << '=' << attribute.getValue();
  stream << '(' << llvm::interleaved(operands) << ')';
  return text.size() > maxText ? "" : text;
}

std::string pconv::pattern::expressionOf(Block &body) {
  if (body.getOperations().size() > maxOps || body.back().getNumOperands() != 1)
    return "";
  return describe(body.back().getOperand(0), body);
}

std::string pconv::pattern::expressionOf(MLIRContext *context, unsigned arguments,
                                         BuildNumber build) {
  Block body;
  ImplicitLocOpBuilder builder(UnknownLoc::get(context), context);
  for (unsigned i = 0; i < arguments; ++i)
    body.addArgument(builder.getF32Type(), builder.getLoc());
  builder.setInsertionPointToStart(&body);
  return describe(build(builder, body.getArguments()), body);
}

SmallVector<FloatAttr> pconv::pattern::constantsOf(Block &body) {
  SmallVector<FloatAttr> constants;
  for (Operation &op : body)
    for (Value operand : op.getOperands())
      if (FloatAttr number = getNumber(operand))
        constants.push_back(number);
  return constants;
}
