// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lays out the packed weights of every layer: index numbers, and the order of the values.
#include "Pattern/Analysis/Fkw.h"
#include "Pattern/Analysis/PackedIndex.h"
#include "Pattern/Analysis/PlaneGeometry.h"
#include "Pattern/Analysis/RecordPacking.h"
#include "Pattern/Analysis/RunPacking.h"
#include "Pattern/Analysis/StagedGeometry.h"
#include "Pattern/IR/Bounds.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// Places the packed form of one layer after another in the two data blobs.
class Packer {
public:
  Packer(ModuleOp module, bool fkwArrays)
      : module(module), fkwArrays(fkwArrays), builder(module.getContext()),
        lanes(module->getAttrOfType<TargetAttr>("pattern.target").getLanes()) {}

  LogicalResult pack(Conv2DOp conv) {
    WeightsOp weights = lookup(conv, conv.getWeightsAttr());
    ScheduleAttr schedule = conv.getScheduleAttr();
    if (!schedule)
      return conv.emitOpError("expected a schedule; run pattern-assign-schedules");
    if (failed(checkBorder(conv, weights)))
      return failure();
    if (schedule.getDataflow() != Dataflow::OutputStationary)
      return packKernels(conv, weights, schedule);
    int64_t filters = weights.getShape()[0], panel = schedule.getFilterBlock();
    int64_t padded = conv.getGroups() * llvm::alignTo(filters / conv.getGroups(), panel);
    return packPanels(conv, conv.getWeightsAttr(), conv.getBiasAttr(), panel, conv.getGroups(),
                      padded, weights.getTensorType().getNumElements() / filters, filters);
  }

  LogicalResult pack(LinearOp linear) {
    WeightsOp weights = lookup(linear, linear.getWeightsAttr());
    ScheduleAttr schedule = linear.getScheduleAttr();
    if (!schedule)
      return linear.emitOpError("expected a schedule; run pattern-assign-schedules");
    int64_t panel = schedule.getFilterBlock();
    int64_t padded = llvm::alignTo(weights.getShape()[0], panel);
    return packPanels(linear, linear.getWeightsAttr(), linear.getBiasAttr(), panel, 1, padded,
                      weights.getShape()[1], padded);
  }

  /// A batch normalisation that could not be folded is one scale and one shift per channel.
  LogicalResult pack(BatchNormOp norm) {
    BatchNormAttr parameters = norm.getParameters();
    int64_t channels = lookup(norm, parameters.getScale()).getShape()[0];
    auto packed = makePacked(norm, parameters.getScale(), FlatSymbolRefAttr(), PackForm::Panels,
                             2 * channels, 0, 0);
    packed.setBatchNormAttr(parameters);
    return success();
  }

  int64_t totalValues() const { return values; }
  int64_t totalIndices() const { return indices; }

private:
  static WeightsOp lookup(Operation *op, FlatSymbolRefAttr symbol) {
    return SymbolTable::lookupNearestSymbolFrom<WeightsOp>(op, symbol);
  }

  /// Kernel loops read the border of their input without a test.
  static LogicalResult checkBorder(Conv2DOp conv, WeightsOp weights) {
    auto plane = dyn_cast_or_null<PlaneAttr>(conv.getInput().getType().getEncoding());
    int64_t needed = borderNeeded(conv, weights.getShape());
    if (plane && plane.getHalo() >= needed)
      return success();
    return conv.emitOpError("expected an input in #pattern.plane layout with a border of ")
           << needed << ", got " << conv.getInput().getType() << "; run pattern-assign-layouts";
  }

  /// The kernels that are left, in the order in which the sparse kernel loop takes them.
  LogicalResult packKernels(Conv2DOp conv, WeightsOp weights, ScheduleAttr schedule) {
    if (!conv.getLoads())
      return conv.emitOpError("expected loads; run pattern-eliminate-redundant-loads");
    if (failed(checkIndexable(conv, weights, lanes)))
      return failure();
    auto kernels = cast<DenseElementsAttr>(weights.getKernelsAttr());
    SmallVector<int8_t> ids(kernels.getValues<int8_t>());
    ArrayRef<int32_t> order = conv.getFilterOrder() ? *conv.getFilterOrder() : ArrayRef<int32_t>();
    int64_t filters = weights.getShape()[0], channels = weights.getShape()[1];
    int64_t sumStride = schedule.getRows() * schedule.getVectors() * lanes;
    if (schedule.getDataflow() == Dataflow::Staged) {
      StagedGeometry staged(conv, weights.getShape(), lanes);
      RecordLayout layout{ids,
                          filters,
                          channels,
                          order,
                          schedule.getFilterBlock(),
                          schedule.getChannelBlock(),
                          staged.channelStride,
                          staged.sumStride,
                          staged.cellOffsets};
      RecordPacking packing = packRecords(layout, weights.getLibrary(), conv.getLoadsAttr());
      addIndex(conv, PackForm::Records, packing.index, packing.gather, filters);
      return success();
    }
    PlaneGeometry input(conv.getInput().getType());
    RunLayout layout{ids,
                     filters,
                     channels,
                     order,
                     schedule.getFilterBlock(),
                     schedule.getChannelBlock(),
                     input.channelStride,
                     sumStride};
    RunPacking packing = packRuns(layout, weights.getLibrary());
    addIndex(conv, PackForm::Runs, packing.index, packing.gather, filters);
    return success();
  }

