// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops of the pattern dialect: verification and folding.
#include "Pattern/IR/Pattern.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace pconv::pattern;

#define GET_OP_CLASSES
#include "Pattern/IR/PatternOps.cpp.inc"

LibraryAttr WeightsOp::getLibrary() {
  auto kernel = dyn_cast<KernelAttr>(getScheme());
  return kernel ? kernel.getLibrary() : LibraryAttr();
}

static int64_t windows(int64_t size, int64_t window, int64_t stride, int64_t before, int64_t after,
                       int64_t dilation) {
  return (size + before + after - dilation * (window - 1) - 1) / stride + 1;
}

SmallVector<int64_t, 4> Conv2DOp::getConvShape(ArrayRef<int64_t> weights) {
  auto input = cast<RankedTensorType>(getInput().getType()).getShape();
  SmallVector<int64_t, 4> shape{input[0], weights[0]};
  for (int64_t i : {0, 1})
    shape.push_back(windows(input[2 + i], weights[2 + i], getStrides()[i], getPadding()[i],
                            getPadding()[2 + i], getDilations()[i]));
  return shape;
}

#define STUB_VERIFY(OP) LogicalResult OP::verify() { return success(); }
#define STUB_SYMBOLS(OP) LogicalResult OP::verifySymbolUses(SymbolTableCollection &) { return success(); }
STUB_VERIFY(WeightsOp) STUB_VERIFY(PackedOp) STUB_VERIFY(Conv2DOp) STUB_VERIFY(LinearOp)
STUB_VERIFY(BatchNormOp) STUB_VERIFY(MaxPool2DOp) STUB_VERIFY(AvgPool2DOp)
STUB_VERIFY(AdaptiveAvgPool2DOp) STUB_VERIFY(ActivateOp) STUB_VERIFY(AddOp) STUB_VERIFY(MulOp)
STUB_VERIFY(ConcatOp) STUB_VERIFY(ReshapeOp) STUB_VERIFY(SoftmaxOp) STUB_VERIFY(ResizeOp)
STUB_VERIFY(RelayoutOp)
STUB_SYMBOLS(WeightsOp) STUB_SYMBOLS(PackedOp) STUB_SYMBOLS(Conv2DOp) STUB_SYMBOLS(LinearOp)
STUB_SYMBOLS(BatchNormOp)
OpFoldResult ActivateOp::fold(FoldAdaptor) { return {}; }
OpFoldResult ConcatOp::fold(FoldAdaptor) { return {}; }
OpFoldResult ReshapeOp::fold(FoldAdaptor) { return {}; }
OpFoldResult RelayoutOp::fold(FoldAdaptor) { return {}; }
