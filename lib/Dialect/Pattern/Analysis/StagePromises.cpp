// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the stages promise.
//
// What an op can see of itself and of the symbols that it names is checked by its own verifier;
// here stands what only a stage promises.
#include "Pattern/Analysis/StagePromises.h"
#include "Promises.h"

#include "Pattern/Analysis/Dataflow.h"
#include "Pattern/Analysis/Footprint.h"
#include "Pattern/Analysis/Fusion.h"
#include "Pattern/Analysis/PlaneGeometry.h"
#include "Pattern/Analysis/Schedule.h"

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

/// The schedule of a layer with weights, or null.
ScheduleAttr scheduleOf(Operation *op) { return op->getAttrOfType<ScheduleAttr>("schedule"); }

class StageVerifier {
public:
  StageVerifier(ModuleOp module, Stage stage)
      : promises(module), stage(stage), target(promises.target) {}

  LogicalResult verify() {
    if (stage == Stage::Lowered) {
      promises.module.walk([&](Operation *op) { checkLowered(op); });
      return success(promises.faults == 0);
    }
    checkModule();
    for (auto function : promises.module.getOps<func::FuncOp>())
      if (!function.isExternal())
        checkFunction(function);
    return success(promises.faults == 0);
  }

private:
  bool reached(Stage other) const { return stage >= other; }

  InFlightDiagnostic complain(Operation *op, Stage broken) { return promises.complain(op, broken); }

  void checkModule() {
    if (reached(Stage::Scheduled) && !target)
      complain(promises.module, Stage::Scheduled)
          << "expected an attribute pattern.target, got none";
    for (StringRef size : {"values", "indices"})
      if (reached(Stage::Packed) && !promises.sizeOf(size))
        complain(promises.module, Stage::Packed)
            << "expected pattern.memory to say `" << size << "`";
    for (StringRef size : {"arena", "scratch"})
      if (reached(Stage::Placed) && !promises.sizeOf(size))
        complain(promises.module, Stage::Placed)
            << "expected pattern.memory to say `" << size << "`";
    if (reached(Stage::Packed))
      checkBlobs(promises);
  }

  void checkFunction(func::FuncOp function) {
    if (!function.getBody().hasOneBlock()) {
      complain(function, Stage::Imported)
          << "expected one block, got " << function.getBody().getBlocks().size();
      return;
    }
    for (Operation &op : function.getBody().front())
      checkOp(&op);
    if (reached(Stage::Placed) && promises.sizeOf("arena"))
      checkPlaces(promises, function);
  }

  void checkOp(Operation *op) {
    int64_t before = promises.faults;
    auto isSound = [&] { return promises.faults == before; };
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
    if (auto conv = dyn_cast<Conv2DOp>(op);
        conv && reached(Stage::Scheduled) && isSound() && target)
      checkRoom(conv);
    if (auto conv = dyn_cast<Conv2DOp>(op); conv && reached(Stage::Planned))
      checkPlanned(conv);
    if (reached(Stage::Packed) && isa<Conv2DOp, LinearOp, BatchNormOp>(op))
      checkPacked(promises, op, /*walkIndex=*/isSound() && target);
    if (reached(Stage::Placed) && isa<Conv2DOp, LinearOp>(op) && isSound() && target &&
        promises.sizeOf("arena") && promises.sizeOf("scratch"))
      checkReach(promises, op);
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

  LibraryAttr libraryOf(Conv2DOp conv) const { return promises.weightsOf(conv).getLibrary(); }

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
    int64_t needed = borderNeeded(conv, promises.weightsOf(conv).getShape());
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
      int64_t tile = target ? schedule.getVectors() * target.getLanes() : schedule.getFilterBlock();
      if (schedule.getFilterBlock() > tile)
        complain(op, Stage::Scheduled) << "expected a filter_block of at most the " << tile
                                       << " sums of a tile, got " << schedule.getFilterBlock();
      return;
    }
    bool staged = schedule.getDataflow() == Dataflow::Staged;
    int64_t height = conv.getConvShape(promises.weightsOf(conv).getShape())[2];
    if (staged && schedule.getRows() > height)
      complain(conv, Stage::Scheduled) << "expected at most " << height
                                       << " rows, those of the result, got " << schedule.getRows();
    if (!staged && schedule.getRows() != 1)
      complain(conv, Stage::Scheduled)
          << "expected tiles of one row, which only the staged dataflow "
             "has more of, got "
          << schedule.getRows();
    if (conv.getPool() && target &&
        !(staged && schedule.getRows() % 2 == 0 && hasWholeWindows(conv, target)))
      complain(conv, Stage::Scheduled)
          << "expected no pooling, or staged tiles that hold whole windows of it";
  }

  /// What a tile writes beyond the end of a plane has to belong to that plane.
  void checkRoom(Conv2DOp conv) {
    ConvFootprint footprint(conv, promises.weightsOf(conv).getShape(), target.getLanes());
    int64_t room = PlaneGeometry(conv.getOutput().getType()).channelStride;
    if (footprint.output > room)
      complain(conv, Stage::Scheduled) << "expected an output with a channel_stride of at least "
                                       << footprint.output << " for its tiles, got " << room;
  }

  void checkPlanned(Conv2DOp conv) {
    ScheduleAttr schedule = scheduleOf(conv);
    if (!schedule || schedule.getDataflow() == Dataflow::OutputStationary)
      return;
    if (!conv.getLoadsAttr())
      complain(conv, Stage::Planned)
          << "expected loads, since its schedule is " << stringifyDataflow(schedule.getDataflow());
    else if (conv.getLoads()->getPairs() > 0 &&
             (conv.getStrides()[0] != 1 || conv.getDilations()[0] != 1))
      complain(conv, Stage::Planned)
          << "expected loads without pairs, since cells one below the other do not read rows one "
             "below the other";
  }

  void checkLowered(Operation *op) {
    if (isa_and_nonnull<PatternDialect>(op->getDialect()))
      complain(op, Stage::Lowered) << "expected no op of the pattern dialect";
  }

  Promises promises;
  Stage stage;
  TargetAttr target;
};

} // namespace

Promises::Promises(ModuleOp module)
    : module(module), symbols(module), target(module->getAttrOfType<TargetAttr>("pattern.target")),
      memory(module->getAttrOfType<DictionaryAttr>("pattern.memory")) {}

InFlightDiagnostic Promises::complain(Operation *op, Stage broken) {
  ++faults;
  InFlightDiagnostic error = op->emitOpError();
  error.attachNote() << "promised by stage '" << stringifyStage(broken) << "', which "
                     << ensuredBy(broken) << " ensures";
  return error;
}

std::optional<int64_t> Promises::sizeOf(StringRef name) const {
  auto size = memory ? memory.getAs<IntegerAttr>(name) : IntegerAttr();
  return size ? std::optional(size.getInt()) : std::nullopt;
}

LogicalResult pconv::pattern::verifyStage(ModuleOp module, Stage stage) {
  return StageVerifier(module, stage).verify();
}
