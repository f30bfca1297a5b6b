// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stores every activation as planes that carry their border.
#include "Pattern/Analysis/Dataflow.h"
#include "Pattern/Analysis/Network.h"
#include "Pattern/Analysis/PlaneGeometry.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// What is known of one plane-like value before its layout is fixed.
struct Plane {
  int64_t halo = 0;
  int64_t rowPhases = 1, colPhases = 1;
};

/// Decides the layouts of one function.
class LayoutPlanner {
public:
  LayoutPlanner(func::FuncOp function, TargetAttr target)
      : function(function), target(target), lanes(target.getLanes()) {}

  LogicalResult run() {
    insertRelayouts();
    eraseUnusedRelayouts();
    collectPlanes();
    connectRows();
    return assignTypes();
  }

private:
  static RankedTensorType type(Value value) { return cast<RankedTensorType>(value.getType()); }
  static bool isPlane(Value value) { return type(value).getRank() == 4; }
  bool isPlain(Value value) const { return plain.contains(value); }
  static ArrayRef<int64_t> weightsShape(Conv2DOp conv) {
    return SymbolTable::lookupNearestSymbolFrom<WeightsOp>(conv, conv.getWeightsAttr()).getShape();
  }

  Value relayout(OpBuilder &builder, Location loc, Value value, StringAttr layer) {
    return RelayoutOp::create(builder, loc, value.getType(), value, layer, IntegerAttr());
  }

  /// Puts a copy wherever the form of a value has to change: at the function's edges, before
  /// strided convolutions, and around reshapes, which need plain row-major order.
  void insertRelayouts() {
    OpBuilder builder(function.getContext());
    Block &body = function.front();
    builder.setInsertionPointToStart(&body);
    for (BlockArgument argument : body.getArguments()) {
      if (!isPlane(argument))
        continue;
      Value copy = relayout(builder, argument.getLoc(), argument, {});
      argument.replaceAllUsesExcept(copy, copy.getDefiningOp());
      plain.insert(argument);
    }
    for (Operation &op : llvm::make_early_inc_range(body)) {
      builder.setInsertionPoint(&op);
      if (auto conv = dyn_cast<Conv2DOp>(op)) {
        splitPooling(builder, conv);
        builder.setInsertionPoint(&op);
        relayoutStridedInput(builder, conv);
      } else if (auto reshape = dyn_cast<ReshapeOp>(op))
        relayoutReshape(builder, reshape);
      else if (isa<func::ReturnOp>(op))
        for (OpOperand &operand : op.getOpOperands())
          makePlainOperand(builder, op, operand);
    }
  }

  /// Takes a fused pooling out again where the convolution's tiles do not hold whole windows.
  void splitPooling(OpBuilder &builder, Conv2DOp conv) {
    if (!conv.getPool() || poolsInTile(conv, target))
      return;
    PoolAttr pool = conv.getPoolAttr();
    Type pooled = conv.getOutput().getType();
    conv.removePoolAttr();
    conv.getOutput().setType(
        RankedTensorType::get(conv.getConvShape(weightsShape(conv)), builder.getF32Type()));
    builder.setInsertionPointAfter(conv);
    OperationState state(conv.getLoc(), pool.getKind() == PoolKind::Max
                                            ? MaxPool2DOp::getOperationName()
                                            : AvgPool2DOp::getOperationName());
    state.addOperands(conv.getOutput());
    state.addTypes(pooled);
    state.addAttribute("kernel", pool.getKernel());
    state.addAttribute("strides", pool.getStrides());
    Operation *split = builder.create(state);
    if (conv.getLayerAttr())
      split->setAttr("layer", conv.getLayerAttr());
    conv.getOutput().replaceAllUsesExcept(split->getResult(0), split);
  }

  void makePlainOperand(OpBuilder &builder, Operation &op, OpOperand &operand) {
    if (!isPlane(operand.get()) || isPlain(operand.get()))
      return;
    Value copy = relayout(builder, op.getLoc(), operand.get(), {});
    plain.insert(copy);
    operand.set(copy);
  }

  static bool isStrided(Conv2DOp conv) {
    return conv.getStrides()[0] != 1 || conv.getStrides()[1] != 1;
  }

  /// What a strided convolution takes its copy from: its input, or what that was copied from if
  /// nobody else needs that copy.
  static Value stridedSource(Conv2DOp conv) {
    auto copy = conv.getInput().getDefiningOp<RelayoutOp>();
    bool needed = !copy || llvm::any_of(copy->getUses(), [](OpOperand &use) {
      auto user = dyn_cast<Conv2DOp>(use.getOwner());
      return !user || !isStrided(user) || user.getResidual() == use.get();
    });
    return needed ? conv.getInput() : copy.getInput();
  }

  void relayoutStridedInput(OpBuilder &builder, Conv2DOp conv) {
    if (!isStrided(conv))
      return;
    Value source = stridedSource(conv);
    // Two convolutions of one stride share the copy of their input.
    SmallVector<int64_t, 2> strides(conv.getStrides());
    Value &copy = strided[{source, {strides[0], strides[1]}}];
    if (!copy) {
      copy = relayout(builder, conv.getLoc(), source, conv.getLayerAttr());
      Plane &plane = planes[copy];
      plane.rowPhases = strides[0];
      plane.colPhases = strides[1];
    }
    conv.getInputMutable().assign(copy);
  }

