// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Raises named linalg ops: convolutions, fully connected layers, maximum poolings; and reshapes.
#include "Rewrites.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace pconv::pattern;

//===----------------------------------------------------------------------===//
// What all of them look at
//===----------------------------------------------------------------------===//

bool pconv::pattern::isPlainTensor(Type type) {
  return isLayerTensor(type) && !cast<RankedTensorType>(type).getEncoding();
}

static bool areAll(ValueRange values, bool (*predicate)(Type)) {
  return llvm::all_of(values, [&](Value value) { return predicate(value.getType()); });
}

Padded pconv::pattern::lookThroughPad(Value tensor, const llvm::APFloat &value) {
  Padded none{tensor, {0, 0, 0, 0}};
  auto pad = tensor.getDefiningOp<tensor::PadOp>();
  if (!pad || !isPlainTensor(pad.getSource().getType()) || shapeOf(tensor).size() != 4)
    return none;
  ArrayRef<int64_t> low = pad.getStaticLow(), high = pad.getStaticHigh();
  Value border = pad.getConstantPaddingValue();
  FloatAttr number;
  if (!border || !matchPattern(border, m_Constant(&number)) || number.getValue() != value)
    return none;
  for (int64_t i = 0; i < 4; ++i)
    if (low[i] < 0 || high[i] < 0 || low[i] > maxDistance || high[i] > maxDistance ||
        (i < 2 && low[i] + high[i] != 0))
      return none; // dynamic sizes are negative, too
  return {pad.getSource(), {low[2], low[3], high[2], high[3]}};
}

bool pconv::pattern::isPoolPadding(ArrayRef<int64_t> padding, ArrayRef<int64_t> kernel,
                                   ArrayRef<int64_t> dilations) {
  for (int64_t i = 0; i < 4; ++i)
    if (padding[i] > (dilations[i % 2] * (kernel[i % 2] - 1) + 1) / 2)
      return false;
  return true;
}

bool pconv::pattern::isWholeOutput(ArrayRef<int64_t> input, ArrayRef<int64_t> output,
                                   ArrayRef<int64_t> kernel, ArrayRef<int64_t> strides,
                                   ArrayRef<int64_t> padding, ArrayRef<int64_t> dilations) {
  for (int64_t i : {0, 1})
    if (output[2 + i] != countWindows(input[2 + i], kernel[i], strides[i],
                                      padding[i] + padding[2 + i], dilations[i]))
      return false;
  return true;
}

std::optional<llvm::APFloat> pconv::pattern::getFill(Value tensor) {
  FloatAttr number;
  SplatElementsAttr splat;
  if (auto fill = tensor.getDefiningOp<linalg::FillOp>()) {
    if (matchPattern(fill.value(), m_Constant(&number)) && number.getType().isF32())
      return number.getValue();
  } else if (matchPattern(tensor, m_Constant(&splat)) && splat.getElementType().isF32()) {
    return splat.getSplatValue<llvm::APFloat>();
  }
  return std::nullopt;
}

/// Two numbers of a linalg attribute, if the dialect takes them as strides or dilations.
static std::optional<SmallVector<int64_t, 2>> getPair(DenseIntElementsAttr attribute) {
  SmallVector<int64_t, 2> pair;
  for (const llvm::APInt &number : attribute.getValues<llvm::APInt>())
    pair.push_back(number.getSExtValue());
  bool valid = pair.size() == 2 && llvm::all_of(pair, [](int64_t number) {
                 return number >= 1 && number <= maxDistance;
               });
  return valid ? std::optional(pair) : std::nullopt;
}

/// What a sum starts with: a bias per channel (dimension 1), or zeros (`bias` is null).
struct Start {
  Value bias;
};

