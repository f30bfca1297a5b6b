// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the stages promise.
//
// What an op can see of itself and of the symbols that it names is checked by its own verifier;
// here stands what only a stage promises.
#include "Pattern/Analysis/StagePromises.h"
#include "Pattern/Analysis/Dataflow.h"
#include "Pattern/Analysis/Fusion.h"
#include "Pattern/Analysis/PlaneGeometry.h"
#include "Pattern/Analysis/Schedule.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace pconv::pattern;

namespace {

StringRef ensuredBy(Stage stage) {
  switch (stage) {
  case Stage::Imported:
    return "the importer";
  case Stage::Fused:
    return "pattern-fuse-layers";
  case Stage::Reordered:
    return "pattern-reorder-filters";
  case Stage::LaidOut:
    return "pattern-assign-layouts";
  case Stage::Scheduled:
    return "pattern-assign-schedules";
  case Stage::Planned:
    return "pattern-eliminate-redundant-loads";
  case Stage::Packed:
    return "pattern-pack-weights";
  case Stage::Placed:
    return "pattern-plan-memory";
  case Stage::Lowered:
    return "convert-pattern-to-vector";
  }
  llvm_unreachable("unknown stage");
}

/// The form in which the kernel loop of a dataflow reads its weights.
PackForm formFor(Dataflow dataflow) {
  switch (dataflow) {
  case Dataflow::InputStationary:
    return PackForm::Runs;
  case Dataflow::OutputStationary:
    return PackForm::Panels;
  case Dataflow::Staged:
    return PackForm::Records;
  }
  llvm_unreachable("unknown dataflow");
}

/// The schedule of a layer with weights, or null.
ScheduleAttr scheduleOf(Operation *op) { return op->getAttrOfType<ScheduleAttr>("schedule"); }

class StageVerifier {
public:
  StageVerifier(ModuleOp module, Stage stage)
      : module(module), symbols(module), stage(stage),
        target(module->getAttrOfType<TargetAttr>("pattern.target")),
        memory(module->getAttrOfType<DictionaryAttr>("pattern.memory")) {}

  LogicalResult verify() {
    if (stage == Stage::Lowered) {
      module.walk([&](Operation *op) { checkLowered(op); });
      return success(kept);
    }
    checkModule();
    for (auto function : module.getOps<func::FuncOp>())
      if (!function.isExternal())
        checkFunction(function);
    return success(kept);
  }

private:
  bool reached(Stage other) const { return stage >= other; }

  /// An error that says which pass keeps the promise that `op` breaks.
  InFlightDiagnostic complain(Operation *op, Stage broken) {
    kept = false;
    InFlightDiagnostic error = op->emitOpError();
    error.attachNote() << "promised by stage '" << stringifyStage(broken) << "', which "
                       << ensuredBy(broken) << " ensures";
    return error;
  }

  void checkModule() {
    if (reached(Stage::Scheduled) && !target)
      complain(module, Stage::Scheduled) << "expected an attribute pattern.target, got none";
    for (StringRef size : {"values", "indices"})
      if (reached(Stage::Packed) && !sizeOf(size))
        complain(module, Stage::Packed) << "expected pattern.memory to say `" << size << "`";
    for (StringRef size : {"arena", "scratch"})
      if (reached(Stage::Placed) && !sizeOf(size))
        complain(module, Stage::Placed) << "expected pattern.memory to say `" << size << "`";
  }

  /// An entry of pattern.memory.
  std::optional<int64_t> sizeOf(StringRef name) const {
    auto size = memory ? memory.getAs<IntegerAttr>(name) : IntegerAttr();
    return size ? std::optional(size.getInt()) : std::nullopt;
  }

  void checkFunction(func::FuncOp function) {
    if (!function.getBody().hasOneBlock())
      complain(function, Stage::Imported)
          << "expected one block, got " << function.getBody().getBlocks().size();
    for (Block &block : function.getBody())
      for (Operation &op : block)
        checkOp(&op);
    if (reached(Stage::Placed) && sizeOf("arena"))
      checkPlaces(function);
  }

