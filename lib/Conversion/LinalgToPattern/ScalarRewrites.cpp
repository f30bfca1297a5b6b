// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Raises linalg.generic. What its body computes is compared with what the layers of the dialect
// compute: a layer that convert-pattern-to-linalg wrote down is always found again.
#include "../PatternToLinalg/Scalars.h"
#include "Expression.h"
#include "Rewrites.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace pconv::pattern;

//===----------------------------------------------------------------------===//
// Access
//===----------------------------------------------------------------------===//

/// Whether `op` computes every element of a plain tensor on its own.
static bool isElementwise(linalg::GenericOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() ||
      !op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity())
    return false;
  return llvm::all_of(op->getOperandTypes(), isPlainTensor);
}

/// Whether input `number` is read where the result is written.
static bool isIdentityInput(linalg::GenericOp op, unsigned number) {
  return op.getMatchingIndexingMap(op.getDpsInputOperand(number)).isIdentity();
}

/// Whether input `number` has one element per channel (dimension 1).
static bool isChannelInput(linalg::GenericOp op, unsigned number) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInputOperand(number));
  return map.getNumResults() == 1 && map.getResult(0) == getAffineDimExpr(1, op.getContext());
}

/// Whether input `number` has the result's rank, and is read at 0 where its size is 1.
static bool isBroadcastInput(linalg::GenericOp op, unsigned number) {
  AffineMap map = op.getMatchingIndexingMap(op.getDpsInputOperand(number));
  ArrayRef<int64_t> shape = shapeOf(op.getDpsInputs()[number]);
  if (map.getNumResults() != map.getNumDims())
    return false;
  for (auto [dim, place] : llvm::enumerate(map.getResults())) {
    auto zero = dyn_cast<AffineConstantExpr>(place);
    bool first = shape[dim] == 1 && zero && zero.getValue() == 0;
    if (!first && place != getAffineDimExpr(dim, op.getContext()))
      return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// The activation that the body of `op` computes, or null.
static ActivationAttr getActivation(linalg::GenericOp op) {
  MLIRContext *context = op.getContext();
  std::string body = expressionOf(*op.getBody());
  auto computes = [&](BuildNumber build) { return body == expressionOf(context, 1, build); };
  auto computesFunction = [&](ActivationAttr activation) {
    return computes(
        [&](ImplicitLocOpBuilder &b, ValueRange x) { return activateScalar(b, activation, x[0]); });
  };
  for (uint32_t number = 0; number <= getMaxEnumValForFunction(); ++number) {
    auto function = static_cast<Function>(number);
    if (function == Function::LeakyRelu) {
      for (FloatAttr alpha : constantsOf(*op.getBody()))
        if (alpha.getValue().isFinite() &&
            computesFunction(ActivationAttr::get(context, function, alpha)))
          return ActivationAttr::get(context, function, alpha);
    } else if (computesFunction(ActivationAttr::get(context, function, FloatAttr()))) {
      return ActivationAttr::get(context, function, FloatAttr());
    }
  }
  // As torch-mlir writes it; a NaN passes here, too.
  bool isRelu = computes([](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
    Value zero = arith::ConstantOp::create(b, b.getF32FloatAttr(0));
    Value above = arith::CmpFOp::create(b, arith::CmpFPredicate::UGT, x[0], zero);
    return arith::SelectOp::create(b, above, x[0], zero);
  });
  return isRelu ? ActivationAttr::get(context, Function::Relu, FloatAttr()) : ActivationAttr();
}

namespace {

struct RaiseActivation : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || op.getNumDpsInputs() != 1 || !isIdentityInput(op, 0))
      return rewriter.notifyMatchFailure(op, "expected one input, element by element");
    ActivationAttr activation = getActivation(op);
    if (!activation)
      return rewriter.notifyMatchFailure(op, "expected an activation function");
    rewriter.replaceOpWithNewOp<ActivateOp>(op, op->getResult(0).getType(), op.getDpsInputs()[0],
                                            activation, getLayer(op), IntegerAttr());
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Sums, products, biases
//===----------------------------------------------------------------------===//

/// Whether the body combines its first two arguments with an op of this kind.
template <typename OpTy> bool combines(linalg::GenericOp op) {
  return expressionOf(*op.getBody()) ==
         expressionOf(op.getContext(), 2, [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
           return OpTy::create(b, x[0], x[1]);
         });
}

template <typename ArithOp, typename LayerOp>
struct RaiseBinary : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || op.getNumDpsInputs() != 2 || !combines<ArithOp>(op))
      return rewriter.notifyMatchFailure(op, "expected a sum or product of two inputs");
    bool swap = !isIdentityInput(op, 0);
    if (!isIdentityInput(op, swap) || !isBroadcastInput(op, !swap))
      return rewriter.notifyMatchFailure(op, "expected an input of the result's shape");
    rewriter.replaceOpWithNewOp<LayerOp>(op, op->getResult(0).getType(), op.getDpsInputs()[swap],
                                         op.getDpsInputs()[!swap], ActivationAttr(), getLayer(op),
                                         IntegerAttr());
    return success();
  }
};

