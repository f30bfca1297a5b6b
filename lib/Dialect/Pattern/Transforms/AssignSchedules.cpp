// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Chooses the loop tiling of every layer with weights.
#include "Pattern/Analysis/Dataflow.h"
#include "Pattern/Analysis/PlaneGeometry.h"
#include "Pattern/Analysis/StagedGeometry.h"
#include "Pattern/IR/Pattern.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

namespace pconv::pattern {
#define GEN_PASS_DEF_ASSIGNSCHEDULES
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

class Scheduler {
public:
  Scheduler(TargetAttr target) : target(target) {}

  ScheduleAttr schedule(Conv2DOp conv, WeightsOp weights) const {
    switch (chooseDataflow(conv, target)) {
    case Dataflow::InputStationary:
      return inputStationary(conv, weights);
    case Dataflow::Staged:
      return staged(conv, weights);
    case Dataflow::OutputStationary:
      return outputStationary(conv, weights);
    }
    llvm_unreachable("all dataflows are handled");
  }

  /// A kernel keeps `cells` vectors of each of T positions in registers, T sums and one weight.
  ScheduleAttr inputStationary(Conv2DOp conv, WeightsOp weights) const {
    int64_t cells = mostCells(weights.getLibrary());
    int64_t vectors =
        std::clamp<int64_t>((target.getRegisters() - 1) / (cells + 1), 1, kMaxTileVectors);
    vectors = shortenToPlane(conv, vectors);
    // The sums of a block share the first cache with the input and the weights that stream by.
    int64_t sumBytes = vectors * target.getLanes() * sizeof(float);
    int64_t most = std::max<int64_t>(target.getL1() * 3 / 4 / sumBytes, 1);
    int64_t filters = weights.getShape()[0];
    int64_t blocks = llvm::divideCeil(filters, most);
    return ScheduleAttr::get(conv.getContext(), Dataflow::InputStationary, 1, vectors,
                             llvm::divideCeil(filters, blocks), kChannelBlock);
  }

  /// Chooses the shape of the tile by counting what a kernel costs with it.
  ScheduleAttr staged(Conv2DOp conv, WeightsOp weights) const {
    StagedLayer layer(conv, weights);
    // Sums in registers, beside one input row and one weight, or two where cells share loads:
    // larger tiles would need as many loads as multiply-adds, and were seen to lose a tenth.
    int64_t most = target.getRegisters() - (layer.sharesLoads ? 3 : 2);
    int64_t step = conv.getPool() ? 2 : 1; // tiles hold whole pooling windows
    StagedPlan best = planStaged(layer, step, 1);
    double leastCost = std::numeric_limits<double>::infinity();
    for (int64_t rows = step; rows <= std::min(layer.output.height, most); rows += step)
      for (int64_t segments = 1; segments * rows <= most; ++segments) {
        StagedPlan plan = planStaged(layer, rows, segments);
        if (double cost = stagedCost(layer, plan); cost < leastCost) {
          leastCost = cost;
          best = plan;
        }
      }
    int64_t filterBlock = llvm::divideCeil(weights.getShape()[0], best.filterBlocks);
    return ScheduleAttr::get(conv.getContext(), Dataflow::Staged, best.tiling.bands.rows,
                             best.tiling.segments, filterBlock, best.channelBlock);
  }

  ScheduleAttr outputStationary(Conv2DOp conv, WeightsOp weights) const {
    int64_t filters = weights.getShape()[0] / conv.getGroups();
    int64_t vectors = 1, panel = 1;
    double best = std::numeric_limits<double>::infinity();
    for (int64_t v = shortenToPlane(conv, 3); v > 0; --v) {
      int64_t p = densePanel(filters, v);
      if (double cost = denseCost(conv, filters, v, p); cost < best) {
        best = cost;
        vectors = v;
        panel = p;
      }
    }
    if (panel == 1) // depthwise: only the sums need registers
      vectors = shortenToPlane(conv, std::min(kMaxTileVectors, target.getRegisters() / 2));
    return ScheduleAttr::get(conv.getContext(), Dataflow::OutputStationary, 1, vectors, panel,
                             weights.getShape()[1]);
  }