  void checkOp(Operation *op) {
    checkImported(op);
    // Only at its own stage: nothing relies on fusion, so later stages let it be switched off.
    if (auto norm = dyn_cast<BatchNormOp>(op); norm && stage == Stage::Fused)
      checkFused(norm);
    if (auto conv = dyn_cast<Conv2DOp>(op); conv && reached(Stage::Reordered))
      checkReordered(conv);
    if (reached(Stage::LaidOut))
      checkLaidOut(op);
    if (reached(Stage::Scheduled) && isa<Conv2DOp, LinearOp>(op))
      checkScheduled(op);
    if (auto conv = dyn_cast<Conv2DOp>(op); conv && reached(Stage::Planned))
      checkPlanned(conv);
    if (reached(Stage::Packed) && isa<Conv2DOp, LinearOp, BatchNormOp>(op))
      checkPacked(op);
  }

  void checkImported(Operation *op) {
    if (!isa_and_nonnull<PatternDialect>(op->getDialect()) &&
        !op->hasTrait<OpTrait::IsTerminator>())
      complain(op, Stage::Imported) << "expected only layers of the pattern dialect in a network";
  }

  void checkFused(BatchNormOp norm) {
    if (Operation *producer = findFoldableProducer(norm))
      complain(norm, Stage::Fused)
          << "expected to be folded into the " << producer->getName() << " that makes its input";
  }

  LibraryAttr libraryOf(Conv2DOp conv) const {
    return symbols.lookup<WeightsOp>(conv.getWeights()).getLibrary();
  }

  void checkReordered(Conv2DOp conv) {
    if (!libraryOf(conv))
      return;
    std::optional<ArrayRef<int32_t>> order = conv.getFilterOrder();
    if (!order) {
      complain(conv, Stage::Reordered)
          << "expected a filter_order, since its weights wear kernel patterns";
      return;
    }
    int64_t perGroup = order->size() / conv.getGroups();
    for (auto [place, filter] : llvm::enumerate(*order))
      if (int64_t(place) / perGroup != filter / perGroup) {
        complain(conv, Stage::Reordered)
            << "expected filter_order to stay within groups of " << perGroup << ", got filter "
            << filter << " at " << place;
        return;
      }
  }

  void checkLaidOut(Operation *op) {
    // These stand where the layout changes.
    if (isa<RelayoutOp, ReshapeOp>(op) || op->hasTrait<OpTrait::IsTerminator>())
      return;
    auto check = [&](TypeRange types, StringRef kind) {
      for (auto [index, type] : llvm::enumerate(types)) {
        auto tensor = dyn_cast<RankedTensorType>(type);
        if (tensor && tensor.getRank() == 4 && !isa_and_nonnull<PlaneAttr>(tensor.getEncoding()))
          complain(op, Stage::LaidOut)
              << "expected " << kind << " #" << index << " in #pattern.plane layout, got " << type;
      }
    };
    check(op->getOperandTypes(), "operand");
    check(op->getResultTypes(), "result");
    if (auto conv = dyn_cast<Conv2DOp>(op)) {
      checkBorder(conv);
      checkRows(conv);
    }
  }

  /// Kernel loops read the border of their input without a test.
  void checkBorder(Conv2DOp conv) {
    auto plane = dyn_cast_or_null<PlaneAttr>(conv.getInput().getType().getEncoding());
    int64_t needed = borderNeeded(conv, symbols.lookup<WeightsOp>(conv.getWeights()).getShape());
    if (plane && plane.getHalo() < needed)
      complain(conv, Stage::LaidOut)
          << "expected an input with a border of " << needed << ", got " << plane.getHalo();
  }

  /// Kernel loops walk input, residual and result as one long row: a position in one of them is the
  /// same position in all.
  void checkRows(Conv2DOp conv) {
    PlaneGeometry input(conv.getInput().getType());
    ArrayRef<int64_t> strides = conv.getStrides();
    if (input.rowPhases != strides[0] || input.colPhases != strides[1])
      complain(conv, Stage::LaidOut)
          << "expected an input dealt out to " << strides[0] << "x" << strides[1]
          << " sub-planes, one for each step of its strides, got " << input.rowPhases << "x"
          << input.colPhases;
    auto check = [&](RankedTensorType type, StringRef kind, bool sameRows) {
      PlaneGeometry plane(type);
      if (plane.rowPhases * plane.colPhases != 1)
        complain(conv, Stage::LaidOut) << "expected " << kind << " in one piece, got " << type;
      else if (sameRows && plane.rowStride != input.rowStride)
        complain(conv, Stage::LaidOut)
            << "expected " << kind << " with the row_stride of its input, " << input.rowStride
            << ", got " << plane.rowStride;
    };
    check(conv.getOutput().getType(), "an output", /*sameRows=*/!conv.getPool());
    if (Value residual = conv.getResidual())
      check(cast<RankedTensorType>(residual.getType()), "a residual", /*sameRows=*/true);
  }

