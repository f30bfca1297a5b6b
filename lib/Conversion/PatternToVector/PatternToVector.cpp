// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lowers a placed network: one function a layer, and one that calls them in order.
#include "Layers.h"
#include "Pattern/Analysis/Network.h"
#include "Pattern/Analysis/StagePromises.h"
#include "Pattern/Conversion/Passes.h"
#include "Pattern/IR/Stage.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

namespace pconv {
#define GEN_PASS_DEF_CONVERTPATTERNTOVECTOR
#include "Pattern/Conversion/Passes.h.inc"
} // namespace pconv

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

/// Where the tensor of `value` lies in the arena.
int64_t placeOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return cast<func::FuncOp>(argument.getOwner()->getParentOp())
        .getArgAttrOfType<IntegerAttr>(argument.getArgNumber(), "pattern.place")
        .getInt();
  return value.getDefiningOp()->getAttrOfType<IntegerAttr>("place").getInt();
}

Plane planeOf(Value value) {
  return Plane(cast<RankedTensorType>(value.getType()), placeOf(value));
}

/// Collects what the generators need to know of a layer.
Layer describe(Operation *op) {
  Layer layer{{}, planeOf(op->getResult(0)), nullptr, nullptr};
  for (Value operand : op->getOperands())
    layer.inputs.push_back(planeOf(operand));
  if (!isa<Conv2DOp, LinearOp, BatchNormOp>(op))
    return layer;
  layer.packed = SymbolTable::lookupNearestSymbolFrom<PackedOp>(
      op, op->getAttrOfType<FlatSymbolRefAttr>("packed"));
  layer.weights =
      SymbolTable::lookupNearestSymbolFrom<WeightsOp>(op, layer.packed.getWeightsAttr());
  return layer;
}

/// The generators see four axes: a tensor of more counts the last ones as one.
LogicalResult checkAxes(Operation *op) {
  auto type = [](Value value) { return cast<RankedTensorType>(value.getType()); };
  RankedTensorType output = type(op->getResult(0));
  auto axis = isa<ConcatOp, SoftmaxOp>(op) ? op->getAttrOfType<IntegerAttr>("axis") : IntegerAttr();
  bool broadcasts =
      isa<AddOp, MulOp>(op) && type(op->getOperand(1)).getShape() != output.getShape();
  if (output.getRank() <= 4 || !(broadcasts || (axis && axis.getInt() > 2)))
    return success();
  return op->emitOpError("expected at most 4 axes, got ") << output.getRank();
}

FailureOr<StepBody> lowerLayer(Operation *op, const Layer &layer, TargetAttr target) {
  if (failed(checkAxes(op)))
    return failure();
  return llvm::TypeSwitch<Operation *, FailureOr<StepBody>>(op)
      .Case<Conv2DOp>([&](Conv2DOp conv) {
        switch (conv.getScheduleAttr().getDataflow()) {
        case Dataflow::InputStationary:
          return lowerInputStationaryConv(conv, layer, target);
        case Dataflow::Staged:
          return lowerStagedConv(conv, layer, target);
        case Dataflow::OutputStationary:
          return lowerOutputStationaryConv(conv, layer, target);
        }
        llvm_unreachable("all dataflows are handled");
      })
      .Case<LinearOp>([&](LinearOp linear) { return lowerLinear(linear, layer, target); })
      .Case<MaxPool2DOp>([&](auto pool) { return lowerMaxPool(pool, layer); })
      .Case<AvgPool2DOp>([&](auto pool) { return lowerAvgPool(pool, layer); })
      .Case<AdaptiveAvgPool2DOp>([&](auto pool) { return lowerAdaptiveAvgPool(pool, layer); })
      .Case<AddOp, MulOp>([&](auto binary) { return lowerBinary(binary, layer); })
      .Case<ActivateOp>([&](auto activate) { return lowerActivate(activate, layer); })
      .Case<BatchNormOp>([&](auto norm) { return lowerBatchNorm(norm, layer); })
      .Case<ConcatOp>([&](auto concat) { return lowerConcat(concat, layer); })
      .Case<ResizeOp>([&](auto resize) { return lowerResize(resize, layer); })
      .Case<SoftmaxOp>([&](auto softmax) { return lowerSoftmax(softmax, layer); })
      .Case<RelayoutOp>([&](auto relayout) { return lowerRelayout(relayout, layer); })
      .Default([](Operation *other) -> FailureOr<StepBody> {
        return other->emitOpError("has no lowering to the vector dialect");
      });
}

