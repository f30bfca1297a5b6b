// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives every activation a place in one arena, reusing the places of dead ones.
#include "Pattern/Analysis/Footprint.h"
#include "Pattern/Analysis/Network.h"
#include "Pattern/Analysis/PlaneGeometry.h"
#include "Pattern/Analysis/StagePromises.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_PLANMEMORY
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// An activation: alive from step `from` to step `to`, both included. `lead` floats in front let
/// element (0, 0) start a cache line.
struct Buffer {
  int64_t from, to, lead, size;
  int64_t place = 0;
};

class MemoryPlanner {
public:
  MemoryPlanner(func::FuncOp function, int64_t lanes) : function(function), lanes(lanes) {}

  /// Returns the floats of the arena.
  int64_t run() {
    collect();
    int64_t arena = place();
    annotate();
    return arena;
  }

private:
  /// A reshape renames its operand: both are one buffer.
  static Value storageOf(Value value) {
    while (auto reshape = value.getDefiningOp<ReshapeOp>())
      value = reshape.getInput();
    return value;
  }

  void add(Value value, int64_t step) {
    PlaneGeometry geometry(cast<RankedTensorType>(value.getType()));
    // A tile may read past the last plane: by the rows and by the vectors of a tile.
    int64_t slack = 2 * (geometry.halo + 1) * geometry.rowStride +
                    kMaxTileVectors * std::max(lanes, kAlignment);
    int64_t first = geometry.firstElement(), lead = llvm::alignTo(first, kAlignment) - first;
    int64_t size = llvm::alignTo(lead + geometry.size() + slack, kAlignment);
    buffers[value] = {step, step, lead, size};
  }

  void collect() {
    for (BlockArgument argument : function.getArguments())
      add(argument, 0);
    int64_t step = 0;
    for (Operation &op : function.front()) {
      ++step;
      for (Value operand : op.getOperands())
        buffers[storageOf(operand)].to = step;
      if (!isa<ReshapeOp>(op))
        for (Value result : op.getResults())
          add(result, step);
    }
  }

  /// Largest first, each at the lowest place where it meets no buffer that lives at the same time.
  int64_t place() {
    SmallVector<Buffer *> order;
    for (auto &entry : buffers)
      order.push_back(&entry.second);
    llvm::stable_sort(order, [](Buffer *a, Buffer *b) { return a->size > b->size; });
    int64_t arena = 0;
    for (auto [index, buffer] : llvm::enumerate(order)) {
      SmallVector<Buffer *> rivals;
      for (Buffer *other : ArrayRef(order).take_front(index))
        if (other->from <= buffer->to && buffer->from <= other->to)
          rivals.push_back(other);
      llvm::sort(rivals, [](Buffer *a, Buffer *b) { return a->place < b->place; });
      for (Buffer *rival : rivals)
        if (buffer->place + buffer->size > rival->place)
          buffer->place = std::max(buffer->place, rival->place + rival->size);
      arena = std::max(arena, buffer->place + buffer->size);
    }
    return arena;
  }

  void annotate() {
    OpBuilder builder(function.getContext());
    auto placeOf = [&](Value value) {
      const Buffer &buffer = buffers[storageOf(value)];
      return builder.getI64IntegerAttr(buffer.place + buffer.lead);
    };
    for (BlockArgument argument : function.getArguments())
      function.setArgAttr(argument.getArgNumber(), "pattern.place", placeOf(argument));
    for (Operation &op : function.front()) {
      if (auto result = dyn_cast<func::ReturnOp>(op))
        for (auto [index, operand] : llvm::enumerate(result.getOperands()))
          function.setResultAttr(index, "pattern.place", placeOf(operand));
      else
        op.setAttr("place", placeOf(op.getResult(0)));
    }
  }

  static constexpr int64_t kAlignment = 16; // floats: one cache line

  func::FuncOp function;
  int64_t lanes;
  llvm::MapVector<Value, Buffer> buffers;
};

struct PlanMemory : pconv::pattern::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkNotPast(module, Stage::Placed)))
      return signalPassFailure();
    auto target = module->getAttrOfType<TargetAttr>("pattern.target");
    auto memory = module->getAttrOfType<DictionaryAttr>("pattern.memory");
    auto network = module.lookupSymbol<func::FuncOp>("main");
    if (!target || !memory || !network) {
      module.emitError("expected pattern.target, pattern.memory and a function @main; run "
                       "pattern-pack-weights first");
      return signalPassFailure();
    }
    if (failed(checkNetwork(network)) || failed(verifyStage(module, Stage::Packed)))
      return signalPassFailure();
    int64_t scratch = 0;
    network.walk(
        [&](Operation *op) { scratch = std::max(scratch, scratchFloats(op, target.getLanes())); });
    OpBuilder builder(module.getContext());
    NamedAttrList sizes(memory);
    sizes.set("arena", builder.getI64IntegerAttr(MemoryPlanner(network, target.getLanes()).run()));
    sizes.set("scratch", builder.getI64IntegerAttr(llvm::alignTo(scratch, 1024) + 64));
    module->setAttr("pattern.memory", sizes.getDictionary(module.getContext()));
    setStage(module, Stage::Placed);
  }
};

} // namespace
