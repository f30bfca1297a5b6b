// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which values of a linalg network are weights, and the symbols that stand for them.
#include "WeightSymbols.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace pconv::pattern;

/// An attribute of the function's argument that `value` is, or null.
template <typename AttrTy> static AttrTy getArgumentAttr(Value value, StringRef name) {
  auto argument = dyn_cast<BlockArgument>(value);
  auto function = argument ? dyn_cast_or_null<func::FuncOp>(argument.getOwner()->getParentOp())
                           : func::FuncOp();
  if (!function || !argument.getOwner()->isEntryBlock())
    return {};
  return function.getArgAttrOfType<AttrTy>(argument.getArgNumber(), name);
}

static ElementsAttr getConstant(Value value) {
  ElementsAttr constant;
  return matchPattern(value, m_Constant(&constant)) ? constant : ElementsAttr();
}

bool WeightSymbols::isWeights(Value value, ArrayRef<int64_t> shape) const {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !isLayerTensor(type) || type.getEncoding() || type.getShape() != shape)
    return false;
  // Symbols are those of the module: a function in another one cannot name them.
  auto function = value.getParentRegion()->getParentOfType<func::FuncOp>();
  if (!function || function->getParentOp() != symbols.getOp())
    return false;
  if (getConstant(value))
    return true;
  auto name = getArgumentAttr<FlatSymbolRefAttr>(value, "pattern.weights");
  if (!name)
    return false;
  Operation *symbol = symbols.lookup(name.getAttr());
  auto weights = dyn_cast_or_null<WeightsOp>(symbol);
  return !symbol || (weights && weights.getType() == type && !weights.getBatchNorm());
}

FlatSymbolRefAttr WeightSymbols::make(Value value, StringRef name, Attribute scheme,
                                      ElementsAttr kernels, ElementsAttr values) {
  auto function = value.getParentRegion()->getParentOfType<func::FuncOp>();
  OpBuilder builder(value.getContext());
  auto op = WeightsOp::create(builder, value.getLoc(), name, value.getType(), scheme, kernels,
                              FlatSymbolRefAttr(), BatchNormAttr());
  if (values)
    op->setAttr("values", values);
  // Gives it another name where this one is taken.
  return FlatSymbolRefAttr::get(symbols.insert(op, Block::iterator(function)));
}

FlatSymbolRefAttr WeightSymbols::get(Value value, StringAttr layer, StringRef role) {
  Attribute dense = DenseAttr::get(value.getContext());
  if (ElementsAttr values = getConstant(value)) {
    FlatSymbolRefAttr &made = constants[values];
    if (made)
      return made;
    std::string name = ((layer ? layer.getValue() : "constant") + "." + role).str();
    if (auto resource = dyn_cast<DenseResourceElementsAttr>(values))
      name = resource.getRawHandle().getKey();
    return made = make(value, name, dense, ElementsAttr(), values);
  }
  arguments.insert(cast<BlockArgument>(value));
  auto name = getArgumentAttr<FlatSymbolRefAttr>(value, "pattern.weights");
  if (symbols.lookup(name.getAttr()))
    return name;
  auto scheme = getArgumentAttr<Attribute>(value, "pattern.scheme");
  return make(value, name.getValue(), scheme ? scheme : dense,
              getArgumentAttr<ElementsAttr>(value, "pattern.kernels"), ElementsAttr());
}

void WeightSymbols::eraseArguments() {
  llvm::MapVector<Operation *, llvm::BitVector> unused;
  for (BlockArgument argument : arguments) {
    auto function = cast<func::FuncOp>(argument.getOwner()->getParentOp());
    if (!argument.use_empty() || !symbols.getOp()->hasTrait<OpTrait::SymbolTable>())
      continue;
    llvm::BitVector &numbers = unused[function];
    numbers.resize(function.getNumArguments());
    numbers.set(argument.getArgNumber());
  }
  for (auto &[function, numbers] : unused)
    if (SymbolTable::symbolKnownUseEmpty(function, symbols.getOp()))
      (void)cast<func::FuncOp>(function).eraseArguments(numbers);
}