/// Makes the functions of one network.
class NetworkLowering {
public:
  NetworkLowering(ModuleOp module, TargetAttr target, const MemorySizes &sizes)
      : module(module), target(target), sizes(sizes), builder(module.getContext()) {
    auto buffer = [&](int64_t size, Type element) {
      return MemRefType::get({std::max<int64_t>(size, 1)}, element);
    };
    Type index = builder.getIndexType();
    data = {buffer(sizes.arena + sizes.scratch, builder.getF32Type()),
            buffer(sizes.values, builder.getF32Type()),
            buffer(sizes.indices, builder.getI32Type())};
    SmallVector<Type> stepInputs{index, index, index};
    stepInputs.append(data);
    stepType = builder.getFunctionType(stepInputs, {});
    runType = LLVM::LLVMPointerType::get(module.getContext());
  }

  LogicalResult run(func::FuncOp network) {
    builder.setInsertionPoint(network);
    declareParallelFor();
    SmallVector<Type> inputs{runType};
    inputs.append(data);
    auto entry = func::FuncOp::create(builder, network.getLoc(), "pconv_network",
                                      builder.getFunctionType(inputs, {}));
    Block *body = entry.addEntryBlock();
    for (Operation &op : network.front().without_terminator()) {
      if (isa<ReshapeOp>(op)) // the result lies where the operand does
        continue;
      if (failed(lowerStep(op, entry, body)))
        return failure();
    }
    auto end = OpBuilder::atBlockEnd(body);
    func::ReturnOp::create(end, network.getLoc());
    module->setAttr("pattern.steps", builder.getArrayAttr(steps));
    module->setAttr("pattern.inputs", describeEdge(network, /*results=*/false));
    module->setAttr("pattern.outputs", describeEdge(network, /*results=*/true));
    network.erase();
    return success();
  }

private:
  void declareParallelFor() {
    Type index = builder.getIndexType();
    SmallVector<Type> inputs{runType, index, stepType, index};
    inputs.append(data);
    parallelFor = func::FuncOp::create(builder, module.getLoc(), "pconv_parallel_for",
                                       builder.getFunctionType(inputs, {}));
    parallelFor.setPrivate();
  }