  ScheduleAttr linear(LinearOp op, WeightsOp weights) const {
    int64_t panels = llvm::divideCeil(weights.getShape()[0], target.getLanes());
    // Besides the sums, an input and a weight.
    int64_t vectors =
        std::min({panels, kMaxTileVectors, std::max<int64_t>(target.getRegisters() - 2, 1)});
    return ScheduleAttr::get(op.getContext(), Dataflow::OutputStationary, 1, vectors,
                             vectors * target.getLanes(), weights.getShape()[1]);
  }

private:
  static RankedTensorType convResult(Conv2DOp conv, WeightsOp weights) {
    auto type = cast<RankedTensorType>(conv.getOutput().getType());
    return conv.getPool()
               ? RankedTensorType::get(conv.getConvShape(weights.getShape()), type.getElementType())
               : type;
  }

  /// What the cost of a layer depends on.
  struct StagedLayer {
    StagedLayer(Conv2DOp conv, WeightsOp weights)
        : conv(conv), output(convResult(conv, weights)), shape(weights.getShape()),
          kernels(keptKernels(weights)), cells(mostCells(weights.getLibrary())),
          sharesLoads(conv.getStrides()[0] == 1 && conv.getDilations()[0] == 1) {}

    Conv2DOp conv;
    PlaneGeometry output; // before pooling
    ArrayRef<int64_t> shape;
    double kernels, cells;
    bool sharesLoads; // of cells one below the other
  };

  /// A shape of tiles, and what follows from it.
  struct StagedPlan {
    StagedTiling tiling;
    StagedCopy copy;
    int64_t channelBlock, filterBlocks;
  };

  StagedPlan planStaged(const StagedLayer &layer, int64_t rows, int64_t segments) const {
    const PlaneGeometry &output = layer.output;
    Conv2DOp conv = layer.conv;
    int64_t lanes = target.getLanes(), filters = layer.shape[0];
    StagedTiling tiling(output.height, output.width, rows, segments, lanes, bool(conv.getPool()));
    StagedCopy copy(conv, layer.shape, lanes, rows, segments);
    // Few tiles are shared by filter blocks, so that every thread finds work.
    int64_t filterBlocks = std::min(llvm::divideCeil(kLeastItems, tiling.tiles() * output.batch),
                                    llvm::divideCeil(filters, kLeastFilters));
    return {tiling, copy, stagedChannels(layer.shape[1], copy), filterBlocks};
  }

  /// Channels whose copies fill most of the first cache, in blocks of about the same size.
  int64_t stagedChannels(int64_t channels, const StagedCopy &copy) const {
    int64_t channelBytes = copy.channelStride * sizeof(float);
    int64_t most = std::max<int64_t>(target.getL1() * 3 / 4 / channelBytes, 1);
    return llvm::divideCeil(channels, llvm::divideCeil(channels, most));
  }

  /// Cycles of the layer on a machine with two vector loads and two multiply-adds a cycle and one
  /// store.
  double stagedCost(const StagedLayer &layer, const StagedPlan &plan) const {
    auto costOf = [&](const StagedBands &bands, double tiles, int64_t halves) {
      double tall = tiles * bands.tall / bands.count;
      double cost = tall * tileCost(layer, plan, bands.rows, halves);
      if (tall < tiles)
        cost += (tiles - tall) * tileCost(layer, plan, bands.rows - bands.step, halves);
      return cost;
    };
    const StagedTiling &tiling = plan.tiling;
    double cost = costOf(tiling.bands, tiling.plainTiles(), 1);
    if (tiling.fold)
      cost += costOf(tiling.fold->bands, tiling.fold->bands.count, 2);
    return cost;
  }

