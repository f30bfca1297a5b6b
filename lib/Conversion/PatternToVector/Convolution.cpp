// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel loops of all convolutions share: the tile and how it is written.
#include "Convolution.h"

#include "PlaneAccess.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

/// The plane that a convolution would write without its pooling: with the rows of its input.
static Plane resultPlane(Conv2DOp conv, const Layer &layer) {
  if (!conv.getPool())
    return layer.output;
  SmallVector<int64_t, 4> shape = conv.getConvShape(layer.weights.getShape());
  Plane plane = layer.inputs[0];
  plane.channels = shape[1];
  plane.height = shape[2];
  plane.width = shape[3];
  return plane;
}

ConvTile::ConvTile(Conv2DOp conv, const Layer &layer)
    : conv(conv), input(layer.inputs[0]), output(layer.output), result(resultPlane(conv, layer)) {
  auto target = conv->getParentOfType<ModuleOp>()->getAttrOfType<TargetAttr>("pattern.target");
  ScheduleAttr schedule = conv.getScheduleAttr();
  lanes = target.getLanes();
  if (schedule.getDataflow() == Dataflow::Staged) {
    segmentCount = schedule.getVectors();
    segmentVectors = schedule.getRows();
    vectorStep = result.rowStride;
    tiling.emplace(result.height, result.width, segmentVectors, segmentCount, lanes,
                   bool(conv.getPool()));
    tiles = tiling->tiles();
  } else {
    segmentCount = 1;
    segmentVectors = schedule.getVectors();
    vectorStep = lanes;
    tiles = llvm::divideCeil(result.height * result.rowStride, segmentVectors * lanes);
  }
  if (conv.getResidual())
    residual = layer.inputs[1];
  if (layer.packed.getBias())
    bias = layer.packed.getValues() + layer.packed.getValueCount();
}

int64_t ConvTile::tapOffset(int64_t row, int64_t column) const {
  return input.tapOffset(row * conv.getDilations()[0] - conv.getPadding()[0],
                         column * conv.getDilations()[1] - conv.getPadding()[1]);
}

Value ConvTile::tapOffset(StepBuilder &b, Value row, Value column) const {
  Value y = b.add(b.mul(row, conv.getDilations()[0]), -conv.getPadding()[0]);
  Value x = b.add(b.mul(column, conv.getDilations()[1]), -conv.getPadding()[1]);
  return elementAt(b, input, b.constant(0), y, x);
}

SmallVector<ConvTile::Shape> ConvTile::shapes() const {
  SmallVector<Shape> shapes;
  int64_t end = 0;
  auto add = [&](int64_t count, int64_t rows, bool folded) {
    if (count > 0)
      shapes.push_back({end += count, rows, folded});
  };
  auto addBands = [&](const StagedBands &bands, int64_t tiles, int64_t strips, bool folded) {
    int64_t shorter = strips * (bands.count - bands.tall);
    add(tiles - shorter, bands.rows, folded);
    add(shorter, bands.rows - bands.step, folded);
  };
  addBands(tiling->bands, tiling->plainTiles(), tiling->strips, /*folded=*/false);
  if (tiling->fold)
    addBands(tiling->fold->bands, tiling->fold->bands.count, 1, /*folded=*/true);
  return shapes;
}

ConvTile ConvTile::withShape(const Shape &shape) const {
  ConvTile tile = *this;
  tile.segmentVectors = shape.rows;
  tile.folded = shape.folded;
  return tile;
}

/// The first row of a band.
static Value firstRow(StepBuilder &b, const StagedBands &bands, Value band) {
  Value y = b.mul(band, bands.rows);
  if (bands.tall == bands.count)
    return b.min(y, b.constant(bands.height - bands.rows));
  return b.sub(y, b.mul(b.max(b.sub(band, b.constant(bands.tall)), b.constant(0)), bands.step));
}

SmallVector<Segment> ConvTile::segments(StepBuilder &b, Value number) const {
  if (!stacked())
    return {{b.mul(number, segmentVectors * lanes), {}, {}, {}}};
  SmallVector<Segment> list;
  int64_t strips = tiling->strips;
  for (int64_t s = 0; s < segmentCount; ++s) {
    // The last tile repeats the last segment; both write the same.
    Value index =
        b.min(b.add(b.mul(number, segmentCount), s), b.constant(strips * tiling->bands.count - 1));
    Value strip = b.rem(index, strips), y = firstRow(b, tiling->bands, b.div(index, strips));
    Value x = b.min(b.mul(strip, lanes), b.constant(std::max<int64_t>(result.width - lanes, 0)));
    Value last = b.equal(strip, strips - 1);
    if (const std::optional<StagedFold> &fold = tiling->fold) {
      last = b.lessThan(b.constant(tiling->plainTiles() - 1), number);
      Value band = b.max(b.add(number, -tiling->plainTiles()), b.constant(0));
      y = b.select(last, firstRow(b, fold->bands, band), y);
      x = b.select(last, b.constant(fold->column), x);
    }
    list.push_back({b.add(b.mul(y, result.rowStride), x), y, x, last});
  }
  return list;
}

SmallVector<Value> ConvTile::masks(StepBuilder &b, ArrayRef<Segment> segments) const {
  SmallVector<Value> masks;
  bool inside = stacked() && result.width >= lanes;
  for (const Segment &segment : segments)
    for (int64_t v = 0; v < segmentVectors; ++v)
      masks.push_back(inside ? Value()
                             : b.insideMask(b.add(segment.position, v * vectorStep), result));
  return masks;
}