/// A sum with one number per channel becomes the bias of the layer before it.
struct RaiseBias : OpRewritePattern<linalg::GenericOp> {
  RaiseBias(MLIRContext *context, WeightSymbols &symbols)
      : OpRewritePattern(context, /*benefit=*/2), symbols(symbols) {}

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || op.getNumDpsInputs() != 2 || !combines<arith::AddFOp>(op))
      return rewriter.notifyMatchFailure(op, "expected a sum of two inputs");
    bool swap = !isIdentityInput(op, 0);
    Value sum = op.getDpsInputs()[swap], bias = op.getDpsInputs()[!swap];
    if (!isIdentityInput(op, swap) || !isChannelInput(op, !swap) ||
        !symbols.isWeights(bias, shapeOf(sum)[1]) || !sum.hasOneUse())
      return rewriter.notifyMatchFailure(op, "expected a bias per channel");
    if (auto conv = sum.getDefiningOp<Conv2DOp>())
      return setBias(conv, bias, op, rewriter);
    if (auto linear = sum.getDefiningOp<LinearOp>())
      return setBias(linear, bias, op, rewriter);
    return rewriter.notifyMatchFailure(op, "expected a layer with weights before the bias");
  }

  template <typename LayerOp>
  LogicalResult setBias(LayerOp layer, Value bias, linalg::GenericOp op,
                        PatternRewriter &rewriter) const {
    if (layer.getBias() || layer.getActivation())
      return rewriter.notifyMatchFailure(op, "expected a layer without bias and activation");
    rewriter.modifyOpInPlace(
        layer, [&] { layer.setBiasAttr(symbols.get(bias, layer.getLayerAttr(), "bias")); });
    rewriter.replaceOp(op, layer);
    return success();
  }

  WeightSymbols &symbols;
};

//===----------------------------------------------------------------------===//
// Batch normalisation
//===----------------------------------------------------------------------===//

struct RaiseBatchNorm : OpRewritePattern<linalg::GenericOp> {
  RaiseBatchNorm(MLIRContext *context, WeightSymbols &symbols)
      : OpRewritePattern(context), symbols(symbols) {}

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || op.getNumDpsInputs() != 5 || !isIdentityInput(op, 0))
      return rewriter.notifyMatchFailure(op, "expected five inputs, element by element");
    ArrayRef<int64_t> shape = shapeOf(op->getResult(0));
    if (shape.size() != 2 && shape.size() != 4)
      return rewriter.notifyMatchFailure(op, "expected rank 2 or 4");
    for (unsigned number : {1, 2, 3, 4})
      if (!isChannelInput(op, number) || !symbols.isWeights(op.getDpsInputs()[number], shape[1]))
        return rewriter.notifyMatchFailure(op, "expected parameters per channel");
    FloatAttr epsilon = getEpsilon(op);
    if (!epsilon)
      return rewriter.notifyMatchFailure(op, "expected a batch normalisation");
    StringAttr layer = getLayer(op);
    ValueRange inputs = op.getDpsInputs();
    FlatSymbolRefAttr scale = symbols.get(inputs[1], layer, "weight");
    FlatSymbolRefAttr shift = symbols.get(inputs[2], layer, "bias");
    FlatSymbolRefAttr mean = symbols.get(inputs[3], layer, "running_mean");
    FlatSymbolRefAttr variance = symbols.get(inputs[4], layer, "running_var");
    auto norm = BatchNormAttr::get(op.getContext(), scale, shift, mean, variance, epsilon);
    rewriter.replaceOpWithNewOp<BatchNormOp>(op, op->getResult(0).getType(), inputs[0], norm,
                                             FlatSymbolRefAttr(), layer, IntegerAttr());
    return success();
  }

  /// The epsilon with which the body is a batch normalisation, or null.
  static FloatAttr getEpsilon(linalg::GenericOp op) {
    std::string body = expressionOf(*op.getBody());
    for (FloatAttr number : constantsOf(*op.getBody())) {
      double epsilon = number.getValueAsDouble();
      if (!number.getValue().isFinite() || number.getValue().isNegative())
        continue;
      auto ours = [&](ImplicitLocOpBuilder &b, ValueRange x) {
        return normalizeScalar(b, x, epsilon);
      };
      if (body == expressionOf(op.getContext(), 5, ours) ||
          body == expressionOf(op.getContext(), 5, [&](ImplicitLocOpBuilder &b, ValueRange x) {
            return normalizeByRoot(b, x, epsilon);
          }))
        return number;
    }
    return {};
  }

  /// (x - mean) * rsqrt(variance + epsilon) * scale + shift, as torch-mlir writes it.
  static Value normalizeByRoot(ImplicitLocOpBuilder &b, ValueRange x, double epsilon) {
    Value small = arith::ConstantOp::create(b, b.getF32FloatAttr(epsilon));
    Value root = math::RsqrtOp::create(b, arith::AddFOp::create(b, x[4], small));
    Value centred = arith::SubFOp::create(b, x[0], x[3]);
    Value normal = arith::MulFOp::create(b, centred, root);
    return arith::AddFOp::create(b, arith::MulFOp::create(b, normal, x[1]), x[2]);
  }

  WeightSymbols &symbols;
};