  LogicalResult lowerStep(Operation &op, func::FuncOp entry, Block *body) {
    FailureOr<StepBody> code = lowerLayer(&op, describe(&op), target);
    if (failed(code))
      return failure();

    auto layerName = op.getAttrOfType<StringAttr>("layer");
    std::string name = ("step_" + Twine(steps.size())).str();
    auto step = func::FuncOp::create(builder, op.getLoc(), name, stepType);
    step.setPrivate();
    Block *stepBody = step.addEntryBlock();
    for (unsigned i : {3, 4, 5}) // LLVM may take the three buffers for disjoint
      step.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), builder.getUnitAttr());
    StepBuilder b(step, target, sizes);
    b.loop(b.begin(), b.end(), 1, [&](Value item) { code->emit(b, item); });
    auto end = OpBuilder::atBlockEnd(stepBody);
    func::ReturnOp::create(end, op.getLoc());

    auto call = OpBuilder::atBlockEnd(body);
    Location loc = op.getLoc();
    Value function = func::ConstantOp::create(call, loc, stepType, name);
    SmallVector<Value> operands{entry.getArgument(0),
                                arith::ConstantIndexOp::create(call, loc, steps.size()), function,
                                arith::ConstantIndexOp::create(call, loc, code->items)};
    for (unsigned i : {1, 2, 3})
      operands.push_back(entry.getArgument(i));
    func::CallOp::create(call, loc, parallelFor, operands);

    NamedAttrList entryOf;
    entryOf.set("layer", layerName ? layerName : builder.getStringAttr(""));
    entryOf.set("kind", builder.getStringAttr(op.getName().stripDialect()));
    entryOf.set("items", builder.getI64IntegerAttr(code->items));
    steps.push_back(entryOf.getDictionary(module.getContext()));
    return success();
  }

  /// The places, names and types of the network's inputs or outputs, for whoever runs it.
  ArrayAttr describeEdge(func::FuncOp network, bool results) {
    SmallVector<Attribute> list;
    unsigned count = results ? network.getNumResults() : network.getNumArguments();
    for (unsigned i = 0; i < count; ++i) {
      DictionaryAttr attrs = results ? network.getResultAttrDict(i) : network.getArgAttrDict(i);
      NamedAttrList entry(attrs);
      auto type = cast<RankedTensorType>(results ? network.getResultTypes()[i]
                                                 : network.getArgumentTypes()[i]);
      entry.set("pattern.shape", builder.getDenseI64ArrayAttr(type.getShape()));
      list.push_back(entry.getDictionary(module.getContext()));
    }
    return builder.getArrayAttr(list);
  }

  ModuleOp module;
  TargetAttr target;
  MemorySizes sizes;
  OpBuilder builder;
  SmallVector<Type> data;
  FunctionType stepType;
  Type runType;
  func::FuncOp parallelFor;
  SmallVector<Attribute> steps;
};

struct ConvertPatternToVector : pconv::impl::ConvertPatternToVectorBase<ConvertPatternToVector> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto network = module.lookupSymbol<func::FuncOp>("main");
    if (!network) {
      module.emitError("expected a function @main, got none");
      return signalPassFailure();
    }
    if (failed(checkNotPast(module, Stage::Placed)) || failed(checkNetwork(network)) ||
        failed(verifyStage(module, Stage::Placed)))
      return signalPassFailure();
    auto memory = module->getAttrOfType<DictionaryAttr>("pattern.memory");
    auto size = [&](StringRef name) { return memory.getAs<IntegerAttr>(name).getInt(); };
    MemorySizes sizes{size("arena"), size("scratch"), size("values"), size("indices")};
    auto target = module->getAttrOfType<TargetAttr>("pattern.target");
    if (failed(NetworkLowering(module, target, sizes).run(network)))
      return signalPassFailure();
    for (Operation &op : llvm::make_early_inc_range(*module.getBody()))
      if (isa<WeightsOp, PackedOp>(op))
        op.erase();
    if (failed(approximateExponentials(module, target)))
      return signalPassFailure();
    setStage(module, Stage::Lowered);
  }

  /// Vectors have no exponential function in libm: a polynomial takes its place.
  static LogicalResult approximateExponentials(ModuleOp module, TargetAttr target) {
    bool found = module.walk([](math::ExpOp) { return WalkResult::interrupt(); }).wasInterrupted();
    if (!found)
      return success();
    RewritePatternSet rewrites(module.getContext());
    populateMathPolynomialApproximationPatterns(
        rewrites, [](StringRef name) { return name == math::ExpOp::getOperationName(); });
    if (failed(applyPatternsGreedily(module, std::move(rewrites))))
      return failure();
    if (!target.getFma())
      module.walk(splitMultiplyAdd);
    return success();
  }

  /// Without the instruction a fused multiply-add would become a call of libm, lane by lane.
  static void splitMultiplyAdd(math::FmaOp op) {
    OpBuilder b(op);
    Value product = arith::MulFOp::create(b, op.getLoc(), op.getA(), op.getB());
    op.replaceAllUsesWith(arith::AddFOp::create(b, op.getLoc(), product, op.getC()).getResult());
    op.erase();
  }
};

} // namespace