void ConvTile::write(StepBuilder &b, ArrayRef<Value> sums, Value image, Value channel, Value number,
                     ArrayRef<Segment> segments, ArrayRef<Value> masks) const {
  auto firstOf = [&](const Plane &plane) {
    Value index = b.add(b.mul(image, plane.channels), channel);
    return firstElement(b, plane, planeStart(b, plane, index));
  };
  Value first = firstOf(output);
  Value added = residual ? firstOf(*residual) : Value();
  Value biasVector = bias ? b.broadcast(b.loadValue(b.add(channel, *bias))) : Value();
  for (auto [s, segment] : llvm::enumerate(segments)) {
    SmallVector<Value> vectors;
    for (int64_t v = 0; v < segmentVectors; ++v) {
      Value x = sums[s * segmentVectors + v], mask = masks[s * segmentVectors + v];
      if (folded)
        x = b.deinterleave(x);
      Value position = b.add(segment.position, v * vectorStep);
      if (biasVector)
        x = arith::AddFOp::create(b, b.getLoc(), x, biasVector);
      if (added)
        x = arith::AddFOp::create(b, b.getLoc(), x, loadResidual(b, b.add(added, position)));
      x = b.activate(conv.getActivationAttr(), x);
      vectors.push_back(mask ? b.keep(x, mask) : x);
    }
    if (conv.getPool())
      writePooled(b, vectors, first, segment);
    else
      writeVectors(b, vectors, first, segment);
    if (stacked())
      clearGap(b, first, segment);
  }
  clearBorder(b, first, number);
}

void ConvTile::prefetchOutput(StepBuilder &b, Value image, Value channel,
                              ArrayRef<Segment> segments) const {
  Value index = b.add(b.mul(image, output.channels), channel);
  Value first = firstElement(b, output, planeStart(b, output, index));
  for (const Segment &segment : segments) {
    Value corner = cornerOf(b, first, segment);
    for (int64_t v = 0; v < segmentVectors / shrink(); ++v)
      inEachHalf(b, b.add(corner, v * output.rowStride),
                 [&](Value row) { b.prefetch(row, StepBuilder::Access::Write); });
  }
}

int64_t ConvTile::shrink() const { return conv.getPool() ? 2 : 1; }

Value ConvTile::cornerOf(StepBuilder &b, Value first, const Segment &segment) const {
  Value row = b.mul(b.div(segment.row, shrink()), output.rowStride);
  return b.add(b.add(first, row), b.div(segment.column, shrink()));
}

void ConvTile::inEachHalf(StepBuilder &b, Value at, StepBuilder::Body body) const {
  body(at);
  if (folded)
    body(b.add(at, halfStride(output, shrink())));
}

std::pair<Value, Value> ConvTile::loadHalves(StepBuilder &b, const Plane &plane, Value at) const {
  Value upper = b.loadVector(at, lanes / 2);
  Value lower = b.loadVector(b.add(at, halfStride(plane)), lanes / 2);
  return {upper, lower};
}

Value ConvTile::loadResidual(StepBuilder &b, Value at) const {
  if (!folded)
    return b.loadVector(at);
  auto [upper, lower] = loadHalves(b, *residual, at);
  return b.concat(upper, lower);
}

/// Stores what a tile computed of one row of the output, or of one row in either half of it.
void ConvTile::storeRow(StepBuilder &b, Value vector, Value at) const {
  if (!folded)
    return b.storeVector(vector, at);
  auto [upper, lower] = b.split(vector);
  b.storeVector(upper, at);
  b.storeVector(lower, b.add(at, halfStride(output, shrink())));
}

void ConvTile::writeVectors(StepBuilder &b, ArrayRef<Value> vectors, Value first,
                            const Segment &segment) const {
  for (auto [v, vector] : llvm::enumerate(vectors))
    storeRow(b, vector, b.add(b.add(first, segment.position), v * vectorStep));
}

/// Maxima of 2 x 2 windows: of two rows, then of neighbours in what is left.
void ConvTile::writePooled(StepBuilder &b, ArrayRef<Value> vectors, Value first,
                           const Segment &segment) const {
  Value corner = cornerOf(b, first, segment);
  for (size_t v = 0; v + 1 < vectors.size(); v += 2) {
    Value rows = b.maximum(vectors[v], vectors[v + 1]);
    auto [left, right] = b.split(b.deinterleave(rows));
    storeRow(b, b.maximum(left, right), b.add(corner, v / 2 * output.rowStride));
  }
}

/// The border between rows, where no vector of a segment reaches it.
void ConvTile::clearGap(StepBuilder &b, Value first, const Segment &segment) const {
  int64_t gap = std::max(output.width, lanes / shrink());
  bool endsElsewhere = tiling->fold && !folded; // rows end in the folded strip
  if (gap >= output.rowStride || endsElsewhere)
    return;
  auto clearAt = [&](Value row) {
    int64_t vectors = gap + (output.rowStride - gap) / lanes * lanes;
    b.repeat(gap, vectors, lanes,
             [&](Value column) { b.storeVector(b.vectorOf(0), b.add(row, column)); });
    b.repeat(vectors, output.rowStride, 1,
             [&](Value column) { b.store(b.number(0), b.add(row, column)); });
  };
  b.onlyIf(segment.lastInRow, [&] {
    Value row = b.add(first, b.mul(b.div(segment.row, shrink()), output.rowStride));
    for (int64_t v = 0; v < segmentVectors / shrink(); ++v, row = b.add(row, output.rowStride))
      inEachHalf(b, row, clearAt);
  });
}

void ConvTile::clearBorder(StepBuilder &b, Value first, Value number) const {
  if (output.halo == 0)
    return;
  Value isFirst = b.equal(number, 0);
  int64_t above = output.firstElement();
  b.onlyIf(isFirst, [&] {
    clear(b, first, -above, 0);
    clear(b, first, output.height * output.rowStride, output.channelStride - above);
  });
}
