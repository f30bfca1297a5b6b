// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel loops of all convolutions share: the tile and how it is written.
#include "Convolution.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

ConvTile::ConvTile(Conv2DOp conv, const Layer &layer)
    : conv(conv), input(layer.inputs[0]), output(layer.output) {
  auto target = conv->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>("pattern.target");
  lanes = target.getLanes();
  positions = conv.getScheduleAttr().getVectors() * lanes;
  tiles = llvm::divideCeil(output.height * output.rowStride, positions);
  if (conv.getResidual())
    residual = layer.inputs[1];
  if (layer.packed.getBias())
    bias = layer.packed.getValues() + layer.packed.getValueCount();
}

int64_t ConvTile::tapOffset(int64_t row, int64_t column) const {
  return input.tapOffset(row * conv.getDilations()[0] - conv.getPadding()[0],
                         column * conv.getDilations()[1] - conv.getPadding()[1]);
}

SmallVector<Value> ConvTile::masks(StepBuilder &b, Value position) const {
  SmallVector<Value> masks;
  for (int64_t at = 0; at < positions; at += lanes)
    masks.push_back(b.insideMask(b.add(position, at), output));
  return masks;
}

void ConvTile::write(StepBuilder &b, ArrayRef<Value> sums, Value image, Value channel,
                     Value position, ArrayRef<Value> masks) const {
  auto planeOf = [&](const Plane &plane) {
    Value number = b.add(b.mul(image, plane.channels), channel);
    return b.add(b.mul(number, plane.channelStride), plane.place);
  };
  auto element = [&](Value start, const Plane &plane) {
    return b.add(b.add(start, position), plane.halo * plane.rowStride + plane.halo);
  };
  Value outPlane = planeOf(output);
  Value out = element(outPlane, output);
  Value added = residual ? element(planeOf(*residual), *residual) : Value();
  Value biasVector = bias ? b.broadcast(b.loadValue(b.add(channel, *bias))) : Value();
  for (auto [index, sum] : llvm::enumerate(sums)) {
    Value x = sum;
    if (biasVector)
      x = arith::AddFOp::create(b, b.getLoc(), x, biasVector);
    if (added)
      x = arith::AddFOp::create(b, b.getLoc(), x, b.loadVector(b.add(added, index * lanes)));
    x = b.keep(b.activate(conv.getActivationAttr(), x), masks[index]);
    b.storeVector(x, b.add(out, index * lanes));
  }
  writeBorder(b, outPlane, position);
}

void ConvTile::writeBorder(StepBuilder &b, Value plane, Value position) const {
  if (output.halo == 0)
    return;
  auto clear = [&](int64_t from, int64_t to) {
    Value start = b.add(plane, from);
    int64_t whole = (to - from) / lanes * lanes;
    if (whole)
      b.loop(0, whole, lanes, [&](Value i) { b.storeVector(b.vectorOf(0), b.add(start, i)); });
    b.loop(whole, to - from, 1, [&](Value i) { b.store(b.number(0), b.add(start, i)); });
  };
  auto equals = [&](int64_t at) {
    return b.createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, position, b.constant(at));
  };
  int64_t first = output.halo * output.rowStride + output.halo;
  b.onlyIf(equals(0), [&] { clear(0, first); });
  b.onlyIf(equals((tiles - 1) * positions), [&] {
    clear(first + tiles * positions, output.channelStride);
  });
}
