// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the elements of a bordered plane lie.
#include "Pattern/Analysis/PlaneGeometry.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pconv::pattern;

int64_t pconv::pattern::minimalRowStride(ArrayRef<int64_t> shape, int64_t halo, int64_t colPhases) {
  return colPhases == 1 ? shape[3] + halo : llvm::divideCeil(shape[3] + 2 * halo, colPhases);
}

int64_t pconv::pattern::minimalChannelStride(ArrayRef<int64_t> shape, int64_t halo,
                                             int64_t rowStride, int64_t rowPhases,
                                             int64_t colPhases, int64_t lanes) {
  // The last row's right border is the start of a row that nothing else needs: `halo` floats.
  int64_t rows = llvm::divideCeil(shape[2] + 2 * halo, rowPhases);
  int64_t bordered = rows * rowStride + halo;
  int64_t overrun = halo * rowStride + halo + shape[2] * rowStride + kMaxTileVectors * lanes;
  int64_t plane = rowPhases * colPhases == 1 ? std::max(bordered, overrun) : bordered;
  plane = llvm::alignTo(plane, std::max(lanes, kLineFloats));
  // Channels that are a multiple of a page apart would fight for the same sets of the first cache.
  constexpr int64_t kPageFloats = 1024;
  if (plane % kPageFloats == 0)
    plane += 2 * lanes;
  return plane * rowPhases * colPhases;
}

int64_t pconv::pattern::borderNeeded(Conv2DOp conv, ArrayRef<int64_t> weights) {
  SmallVector<int64_t, 4> shape = conv.getConvShape(weights);
  int64_t border = 0;
  for (int64_t i : {0, 1}) {
    int64_t before = conv.getPadding()[i];
    int64_t last = (shape[2 + i] - 1) * conv.getStrides()[i] +
                   (weights[2 + i] - 1) * conv.getDilations()[i] - before;
    int64_t after = last + 1 - conv.getInput().getType().getDimSize(2 + i);
    border = std::max({border, before, after});
  }
  return border;
}

PlaneGeometry::PlaneGeometry(RankedTensorType type) {
  // Tensors of other ranks are read as N x C x H x W with the last dimensions merged or 1.
  ArrayRef<int64_t> shape = type.getShape();
  auto dim = [&](size_t i) { return i < shape.size() ? shape[i] : 1; };
  batch = dim(0);
  channels = dim(1);
  height = dim(2);
  width = 1;
  for (size_t i = 3; i < shape.size(); ++i)
    width *= shape[i];
  halo = 0;
  rowStride = width;
  channelStride = height * width;
  rowPhases = colPhases = 1;
  if (auto plane = dyn_cast_or_null<PlaneAttr>(type.getEncoding())) {
    halo = plane.getHalo();
    rowStride = plane.getRowStride();
    channelStride = plane.getChannelStride();
    rowPhases = plane.getRowPhases();
    colPhases = plane.getColPhases();
  }
}

int64_t PlaneGeometry::tapOffset(int64_t row, int64_t column) const {
  int64_t y = row + halo, x = column + halo;
  int64_t phase = (y % rowPhases) * colPhases + x % colPhases;
  return phase * (channelStride / (rowPhases * colPhases)) + (y / rowPhases) * rowStride +
         x / colPhases;
}
