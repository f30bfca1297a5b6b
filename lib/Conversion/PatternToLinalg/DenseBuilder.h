// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Makes the dense meaning of layers out of linalg, tensor and arith ops.
#ifndef LIB_CONVERSION_PATTERNTOLINALG_DENSEBUILDER_H
#define LIB_CONVERSION_PATTERNTOLINALG_DENSEBUILDER_H

#include "Pattern/IR/Pattern.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace pconv::pattern {

/// Builds at the place and with the location of one layer after another, and names the linalg ops
/// it makes after the layer (`pattern.layer`).
class DenseBuilder : public mlir::ImplicitLocOpBuilder, public mlir::OpBuilder::Listener {
public:
  explicit DenseBuilder(mlir::MLIRContext *context);

  /// The result of `op`, made right before it. `weights` gives the values of the weight symbols.
  using Weights = llvm::DenseMap<mlir::Operation *, mlir::Value>;
  mlir::Value lower(mlir::Operation *op, const Weights &weights);

  /// The tensor that the recipe (`source`, `batch_norm`) of `op` makes.
  mlir::Value fold(WeightsOp op, const Weights &weights);

private:
  using Body = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;
  using Shape = mlir::ArrayRef<int64_t>;

  void notifyOperationInserted(mlir::Operation *op, InsertPoint previous) override;

  // Layers with weights (Layers.cpp).
  mlir::Value lower(Conv2DOp op);
  mlir::Value lower(LinearOp op);
  mlir::Value lower(BatchNormOp op);
  mlir::Value convolve(Conv2DOp op, mlir::Value weights, mlir::Value init);
  mlir::Value convolveGroups(Conv2DOp op, mlir::Value input, mlir::Value weights, mlir::Value init);
  /// The value of the weight symbol that a layer names.
  mlir::Value weight(mlir::FlatSymbolRefAttr name);

  // Planes (Planes.cpp).
  mlir::Value lower(MaxPool2DOp op);
  mlir::Value lower(AvgPool2DOp op);
  mlir::Value lower(AdaptiveAvgPool2DOp op);
  mlir::Value lower(ResizeOp op);
  /// The windows of a pooling.
  struct Windows {
    Shape output, kernel, strides, padding, dilations;
  };
  mlir::Value pool(mlir::Value input, PoolAttr attr, Shape output);
  mlir::Value poolMaximum(mlir::Value input, const Windows &windows);
  mlir::Value poolAverage(mlir::Value input, const Windows &windows, bool countPadding);
  mlir::Value averageRagged(mlir::Value input, Shape output);
  /// Reduces every window with a linalg pooling op, from `start` on.
  template <typename PoolOp>
  mlir::Value reduce(mlir::Value input, const Windows &windows, float start);
  mlir::Value divide(mlir::Value sums, Shape rowCounts, Shape colCounts);
  mlir::Value padWindows(mlir::Value input, const Windows &windows, float value);

  // Element by element, and moves (Elementwise.cpp).
  mlir::Value lower(ActivateOp op);
  mlir::Value lower(AddOp op);
  mlir::Value lower(MulOp op);
  mlir::Value lower(ConcatOp op);
  mlir::Value lower(ReshapeOp op);
  mlir::Value lower(SoftmaxOp op);
  mlir::Value lower(RelayoutOp op);
  mlir::Value activate(mlir::Value value, ActivationAttr activation);
  mlir::Value add(mlir::Value lhs, mlir::Value rhs);
  /// The result has the shape of `lhs`; dimensions of `rhs` may be 1 instead.
  mlir::Value combine(mlir::Value lhs, mlir::Value rhs, Body body);

  // Pieces (DenseBuilder.cpp).
  mlir::Value constant(float value);
  mlir::Value empty(Shape shape);
  mlir::Value fill(Shape shape, float value);
  /// `vector` (one element per channel, dimension 1) in every place of a tensor of this shape.
  mlir::Value broadcastChannels(mlir::Value vector, Shape shape);
  /// A plane with a border of `value`; `padding` is top, left, bottom, right.
  mlir::Value pad(mlir::Value plane, Shape padding, float value);
  /// A tensor of this shape, computed element by element from what `maps` says of `inputs`.
  mlir::Value map(Shape shape, mlir::ValueRange inputs, mlir::ArrayRef<mlir::AffineMap> maps,
                  Body body);
  /// The map that takes an element of a tensor of `rank` to those of its dimensions `dims`.
  mlir::AffineMap project(int64_t rank, mlir::ArrayRef<unsigned> dims);

  const Weights *weights = nullptr;
  mlir::Operation *layer = nullptr; // the layer that is being lowered
};

/// The shape of a tensor value.
inline mlir::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

} // namespace pconv::pattern

#endif // LIB_CONVERSION_PATTERNTOLINALG_DENSEBUILDER_H