  void addIndex(Conv2DOp conv, PackForm form, ArrayRef<int32_t> index, ArrayRef<int32_t> gather,
                int64_t filters) {
    auto packed = makePacked(conv, conv.getWeightsAttr(), conv.getBiasAttr(), form, gather.size(),
                             filters, index.size());
    reportFkw(conv, packed);
    packed.setIndexAttr(builder.getI32TensorAttr(index));
    packed.setGatherAttr(builder.getI32TensorAttr(gather));
  }

  /// What the layer would take in FKW, the format of the literature, and in CSR.
  void reportFkw(Conv2DOp conv, PackedOp packed) {
    WeightsOp weights = lookup(conv, conv.getWeightsAttr());
    ArrayRef<int32_t> order = conv.getFilterOrder() ? *conv.getFilterOrder() : ArrayRef<int32_t>();
    Fkw fkw = computeFkw(getKernels(weights), weights.getShape()[0], weights.getLibrary(), order);
    packed.setIndexBytes(countFkwIndexBytes(fkw, weights.getShape()[1]));
    packed.setCsrBytes(countCsrIndexBytes(fkw));
    if (!fkwArrays)
      return;
    packed->setAttr(
        "fkw", builder.getDictionaryAttr(
                   {builder.getNamedAttr("offset", builder.getDenseI32ArrayAttr(fkw.offset)),
                    builder.getNamedAttr("reorder", builder.getDenseI32ArrayAttr(fkw.reorder)),
                    builder.getNamedAttr("index", builder.getDenseI32ArrayAttr(fkw.index)),
                    builder.getNamedAttr("stride", builder.getDenseI32ArrayAttr(fkw.stride))}));
  }

  /// `padded` filters of `elements` weights each, the last ones of a group filled with zeros.
  LogicalResult packPanels(Operation *op, FlatSymbolRefAttr weights, FlatSymbolRefAttr bias,
                           int64_t panel, int64_t groups, int64_t padded, int64_t elements,
                           int64_t biasCount) {
    uint64_t count = llvm::SaturatingMultiply<uint64_t>(padded, elements);
    if (count > static_cast<uint64_t>(maxElements))
      return op->emitOpError("expected at most ")
             << maxElements << " packed weights, got " << count;
    auto packed = makePacked(op, weights, bias, PackForm::Panels, padded * elements, biasCount, 0);
    packed.setFilterBlock(panel);
    packed.setGroups(groups);
    return success();
  }

  PackedOp makePacked(Operation *op, FlatSymbolRefAttr weights, FlatSymbolRefAttr bias,
                      PackForm form, int64_t count, int64_t biasCount, int64_t indexCount) {
    std::string name = (weights.getValue() + ".packed").str();
    for (int64_t copy = 2; module.lookupSymbol(name); ++copy) // weights shared by layers
      name = (weights.getValue() + ".packed" + Twine(copy)).str();
    builder.setInsertionPoint(op->getParentOp());
    auto packed = PackedOp::create(
        builder, op->getLoc(), builder.getStringAttr(name), weights, bias,
        PackFormAttr::get(builder.getContext(), form), builder.getI64IntegerAttr(values),
        builder.getI64IntegerAttr(count), builder.getI64IntegerAttr(indices),
        /*index=*/nullptr, /*gather=*/nullptr, /*index_bytes=*/nullptr, /*csr_bytes=*/nullptr,
        /*filter_block=*/nullptr, /*groups=*/builder.getI64IntegerAttr(1), /*batch_norm=*/nullptr);
    op->setAttr("packed", FlatSymbolRefAttr::get(packed.getSymNameAttr()));
    // Every layer starts on a vector, and a last vector may be read past the end.
    values = llvm::alignTo(values + count + (bias ? biasCount : 0) + lanes, lanes);
    indices += indexCount;
    return packed;
  }

  ModuleOp module;
  bool fkwArrays;
  OpBuilder builder;
  int64_t lanes;
  int64_t values = 0, indices = 0;
};

struct PackWeights : pconv::pattern::impl::PackWeightsBase<PackWeights> {
  using PackWeightsBase::PackWeightsBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkNotPast(module, Stage::Planned)))
      return signalPassFailure();
    if (!getTarget(module))
      return signalPassFailure();
    // Any there are would claim the places of the new ones.
    for (auto packed : llvm::make_early_inc_range(module.getOps<PackedOp>()))
      packed.erase();
    Packer packer(module, fkwArrays);
    for (auto function : module.getOps<func::FuncOp>()) {
      WalkResult walk = function.walk([&](Operation *op) -> WalkResult {
        return llvm::TypeSwitch<Operation *, LogicalResult>(op)
            .Case<Conv2DOp, LinearOp, BatchNormOp>([&](auto layer) { return packer.pack(layer); })
            .Default(success());
      });
      if (walk.wasInterrupted())
        return signalPassFailure();
    }
    OpBuilder builder(module.getContext());
    module->setAttr(
        "pattern.memory",
        builder.getDictionaryAttr(
            {builder.getNamedAttr("values", builder.getI64IntegerAttr(packer.totalValues())),
             builder.getNamedAttr("indices", builder.getI64IntegerAttr(packer.totalIndices()))}));
    setStage(module, Stage::Packed);
  }
};

} // namespace