  /// The cycles of a tile of `rows` rows: its kernels, what a filter costs in every block of
  /// channels, the copies of the input, one for each block of filters, and the cache lines that are
  /// read and written; in a folded tile those of two halves. The constants were measured.
  double tileCost(const StagedLayer &layer, const StagedPlan &plan, int64_t rows,
                  int64_t halves) const {
    constexpr double kKernel = 2, kVisit = 30, kCopy = 4;
    constexpr double kLineRead = 6, kLineWritten = 3;
    double filters = layer.shape[0], channels = layer.shape[1], cells = layer.cells;
    double segments = plan.tiling.segments, vectors = rows * segments;
    double shared = layer.sharesLoads ? vectors - segments : 0;
    double loads = vectors * cells + 2 * cells - shared;
    double latency = 4 * cells; // of the chain of one accumulator
    double kernel = std::max({vectors * cells / 2, loads / 2, latency}) + kKernel;
    double visits = filters * channels / plan.channelBlock;

    double width = segments * target.getLanes() / halves, rowsRead = 0, linesRead = 0;
    for (const StagedRect &rect : plan.copy.rects) {
      double rectRows = (rect.rows + rows - 1) * halves;
      rowsRead += rectRows;
      linesRead += rectRows * ((width + rect.columns - 2) / kLineFloats + 1);
    }
    double linesWritten = rows * halves * std::ceil(width / kLineFloats);
    double copying = channels * (rowsRead * segments * kCopy + linesRead * kLineRead);
    return layer.kernels * kernel + visits * (2 * vectors + kVisit) + plan.filterBlocks * copying +
           filters * linesWritten * kLineWritten;
  }

  /// Filters whose sums fit into the registers, beside the input vectors and one weight, in panels
  /// of about the same size.
  int64_t densePanel(int64_t filters, int64_t vectors) const {
    constexpr int64_t kMostFilters = 12;
    int64_t panel = std::max<int64_t>((target.getRegisters() - vectors - 1) / vectors, 1);
    panel = std::min(panel, kMostFilters);
    return llvm::divideCeil(filters, llvm::divideCeil(filters, panel));
  }

  /// Cycles of a tap of all filters and tiles on a machine with two loads and two multiply-adds a
  /// cycle. A shifted vector often lies in two cache lines and counts twice. The last tile and the
  /// last panel are worked on as a whole.
  double denseCost(Conv2DOp conv, int64_t filters, int64_t vectors, int64_t panel) const {
    double tiles = llvm::divideCeil(planeVectors(conv), vectors);
    double panels = llvm::divideCeil(filters, panel);
    return tiles * panels * std::max(vectors * panel, 2 * vectors + panel) / 2;
  }

  /// No tile is longer than the whole plane.
  int64_t shortenToPlane(Conv2DOp conv, int64_t vectors) const {
    return std::clamp<int64_t>(planeVectors(conv), 1, vectors);
  }

  int64_t planeVectors(Conv2DOp conv) const {
    PlaneGeometry output(cast<RankedTensorType>(conv.getOutput().getType()));
    return llvm::divideCeil(output.height * output.rowStride, target.getLanes());
  }

  static constexpr int64_t kChannelBlock = 16;
  static constexpr int64_t kLeastItems = 8, kLeastFilters = 64;

  TargetAttr target;
};

struct AssignSchedules : pconv::pattern::impl::AssignSchedulesBase<AssignSchedules> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    // Load plans and packed weights follow the schedule.
    if (failed(checkNotPast(module, Stage::Scheduled)))
      return signalPassFailure();
    TargetAttr target = getTarget(module);
    if (!target)
      return signalPassFailure();
    Scheduler scheduler(target);
    module.walk([&](Operation *op) {
      if (auto conv = dyn_cast<Conv2DOp>(op)) {
        auto weights = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(op, conv.getWeightsAttr());
        conv.setScheduleAttr(scheduler.schedule(conv, weights));
      } else if (auto linear = dyn_cast<LinearOp>(op)) {
        auto weights = SymbolTable::lookupNearestSymbolFrom<WeightsOp>(op, linear.getWeightsAttr());
        linear.setScheduleAttr(scheduler.linear(linear, weights));
      }
    });
    setStage(module, Stage::Scheduled);
  }
};

} // namespace