static std::optional<Start> getStart(Value init, const WeightSymbols &symbols) {
  if (std::optional<llvm::APFloat> number = getFill(init))
    return number->isZero() ? std::optional(Start()) : std::nullopt;
  auto broadcast = init.getDefiningOp<linalg::BroadcastOp>();
  if (!broadcast || !isPlainTensor(init.getType()))
    return std::nullopt;
  ArrayRef<int64_t> shape = shapeOf(init);
  ArrayRef<int64_t> added = broadcast.getDimensions();
  if (added.size() + 1 != shape.size() || llvm::is_contained(added, 1) ||
      !symbols.isWeights(broadcast.getInput(), shape[1]))
    return std::nullopt;
  return Start{broadcast.getInput()};
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

namespace {

/// A convolution as the linalg ops have it, groups put together.
struct Convolution {
  linalg::LinalgOp op; // names the layer
  Value input, weights, init, output;
  DenseIntElementsAttr strides, dilations;
  int64_t groups = 1;
};

} // namespace

static LogicalResult raise(const Convolution &conv, WeightSymbols &symbols,
                           PatternRewriter &rewriter, Operation *root) {
  auto fail = [&](StringRef why) { return rewriter.notifyMatchFailure(root, why); };
  auto strides = getPair(conv.strides), dilations = getPair(conv.dilations);
  std::optional<Start> start = getStart(conv.init, symbols);
  if (!start || !strides || !dilations)
    return fail("expected a start of zeros or a bias, and strides and dilations in bounds");
  if (!areAll({conv.input, conv.weights, conv.output}, isPlainTensor) ||
      !symbols.isWeights(conv.weights, shapeOf(conv.weights)))
    return fail("expected plain f32 tensors, and weights that are an argument or a constant");
  Padded padded = lookThroughPad(conv.input, zero());
  if (!isWholeOutput(shapeOf(padded.inner), shapeOf(conv.output),
                     shapeOf(conv.weights).take_back(2), *strides, padded.padding, *dilations))
    return fail("expected as many windows as fit");

  StringAttr layer = getLayer(conv.op);
  FlatSymbolRefAttr weights = symbols.get(conv.weights, layer, "weight");
  FlatSymbolRefAttr bias;
  if (start->bias)
    bias = symbols.get(start->bias, layer, "bias");
  auto raised = Conv2DOp::create(
      rewriter, root->getLoc(), conv.output.getType(), padded.inner, Value(), weights, bias,
      rewriter.getDenseI64ArrayAttr(*strides), rewriter.getDenseI64ArrayAttr(padded.padding),
      rewriter.getDenseI64ArrayAttr(*dilations), rewriter.getI64IntegerAttr(conv.groups),
      ActivationAttr(), PoolAttr(), DenseI32ArrayAttr(), ScheduleAttr(), LoadsAttr(),
      FlatSymbolRefAttr(), layer, IntegerAttr());
  rewriter.replaceOp(root, raised);
  return success();
}

namespace {

struct RaiseConv : OpRewritePattern<linalg::Conv2DNchwFchwOp> {
  RaiseConv(MLIRContext *context, WeightSymbols &symbols)
      : OpRewritePattern(context), symbols(symbols) {}

  LogicalResult matchAndRewrite(linalg::Conv2DNchwFchwOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "expected tensors");
    return raise({op, op.getDpsInputs()[0], op.getDpsInputs()[1], op.getDpsInits()[0],
                  op->getResult(0), op.getStrides(), op.getDilations()},
                 symbols, rewriter, op);
  }

  WeightSymbols &symbols;
};

/// The tensor whose dimension `dim` was cut into `groups` x rest to make `value`, or null.
Value joinGroups(Value value, int64_t dim) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  if (!expand || expand.getSrcType().getRank() != 4 || expand.getResultType().getRank() != 5 ||
      expand.getReassociationIndices()[dim].size() != 2)
    return {};
  return expand.getSrc();
}

/// What all groups start with; zeros need not have been cut.
Value joinInit(Value init) {
  Value joined = joinGroups(init, 1);
  return joined || !getFill(init) ? joined : init;
}

/// Groups are a dimension of their own in linalg: the result is put together again by a reshape.
struct RaiseGroupedConv : OpRewritePattern<tensor::CollapseShapeOp> {
  RaiseGroupedConv(MLIRContext *context, WeightSymbols &symbols)
      : OpRewritePattern(context), symbols(symbols) {}

  LogicalResult matchAndRewrite(tensor::CollapseShapeOp root,
                                PatternRewriter &rewriter) const override {
    auto op = root.getSrc().getDefiningOp<linalg::Conv2DNgchwGfchwOp>();
    if (!op || !op->hasOneUse() || root.getResultType().getRank() != 4 ||
        root.getReassociationIndices()[1].size() != 2)
      return rewriter.notifyMatchFailure(root, "expected groups to be joined in dimension 1");
    Value input = joinGroups(op.getDpsInputs()[0], 1);
    Value weights = joinGroups(op.getDpsInputs()[1], 0);
    Value init = joinInit(op.getDpsInits()[0]);
    if (!input || !weights || !init)
      return rewriter.notifyMatchFailure(root, "expected tensors that were cut into groups");
    return raise({op, input, weights, init, root.getResult(), op.getStrides(), op.getDilations(),
                  root.getSrcType().getDimSize(1)},
                 symbols, rewriter, root);
  }

  WeightSymbols &symbols;
};

//===----------------------------------------------------------------------===//
// Fully connected layer
//===----------------------------------------------------------------------===//

