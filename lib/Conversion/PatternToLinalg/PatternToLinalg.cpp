// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives a network its dense meaning, as linalg on tensors.
#include "DenseBuilder.h"

#include "Pattern/Conversion/Passes.h"
#include "Pattern/IR/Stage.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace pconv {
#define GEN_PASS_DEF_CONVERTPATTERNTOLINALG
#include "Pattern/Conversion/Passes.h.inc"
} // namespace pconv

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

/// The layers and weights of one function.
class FunctionLowering {
public:
  explicit FunctionLowering(func::FuncOp function) : function(function) {}

  /// Fails, with a diagnostic, unless `run` can succeed. Changes nothing.
  LogicalResult check() {
    WalkResult walk = function.walk([&](Operation *op) {
      if (!isa_and_nonnull<PatternDialect>(op->getDialect()) || isa<WeightsOp, PackedOp>(op) ||
          op->getParentOfType<func::FuncOp>() != function) // of a module in the function
        return WalkResult::advance();
      layers.push_back(op);
      return failed(checkLayer(op)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return failure();
    if (!used.empty() && !SymbolTable::symbolKnownUseEmpty(function, function->getParentOp()))
      return function.emitOpError("expected a function that nothing refers to, since it gets ")
             << used.size() << " arguments for its weights, got one with uses";
    return success();
  }

  LogicalResult run() {
    if (layers.empty())
      return success();
    if (failed(addArguments()))
      return failure();
    DenseBuilder builder(function.getContext());
    builder.setInsertionPointToStart(&function.front());
    for (Operation *op : used) // sources come before what is made from them
      if (auto weights = cast<WeightsOp>(op); weights.getBatchNorm())
        values[op] = builder.fold(weights, values);
    for (Operation *op : layers) {
      op->getResult(0).replaceAllUsesWith(builder.lower(op, values));
      op->erase();
    }
    return success();
  }

private:
  LogicalResult checkLayer(Operation *op) {
    for (Type type : llvm::concat<const Type>(op->getOperandTypes(), op->getResultTypes()))
      if (Attribute layout = cast<RankedTensorType>(type).getEncoding())
        return op->emitOpError("expected tensors in plain layout, got ")
               << layout << "; convert before pattern-assign-layouts";
    // Means and interpolations look up numbers that are made for every row and column.
    auto conv = dyn_cast<Conv2DOp>(op);
    bool pools = conv && conv.getPool() && conv.getPool()->getKind() == PoolKind::Average;
    if (pools || isa<AvgPool2DOp, AdaptiveAvgPool2DOp, ResizeOp>(op))
      for (int64_t size : shapeOf(op->getResult(0)).take_back(2))
        if (size > maxDistance)
          return op->emitOpError("expected an output of at most ")
                 << maxDistance << " rows and columns, got " << size;
    return useWeights(op);
  }

  /// Notes the weights that `op` refers to, after those that they are made from.
  LogicalResult useWeights(Operation *op) {
    SmallVector<FlatSymbolRefAttr> names;
    auto add = [&](FlatSymbolRefAttr name) { name ? names.push_back(name) : void(); };
    auto addNorm = [&](BatchNormAttr norm) {
      names.append({norm.getScale(), norm.getShift(), norm.getMean(), norm.getVariance()});
    };
    llvm::TypeSwitch<Operation *>(op)
        .Case<Conv2DOp, LinearOp>([&](auto layer) {
          add(layer.getWeightsAttr());
          add(layer.getBiasAttr());
        })
        .Case([&](BatchNormOp layer) { addNorm(layer.getParameters()); })
        .Case([&](WeightsOp weights) {
          add(weights.getSourceAttr());
          if (weights.getBatchNorm())
            addNorm(*weights.getBatchNorm());
        });
    for (FlatSymbolRefAttr name : names) {
      auto weights = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(op, name);
      if (!weights)
        return op->emitOpError("expected ") << name << " to name a pattern.weights";
      if (used.contains(weights))
        continue;
      if (failed(useWeights(weights)))
        return failure();
      used.insert(weights);
    }
    return success();
  }

  /// Adds an argument for every tensor with values of its own, in the order of the module.
  LogicalResult addArguments() {
    SmallVector<WeightsOp> sources;
    for (Operation *op : used)
      if (auto weights = cast<WeightsOp>(op); !weights.getBatchNorm())
        sources.push_back(weights);
    llvm::sort(sources, [](WeightsOp a, WeightsOp b) { return a->isBeforeInBlock(b); });
    for (WeightsOp weights : sources) {
      if (failed(function.insertArgument(function.getNumArguments(), weights.getType(),
                                         describe(weights), weights.getLoc())))
        return failure();
      values[weights] = function.getArguments().back();
    }
    return success();
  }

  /// Says what an argument stands for, so that nothing is lost on the way back.
  static DictionaryAttr describe(WeightsOp weights) {
    NamedAttrList attributes;
    attributes.set("pattern.weights", FlatSymbolRefAttr::get(weights));
    if (!isa<DenseAttr>(weights.getScheme()))
      attributes.set("pattern.scheme", weights.getScheme());
    if (weights.getKernelsAttr())
      attributes.set("pattern.kernels", weights.getKernelsAttr());
    return attributes.getDictionary(weights.getContext());
  }

  func::FuncOp function;
  SmallVector<Operation *> layers;
  llvm::SetVector<Operation *> used; // pattern.weights
  DenseBuilder::Weights values;
};

struct ConvertPatternToLinalg : pconv::impl::ConvertPatternToLinalgBase<ConvertPatternToLinalg> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    SmallVector<FunctionLowering> functions;
    if (failed(checkNotPast(module, Stage::Reordered)) || failed(checkParents(module)))
      return signalPassFailure();
    module.walk([&](func::FuncOp function) { functions.emplace_back(function); });
    for (FunctionLowering &function : functions)
      if (failed(function.check()))
        return signalPassFailure();
    for (FunctionLowering &function : functions)
      if (failed(function.run()))
        return signalPassFailure();
    eraseWeights(module);
    module->removeAttr("pattern.stage");
  }

private:
  /// Layers get their weights as arguments of the function around them.
  static LogicalResult checkParents(ModuleOp module) {
    WalkResult walk = module.walk([](Operation *op) {
      if (!isa_and_nonnull<PatternDialect>(op->getDialect()) || isa<WeightsOp, PackedOp>(op))
        return WalkResult::advance();
      Operation *parent = op->getParentWithTrait<OpTrait::IsIsolatedFromAbove>();
      if (isa_and_nonnull<func::FuncOp>(parent))
        return WalkResult::advance();
      op->emitOpError("expected a layer in a func.func, got one in ") << parent->getName();
      return WalkResult::interrupt();
    });
    return failure(walk.wasInterrupted());
  }

  static void eraseWeights(ModuleOp module) {
    module.walk([](Operation *op) {
      if (isa<WeightsOp, PackedOp>(op))
        op->erase();
    });
  }
};

} // namespace