  void relayoutReshape(OpBuilder &builder, ReshapeOp reshape) {
    makePlainOperand(builder, *reshape, reshape->getOpOperand(0));
    Value result = reshape.getOutput();
    if (!isPlane(result))
      return;
    plain.insert(result);
    builder.setInsertionPointAfter(reshape);
    Value copy = relayout(builder, reshape.getLoc(), result, reshape.getLayerAttr());
    result.replaceAllUsesExcept(copy, copy.getDefiningOp());
  }

  /// Copies that only strided convolutions would have used.
  void eraseUnusedRelayouts() {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.front())))
      if (isa<RelayoutOp>(op) && op.use_empty())
        op.erase();
  }

  /// Finds every value that becomes a plane, and the border that its consumers read.
  void collectPlanes() {
    for (Operation &op : function.front())
      for (Value result : op.getResults())
        if (isPlane(result) && !isPlain(result))
          planes[result];
    for (auto &[value, plane] : planes)
      for (Operation *user : value.getUsers())
        if (auto conv = dyn_cast<Conv2DOp>(user); conv && conv.getInput() == value)
          plane.halo = std::max(plane.halo, borderNeeded(conv, weightsShape(conv)));
  }

  /// A convolution treats a plane as one long row, and so do element-wise ops: what they read and
  /// write has to have rows of one length.
  void connectRows() {
    for (auto &[value, plane] : planes)
      rows.insert(value.getAsOpaquePointer());
    auto connect = [&](Value a, Value b) {
      if (planes.contains(a) && planes.contains(b))
        rows.unionSets(a.getAsOpaquePointer(), b.getAsOpaquePointer());
    };
    for (Operation &op : function.front()) {
      if (auto conv = dyn_cast<Conv2DOp>(op)) {
        if (conv.getResidual())
          connect(conv.getInput(), conv.getResidual());
        if (!conv.getPool())
          connect(conv.getInput(), conv.getOutput());
      } else if (isa<AddOp, MulOp, ActivateOp, BatchNormOp>(op)) {
        for (Value operand : op.getOperands())
          if (operand.getType() == op.getResult(0).getType())
            connect(operand, op.getResult(0));
      }
    }
  }

  void *classOf(Value value) const { return rows.getLeaderValue(value.getAsOpaquePointer()); }

  /// Staged tiles copy and write row by row: there, rows that start with a whole vector meet fewer
  /// cache lines. All others walk the rows as one, where each float more is a position more.
  void alignStagedRows(llvm::MapVector<void *, int64_t> &stride) const {
    constexpr double kMostGrowth = 1.1;
    for (auto conv : function.getOps<Conv2DOp>()) {
      if (chooseDataflow(conv, target) != Dataflow::Staged)
        continue;
      for (Value value : {conv.getInput(), conv.getOutput()}) {
        int64_t &row = stride[classOf(value)], aligned = llvm::alignTo(row, lanes);
        if (aligned <= row * kMostGrowth)
          row = aligned;
      }
    }
  }

  /// Fails on planes that are too large with their border.
  LogicalResult assignTypes() {
    llvm::MapVector<void *, int64_t> stride; // of each class of rows
    for (auto &[value, plane] : planes) {
      int64_t &row = stride[classOf(value)];
      row = std::max(row, minimalRowStride(type(value).getShape(), plane.halo, plane.colPhases));
    }
    alignStagedRows(stride);
    for (auto &[value, plane] : planes) {
      int64_t row = stride[classOf(value)];
      int64_t channel = minimalChannelStride(type(value).getShape(), plane.halo, row,
                                             plane.rowPhases, plane.colPhases, lanes);
      auto report = [loc = value.getLoc()] { return emitError(loc); };
      auto layout = PlaneAttr::getChecked(report, function.getContext(), plane.halo, row, channel,
                                          plane.rowPhases, plane.colPhases);
      auto laidOut = layout ? RankedTensorType::getChecked(report, type(value).getShape(),
                                                           type(value).getElementType(), layout)
                            : RankedTensorType();
      if (!laidOut)
        return failure();
      Value target = value;
      target.setType(laidOut);
    }
    return success();
  }

  mutable func::FuncOp function;
  TargetAttr target;
  int64_t lanes;
  llvm::MapVector<Value, Plane> planes;
  llvm::DenseSet<Value> plain; // rank 4, but in plain NCHW order
  llvm::DenseMap<std::pair<Value, std::pair<int64_t, int64_t>>, Value> strided;
  llvm::EquivalenceClasses<void *> rows;
};

struct AssignLayouts : pconv::pattern::impl::AssignLayoutsBase<AssignLayouts> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // Planes are laid out once: what is there already has copies at its edges.
    if (failed(checkNotPast(module, Stage::Reordered)))
      return signalPassFailure();
    TargetAttr target = getTarget(module);
    if (!target)
      return signalPassFailure();
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal() &&
          (failed(checkNetwork(function)) || failed(LayoutPlanner(function, target).run())))
        return signalPassFailure();
    setStage(module, Stage::LaidOut);
  }
};

} // namespace