  void checkScheduled(Operation *op) {
    ScheduleAttr schedule = scheduleOf(op);
    if (!schedule) {
      complain(op, Stage::Scheduled) << "expected a schedule, got none";
      return;
    }
    checkTile(op, schedule);
    // With a load plan, the plan says what stays in registers.
    auto conv = dyn_cast<Conv2DOp>(op);
    LoadsAttr loads = conv ? conv.getLoadsAttr() : LoadsAttr();
    LibraryAttr library = conv ? libraryOf(conv) : LibraryAttr();
    if (target && !fitsRegisters(target, op, schedule, library, loads))
      complain(op, loads ? Stage::Planned : Stage::Scheduled)
          << "expected a schedule for " << target.getRegisters() << " registers, got one for "
          << registersNeeded(op, schedule, library, loads);
  }

  /// The shapes of tiles for which there are kernel loops.
  void checkTile(Operation *op, ScheduleAttr schedule) {
    auto conv = dyn_cast<Conv2DOp>(op);
    if (!conv) {
      if (target && schedule.getFilterBlock() % target.getLanes() != 0)
        complain(op, Stage::Scheduled)
            << "expected a filter_block of whole vectors of " << target.getLanes() << ", got "
            << schedule.getFilterBlock();
      return;
    }
    bool staged = schedule.getDataflow() == Dataflow::Staged;
    int64_t height = conv.getConvShape(symbols.lookup<WeightsOp>(conv.getWeights()).getShape())[2];
    if (staged && schedule.getRows() > height)
      complain(conv, Stage::Scheduled) << "expected at most " << height
                                       << " rows, those of the result, got " << schedule.getRows();
    if (conv.getPool() && target &&
        !(staged && schedule.getRows() % 2 == 0 && hasWholeWindows(conv, target)))
      complain(conv, Stage::Scheduled)
          << "expected no pooling, or staged tiles that hold whole windows of it";
  }

  void checkPlanned(Conv2DOp conv) {
    ScheduleAttr schedule = scheduleOf(conv);
    if (!schedule || schedule.getDataflow() == Dataflow::OutputStationary)
      return;
    if (!conv.getLoadsAttr())
      complain(conv, Stage::Planned)
          << "expected loads, since its schedule is " << stringifyDataflow(schedule.getDataflow());
  }

  void checkPacked(Operation *op) {
    auto symbol = op->getAttrOfType<FlatSymbolRefAttr>("packed");
    auto packed = symbol ? symbols.lookup<PackedOp>(symbol.getValue()) : PackedOp();
    if (!packed) {
      complain(op, Stage::Packed) << "expected packed weights, got none";
      return;
    }
    ScheduleAttr schedule = scheduleOf(op);
    PackForm form = formFor(schedule ? schedule.getDataflow() : Dataflow::OutputStationary);
    if (packed.getForm() != form)
      complain(op, Stage::Packed) << "expected weights packed as " << stringifyPackForm(form)
                                  << ", got " << stringifyPackForm(packed.getForm());
    checkInside(packed, "values", packed.getValues(), packed.getValueCount());
    checkInside(packed, "indices", packed.getIndices(),
                packed.getIndex() ? packed.getIndex()->size() : 0);
  }

  /// A range of one of the two data blobs.
  void checkInside(PackedOp packed, StringRef blob, int64_t begin, int64_t count) {
    std::optional<int64_t> size = sizeOf(blob);
    if (size && begin > *size - count) // no sum: places can be any number
      complain(packed, Stage::Packed)
          << "expected " << count << " " << blob << " below " << *size << ", got them at " << begin;
  }

  //===--------------------------------------------------------------------===//
  // Memory
  //===--------------------------------------------------------------------===//

  /// The floats of one activation in the arena, and the steps from the first to the last op that
  /// touches it.
  struct Buffer {
    Value value;
    int64_t begin, end;
    int64_t from, to;
  };

  static func::FuncOp functionOf(BlockArgument argument) {
    return cast<func::FuncOp>(argument.getOwner()->getParentOp());
  }