//===----------------------------------------------------------------------===//
// Average pooling
//===----------------------------------------------------------------------===//

/// A sum over windows, divided by the number of their cells.
struct RaiseAvgPool : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || op.getNumDpsInputs() != 1 || !isIdentityInput(op, 0))
      return rewriter.notifyMatchFailure(op, "expected one input, element by element");
    auto sum = op.getDpsInputs()[0].getDefiningOp<linalg::PoolingNchwSumOp>();
    if (!sum || !sum.hasPureTensorSemantics() ||
        !llvm::all_of(sum->getOperandTypes(), isPlainTensor))
      return rewriter.notifyMatchFailure(op, "expected a sum over windows");
    std::optional<llvm::APFloat> start = getFill(sum.getDpsInits()[0]);
    ArrayRef<int64_t> kernel = shapeOf(sum.getDpsInputs()[1]);
    SmallVector<int64_t, 2> strides(sum.getStrides().getValues<int64_t>());
    auto isOne = [](int64_t number) { return number == 1; };
    Padded padded = lookThroughPad(sum.getDpsInputs()[0], zero());
    bool inBounds =
        llvm::all_of(kernel, [](int64_t size) { return size <= maxDistance; }) &&
        llvm::all_of(strides, [](int64_t stride) { return stride >= 1 && stride <= maxDistance; });
    if (!start || !start->isZero() || !inBounds || strides.size() != 2 ||
        !llvm::all_of(sum.getDilations().getValues<int64_t>(), isOne) ||
        !isPoolPadding(padded.padding, kernel, {1, 1}) ||
        !isWholeOutput(shapeOf(padded.inner), shapeOf(op->getResult(0)), kernel, strides,
                       padded.padding, {1, 1}) ||
        !dividesBy(op, kernel[0] * kernel[1]))
      return rewriter.notifyMatchFailure(op, "expected a mean over whole windows");
    bool hasPadding = !llvm::all_of(padded.padding, [](int64_t size) { return size == 0; });
    rewriter.replaceOpWithNewOp<AvgPool2DOp>(
        op, op->getResult(0).getType(), padded.inner, rewriter.getDenseI64ArrayAttr(kernel),
        rewriter.getDenseI64ArrayAttr(strides), rewriter.getDenseI64ArrayAttr(padded.padding),
        hasPadding ? rewriter.getUnitAttr() : UnitAttr(), getLayer(op), IntegerAttr());
    return success();
  }

  static bool dividesBy(linalg::GenericOp op, int64_t count) {
    return expressionOf(*op.getBody()) ==
           expressionOf(op.getContext(), 1, [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
             Value divisor = arith::ConstantOp::create(b, b.getF32FloatAttr(count));
             return arith::DivFOp::create(b, x[0], divisor);
           });
  }
};

} // namespace

void pconv::pattern::populateScalarRewrites(RewritePatternSet &rewrites, WeightSymbols &symbols) {
  MLIRContext *context = rewrites.getContext();
  rewrites.add<RaiseActivation, RaiseAvgPool, RaiseBinary<arith::AddFOp, AddOp>,
               RaiseBinary<arith::MulFOp, MulOp>>(context);
  rewrites.add<RaiseBias, RaiseBatchNorm>(context, symbols);
}
