// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the stage `placed` promises.
#include "Promises.h"

#include "Pattern/Analysis/Footprint.h"
#include "Pattern/Analysis/PlaneGeometry.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// The op that makes `value`, or the function whose argument it is.
Operation *ownerOf(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument ? argument.getOwner()->getParentOp() : value.getDefiningOp();
}

IntegerAttr placeOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return cast<func::FuncOp>(ownerOf(value))
        .getArgAttrOfType<IntegerAttr>(argument.getArgNumber(), "pattern.place");
  Operation *op = value.getDefiningOp(); // on ops of other dialects the name may mean anything
  bool isLayer = isa_and_nonnull<PatternDialect>(op->getDialect());
  return isLayer ? op->getAttrOfType<IntegerAttr>("place") : IntegerAttr();
}

int64_t sizeOf(Value value) {
  return PlaneGeometry(cast<RankedTensorType>(value.getType())).size();
}

/// The tensors of one function.
class PlaceChecker {
public:
  PlaceChecker(Promises &promises, func::FuncOp function, int64_t arena)
      : promises(promises), function(function), arena(arena) {}

  void run() {
    Block &body = function.getBody().front();
    for (BlockArgument argument : body.getArguments()) // are there from step 0
      add(argument, 0);
    int64_t step = 0;
    for (Operation &op : body) {
      ++step;
      for (Value operand : op.getOperands())
        if (auto found = buffers.find(storage.lookup(operand)); found != buffers.end())
          found->second.to = step;
      for (Value result : op.getResults())
        add(result, step);
    }
    for (auto [index, buffer] : llvm::enumerate(buffers))
      for (const auto &other : llvm::make_range(buffers.begin(), buffers.begin() + index))
        checkApart(buffer.second, other.second);
    for (OpOperand &operand : body.getTerminator()->getOpOperands())
      checkResult(operand);
  }

private:
  /// The floats of one activation in the arena, and the steps from the first to the last op that
  /// touches it.
  struct Buffer {
    Value value;
    int64_t begin, end;
    int64_t from, to;
  };

  void add(Value value, int64_t step) {
    Operation *owner = ownerOf(value);
    if (!isLayerTensor(value.getType())) {
      promises.complain(owner, Stage::Imported)
          << "expected a tensor that layers work on, got " << value.getType();
      return;
    }
    IntegerAttr place = placeOf(value);
    if (!place) {
      promises.complain(owner, Stage::Placed)
          << "expected a place in the arena for a value of type " << value.getType()
          << ", got none";
      return;
    }
    if (auto reshape = value.getDefiningOp<ReshapeOp>()) { // the same floats under another shape
      storage[value] = storage.lookup(reshape.getInput());
      if (placeOf(reshape.getInput()) != place)
        promises.complain(reshape, Stage::Placed)
            << "expected the place of its input, got " << place.getInt();
      return;
    }
    int64_t begin = place.getInt(), size = sizeOf(value);
    if (begin > arena - size) { // no sum: places can be any number
      promises.complain(owner, Stage::Placed)
          << "expected a place for " << size << " floats below " << arena << ", got " << begin;
      return;
    }
    storage[value] = value;
    buffers[value] = {value, begin, begin + size, step, step};
  }

  /// An op writes its result while it reads its operands, so those live at the same time too.
  void checkApart(const Buffer &a, const Buffer &b) {
    if (a.from > b.to || b.from > a.to || a.begin >= b.end || b.begin >= a.end)
      return;
    InFlightDiagnostic error = promises.complain(ownerOf(a.value), Stage::Placed);
    error << "expected a place of its own, got " << a.begin << " to " << a.end;
    error.attachNote(b.value.getLoc())
        << "lives at the same time at " << b.begin << " to " << b.end;
  }

  void checkResult(OpOperand &returned) {
    unsigned number = returned.getOperandNumber();
    Attribute place = function.getResultAttr(number, "pattern.place");
    if (!place || place != placeOf(returned.get()))
      promises.complain(function, Stage::Placed)
          << "expected result #" << number << " to name the place of the returned value";
  }

  Promises &promises;
  func::FuncOp function;
  int64_t arena;
  llvm::DenseMap<Value, Value> storage; // a reshaped value -> the one that it renames
  llvm::MapVector<Value, Buffer> buffers;
};

} // namespace

void pconv::pattern::checkReach(Promises &promises, Operation *layer) {
  int64_t lanes = promises.target.getLanes(), scratch = *promises.sizeOf("scratch");
  if (int64_t needed = scratchFloats(layer, lanes); needed > scratch)
    promises.complain(layer, Stage::Placed)
        << "expected " << needed << " floats of scratch memory, got " << scratch;
  auto conv = dyn_cast<Conv2DOp>(layer);
  if (!conv)
    return;
  ConvFootprint footprint(conv, promises.weightsOf(conv).getShape(), lanes);
  int64_t arena = *promises.sizeOf("arena");
  auto check = [&](Value value, int64_t floats, StringRef what) {
    IntegerAttr place = value ? placeOf(value) : IntegerAttr();
    if (place && place.getInt() > arena - floats)
      promises.complain(conv, Stage::Placed)
          << "expected room for tiles that read " << floats << " floats from the start of its "
          << what << ", got " << arena - place.getInt() << " up to the end of the arena";
  };
  check(conv.getInput(), footprint.input, "input");
  check(conv.getResidual(), footprint.residual, "residual");
}

void pconv::pattern::checkPlaces(Promises &promises, func::FuncOp function) {
  PlaceChecker(promises, function, *promises.sizeOf("arena")).run();
}