struct RaiseMatmul : OpRewritePattern<linalg::MatmulOp> {
  RaiseMatmul(MLIRContext *context, WeightSymbols &symbols)
      : OpRewritePattern(context), symbols(symbols) {}

  LogicalResult matchAndRewrite(linalg::MatmulOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !areAll(op->getOperands(), isPlainTensor))
      return rewriter.notifyMatchFailure(op, "expected plain f32 tensors");
    Value input = op.getDpsInputs()[0], weights = getTransposedWeights(op);
    std::optional<Start> start = getStart(op.getDpsInits()[0], symbols);
    if (!weights || !start || !symbols.isWeights(weights, shapeOf(weights)))
      return rewriter.notifyMatchFailure(
          op, "expected a start of zeros or a bias, and transposed weights");
    StringAttr layer = getLayer(op);
    FlatSymbolRefAttr weight = symbols.get(weights, layer, "weight");
    FlatSymbolRefAttr bias;
    if (start->bias)
      bias = symbols.get(start->bias, layer, "bias");
    rewriter.replaceOpWithNewOp<LinearOp>(op, op->getResult(0).getType(), input, weight, bias,
                                          ActivationAttr(), ScheduleAttr(), FlatSymbolRefAttr(),
                                          layer, IntegerAttr());
    return success();
  }

  /// The weights [O, I] of input [N, I] times weights transposed, or null.
  static Value getTransposedWeights(linalg::MatmulOp op) {
    Value right = op.getDpsInputs()[1];
    if (isa<linalg::MatmulTransposeBOp>(op.getOperation()))
      return right;
    auto transpose = right.getDefiningOp<linalg::TransposeOp>();
    if (op.hasUserDefinedMaps() || !transpose ||
        transpose.getPermutation() != ArrayRef<int64_t>{1, 0})
      return {};
    return isPlainTensor(transpose.getInput().getType()) ? transpose.getInput() : Value();
  }

  WeightSymbols &symbols;
};

//===----------------------------------------------------------------------===//
// Maximum pooling
//===----------------------------------------------------------------------===//

struct RaiseMaxPool : OpRewritePattern<linalg::PoolingNchwMaxOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::PoolingNchwMaxOp op,
                                PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !areAll(op->getOperands(), isPlainTensor))
      return rewriter.notifyMatchFailure(op, "expected plain f32 tensors");
    auto strides = getPair(op.getStrides()), dilations = getPair(op.getDilations());
    std::optional<llvm::APFloat> start = getFill(op.getDpsInits()[0]);
    if (!strides || !dilations || !start || *start != lowest())
      return rewriter.notifyMatchFailure(op, "expected a start of -inf");
    Padded padded = lookThroughPad(op.getDpsInputs()[0], lowest());
    ArrayRef<int64_t> kernel = shapeOf(op.getDpsInputs()[1]);
    ArrayRef<int64_t> output = shapeOf(op->getResult(0));
    if (kernel[0] > maxDistance || kernel[1] > maxDistance ||
        !isPoolPadding(padded.padding, kernel, *dilations) ||
        !isWholeOutput(shapeOf(padded.inner), output, kernel, *strides, padded.padding, *dilations))
      return rewriter.notifyMatchFailure(op, "expected as many windows as fit, and not too much "
                                             "padding");
    rewriter.replaceOpWithNewOp<MaxPool2DOp>(
        op, op->getResult(0).getType(), padded.inner, rewriter.getDenseI64ArrayAttr(kernel),
        rewriter.getDenseI64ArrayAttr(*strides), rewriter.getDenseI64ArrayAttr(padded.padding),
        rewriter.getDenseI64ArrayAttr(*dilations), getLayer(op), IntegerAttr());
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

template <typename OpTy> struct RaiseReshape : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!isPlainTensor(op.getSrcType()) || !isPlainTensor(op.getResultType()))
      return rewriter.notifyMatchFailure(op, "expected plain f32 tensors");
    rewriter.replaceOpWithNewOp<ReshapeOp>(op, op.getResultType(), op.getSrc(), StringAttr(),
                                           IntegerAttr());
    return success();
  }
};

} // namespace

void pconv::pattern::populateLayerRewrites(RewritePatternSet &rewrites, WeightSymbols &symbols) {
  rewrites.add<RaiseConv, RaiseGroupedConv, RaiseMatmul>(rewrites.getContext(), symbols);
  rewrites.add<RaiseMaxPool>(rewrites.getContext());
}

void pconv::pattern::populateReshapeRewrites(RewritePatternSet &rewrites) {
  rewrites.add<RaiseReshape<tensor::CollapseShapeOp>, RaiseReshape<tensor::ExpandShapeOp>>(
      rewrites.getContext());
}
