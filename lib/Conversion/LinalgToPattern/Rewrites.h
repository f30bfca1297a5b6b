// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rewrites that raise linalg to layers, in the order in which they have to run.
#ifndef LIB_CONVERSION_LINALGTOPATTERN_REWRITES_H
#define LIB_CONVERSION_LINALGTOPATTERN_REWRITES_H

#include "WeightSymbols.h"

#include "mlir/IR/PatternMatch.h"

namespace pconv::pattern {

/// Convolutions, fully connected layers, maximum poolings: one named linalg op each.
void populateLayerRewrites(mlir::RewritePatternSet &rewrites, WeightSymbols &symbols);

/// linalg.generic: activations, sums, products, biases, batch normalisations; average poolings,
/// which end in one. Needs the layers.
void populateScalarRewrites(mlir::RewritePatternSet &rewrites, WeightSymbols &symbols);

/// Reshapes. Last, since grouped convolutions are made with some.
void populateReshapeRewrites(mlir::RewritePatternSet &rewrites);

/// The shape of a tensor value.
inline mlir::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

/// Whether a layer can make or take a tensor of this type.
bool isPlainTensor(mlir::Type type);

/// A tensor without the tensor.pad around it, and that border: top, left, bottom, right.
struct Padded {
  mlir::Value inner;
  llvm::SmallVector<int64_t, 4> padding;
};

/// Looks through a tensor.pad with `value` around the planes of `tensor`.
Padded lookThroughPad(mlir::Value tensor, const llvm::APFloat &value);

/// Whether pooling ops of the dialect take this border around these windows (their C2).
bool isPoolPadding(mlir::ArrayRef<int64_t> padding, mlir::ArrayRef<int64_t> kernel,
                   mlir::ArrayRef<int64_t> dilations);

/// Whether `output` has as many windows as fit, in both directions of the plane (rounded down).
bool isWholeOutput(mlir::ArrayRef<int64_t> input, mlir::ArrayRef<int64_t> output,
                   mlir::ArrayRef<int64_t> kernel, mlir::ArrayRef<int64_t> strides,
                   mlir::ArrayRef<int64_t> padding, mlir::ArrayRef<int64_t> dilations);

/// The number that fills `tensor`, if it is the result of linalg.fill or a splat constant.
std::optional<llvm::APFloat> getFill(mlir::Value tensor);

/// The name of the user's layer that a linalg op came from, or null.
inline mlir::StringAttr getLayer(mlir::Operation *op) {
  return op->getAttrOfType<mlir::StringAttr>("pattern.layer");
}

inline llvm::APFloat zero() { return llvm::APFloat(0.0f); }
inline llvm::APFloat lowest() {
  return llvm::APFloat::getInf(llvm::APFloat::IEEEsingle(), /*Negative=*/true);
}

} // namespace pconv::pattern

#endif // LIB_CONVERSION_LINALGTOPATTERN_REWRITES_H
