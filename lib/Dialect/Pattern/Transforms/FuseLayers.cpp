// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Makes batch norms, additions, activations and poolings part of the layer that makes their input.
#include "Pattern/Analysis/Fusion.h"
#include "Pattern/IR/Pattern.h"
#include "Pattern/IR/Stage.h"
#include "Pattern/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

namespace pconv::pattern {
#define GEN_PASS_DEF_FUSELAYERS
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// Makes the weights that a folded batch normalisation leaves behind, as recipes for the packer.
class WeightFolder {
public:
  explicit WeightFolder(ModuleOp module) : symbols(module) {}

  /// Folds `norm` into the weights and the bias of `layer`.
  template <typename LayerOp> void foldInto(LayerOp layer, BatchNormAttr norm) {
    auto weights = symbols.lookup<WeightsOp>(layer.getWeights());
    auto bias = layer.getBias() ? symbols.lookup<WeightsOp>(*layer.getBias()) : WeightsOp();
    layer.setWeightsAttr(foldWeights(weights, norm));
    layer.setBiasAttr(bias ? foldWeights(bias, norm) : makeBias(weights, norm));
  }

private:
  /// Scaling a filter removes none of its weights and brings none back: the scheme stays.
  FlatSymbolRefAttr foldWeights(WeightsOp source, BatchNormAttr norm) {
    return make(source, (source.getSymName() + ".bn").str(), source.getType(), source.getScheme(),
                source.getKernelsAttr(), FlatSymbolRefAttr::get(source), norm);
  }

  /// A layer without a bias gets one of its own: `conv.weight` calls for `conv.bias.bn`.
  FlatSymbolRefAttr makeBias(WeightsOp weights, BatchNormAttr norm) {
    StringRef layer = weights.getSymName();
    layer.consume_back(".weight");
    RankedTensorType type = weights.getTensorType();
    return make(weights, (layer + ".bias.bn").str(),
                RankedTensorType::get(type.getShape().front(), type.getElementType()),
                DenseAttr::get(weights.getContext()), ElementsAttr(), FlatSymbolRefAttr(), norm);
  }

  /// Layers that share weights and batch normalisation share the result.
  FlatSymbolRefAttr make(WeightsOp neighbour, StringRef name, Type type, Attribute scheme,
                         ElementsAttr kernels, FlatSymbolRefAttr source, BatchNormAttr norm) {
    FlatSymbolRefAttr &made = folded[{neighbour, norm, source}];
    if (!made) {
      OpBuilder builder(neighbour.getContext());
      auto op =
          WeightsOp::create(builder, neighbour.getLoc(), name, type, scheme, kernels, source, norm);
      // Gives it another name where this one is taken.
      symbols.insert(op, std::next(Block::iterator(neighbour)));
      made = FlatSymbolRefAttr::get(op);
    }
    return made;
  }

  SymbolTable symbols;
  llvm::DenseMap<std::tuple<Operation *, Attribute, Attribute>, FlatSymbolRefAttr> folded;
};

struct FuseLayers : pconv::pattern::impl::FuseLayersBase<FuseLayers> {
  using FuseLayersBase::FuseLayersBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (failed(checkNotPast(module, Stage::Fused)))
      return signalPassFailure();
    WeightFolder folder(module);
    // One walk in order fuses whole chains: by the time an op is met, all that can go into the
    // layer that makes its input has gone there.
    for (auto function : module.getOps<FunctionOpInterface>())
      for (Block &block : function.getFunctionBody())
        for (Operation &op : llvm::make_early_inc_range(block))
          fuse(&op, folder);
    eraseDeadWeights(module);
    setStage(module, Stage::Fused);
  }

private:
  void fuse(Operation *op, WeightFolder &folder) {
    llvm::TypeSwitch<Operation *>(op)
        .Case([&](BatchNormOp norm) { fuseBatchNorm(norm, folder); })
        .Case([&](AddOp add) { fuseResidual(add); })
        .Case([&](ActivateOp activate) { fuseActivation(activate); })
        .Case([&](MaxPool2DOp pool) { fusePooling(pool); });
  }

  static void replace(Operation *op, Operation *producer) {
    op->replaceAllUsesWith(producer);
    op->erase();
  }

  void fuseBatchNorm(BatchNormOp norm, WeightFolder &folder) {
    Operation *producer = batchNorm ? findFoldableProducer(norm) : nullptr;
    if (!producer)
      return;
    if (auto conv = dyn_cast<Conv2DOp>(producer))
      folder.foldInto(conv, norm.getParameters());
    else
      folder.foldInto(cast<LinearOp>(producer), norm.getParameters());
    replace(norm, producer);
  }

  void fuseResidual(AddOp add) {
    Conv2DOp conv = residual ? findResidualProducer(add) : Conv2DOp();
    if (!conv)
      return;
    bool left = add.getLhs() == conv.getOutput();
    // Only the addition uses the convolution, so it can wait until the other operand is there.
    conv->moveBefore(add);
    conv.getResidualMutable().assign(left ? add.getRhs() : add.getLhs());
    conv.setActivationAttr(add.getActivationAttr());
    replace(add, conv);
  }

  void fuseActivation(ActivateOp activate) {
    Operation *producer = activation ? findActivationProducer(activate) : nullptr;
    if (!producer)
      return;
    producer->setAttr("activation", activate.getActivation());
    replace(activate, producer);
  }

  void fusePooling(MaxPool2DOp pool) {
    Conv2DOp conv = pooling ? findPoolingProducer(pool) : Conv2DOp();
    if (!conv)
      return;
    conv.setPoolAttr(PoolAttr::get(pool.getContext(), PoolKind::Max, pool.getKernelAttr(),
                                   pool.getStridesAttr()));
    conv.getOutput().setType(pool.getOutput().getType());
    replace(pool, conv);
  }

  /// Every symbol that any attribute names, also of ops that are not known.
  static llvm::DenseSet<StringAttr> findUsedSymbols(ModuleOp module) {
    llvm::DenseSet<StringAttr> used;
    module.walk([&](Operation *op) {
      op->getAttrDictionary().walk(
          [&](SymbolRefAttr name) { used.insert(name.getRootReference()); });
    });
    return used;
  }

  /// Erases weights that nothing refers to, then those that only they referred to.
  static void eraseDeadWeights(ModuleOp module) {
    bool changed = true;
    while (changed) {
      changed = false;
      llvm::DenseSet<StringAttr> used = findUsedSymbols(module);
      for (auto weights : llvm::make_early_inc_range(module.getOps<WeightsOp>()))
        if (!used.contains(weights.getSymNameAttr())) {
          weights.erase();
          changed = true;
        }
    }
  }
};

} // namespace