  /// The op that makes `value`, or the function whose argument it is.
  static Operation *ownerOf(Value value) {
    auto argument = dyn_cast<BlockArgument>(value);
    return argument ? functionOf(argument) : value.getDefiningOp();
  }

  static IntegerAttr placeOf(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return functionOf(argument).getArgAttrOfType<IntegerAttr>(argument.getArgNumber(),
                                                                "pattern.place");
    return value.getDefiningOp()->getAttrOfType<IntegerAttr>("place");
  }

  using Steps = llvm::DenseMap<Operation *, int64_t>;

  /// The last step that reads `value`, or another shape of it.
  static int64_t lastUse(Value value, const Steps &steps) {
    int64_t last = 0;
    for (Operation *user : value.getUsers()) {
      last = std::max(last, steps.lookup(user));
      if (auto reshape = dyn_cast<ReshapeOp>(user))
        last = std::max(last, lastUse(reshape.getOutput(), steps));
    }
    return last;
  }

  void checkPlaces(func::FuncOp function) {
    Block &body = function.getBody().front();
    Steps steps;
    for (Operation &op : body)
      steps[&op] = steps.size() + 1; // arguments are there from step 0
    SmallVector<Buffer> buffers;
    for (BlockArgument argument : body.getArguments())
      addBuffer(buffers, argument, steps);
    for (Operation &op : body)
      for (Value result : op.getResults())
        addBuffer(buffers, result, steps);
    for (auto [index, buffer] : llvm::enumerate(buffers))
      for (const Buffer &other : ArrayRef(buffers).take_front(index))
        checkApart(buffer, other);
    for (OpOperand &operand : body.getTerminator()->getOpOperands())
      checkResult(function, operand);
  }

  void addBuffer(SmallVectorImpl<Buffer> &buffers, Value value, const Steps &steps) {
    Operation *owner = ownerOf(value);
    if (!isLayerTensor(value.getType())) {
      complain(owner, Stage::Imported)
          << "expected a tensor that layers work on, got " << value.getType();
      return;
    }
    IntegerAttr place = placeOf(value);
    if (!place) {
      complain(owner, Stage::Placed) << "expected a place in the arena for a value of type "
                                     << value.getType() << ", got none";
      return;
    }
    auto reshape = value.getDefiningOp<ReshapeOp>();
    if (reshape && placeOf(reshape.getInput()) != place)
      complain(reshape, Stage::Placed) << "expected the place of its input, got " << place.getInt();
    if (reshape) // the same floats under another shape
      return;
    int64_t begin = place.getInt();
    int64_t size = PlaneGeometry(cast<RankedTensorType>(value.getType())).size();
    if (int64_t arena = *sizeOf("arena"); begin > arena - size) {
      complain(owner, Stage::Placed)
          << "expected a place for " << size << " floats below " << arena << ", got " << begin;
      return;
    }
    int64_t from = steps.lookup(owner);
    buffers.push_back({value, begin, begin + size, from, std::max(from, lastUse(value, steps))});
  }

  /// An op writes its result while it reads its operands, so those live at the same time too.
  void checkApart(const Buffer &a, const Buffer &b) {
    if (a.from > b.to || b.from > a.to || a.begin >= b.end || b.begin >= a.end)
      return;
    InFlightDiagnostic error = complain(ownerOf(a.value), Stage::Placed);
    error << "expected a place of its own, got " << a.begin << " to " << a.end;
    error.attachNote(b.value.getLoc())
        << "lives at the same time at " << b.begin << " to " << b.end;
  }

  void checkResult(func::FuncOp function, OpOperand &returned) {
    unsigned number = returned.getOperandNumber();
    Attribute place = function.getResultAttr(number, "pattern.place");
    if (!place || place != placeOf(returned.get()))
      complain(function, Stage::Placed)
          << "expected result #" << number << " to name the place of the returned value";
  }

  void checkLowered(Operation *op) {
    if (isa_and_nonnull<PatternDialect>(op->getDialect()))
      complain(op, Stage::Lowered) << "expected no op of the pattern dialect";
  }

  ModuleOp module;
  SymbolTable symbols;
  Stage stage;
  TargetAttr target;
  DictionaryAttr memory;
  bool kept = true; // all promises, so far
};

} // namespace

LogicalResult pconv::pattern::verifyStage(ModuleOp module, Stage stage) {
  return StageVerifier(module, stage).verify();
}
