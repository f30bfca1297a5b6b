// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernel-pattern convolution for few registers: the input of a tile is copied to scratch memory,
// and the accumulators of one filter stay in registers while its kernels go by. A kernel names its
// cells by their place in the copy, so one loop without branches serves all kernel patterns.
#include "Convolution.h"

#include "Pattern/Analysis/Dataflow.h"
#include "Pattern/Analysis/RecordPacking.h"
#include "Pattern/Analysis/StagedGeometry.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

/// What a thread works on: the tile of one block of filters of one image.
struct Item {
  Value image, block, number;
  Value plane; // where the image begins
  SmallVector<Segment> segments, next;
};

class Staged {
public:
  Staged(Conv2DOp conv, const Layer &layer, TargetAttr target)
      : tile(conv, layer), layer(layer),
        geometry(conv, layer.weights.getShape(), target.getLanes()),
        schedule(conv.getScheduleAttr()), lanes(target.getLanes()), rows(schedule.getRows()),
        cells(mostCells(layer.weights.getLibrary())), pairs(conv.getLoadsAttr().getPairs()) {
    filters = layer.weights.getShape()[0];
    channels = layer.weights.getShape()[1];
    blocks = llvm::divideCeil(filters, schedule.getFilterBlock());
    channelBlocks = llvm::divideCeil(channels, schedule.getChannelBlock());
  }

  int64_t items() const { return layer.output.batch * blocks * tile.tiles; }

  void emit(StepBuilder &b, Value index) const {
    Item item;
    item.number = b.rem(index, tile.tiles);
    Value rest = b.div(index, tile.tiles);
    item.block = b.rem(rest, blocks);
    item.image = b.div(rest, blocks);
    item.plane = b.add(b.mul(item.image, layer.inputs[0].channels * layer.inputs[0].channelStride),
                       layer.inputs[0].place);
    item.segments = tile.segments(b, item.number);
    item.next = tile.segments(b, b.rem(b.add(index, 1), tile.tiles));
    emitShapes(b, item, tile.shapes());
  }

private:
  /// The places that the loop nest has reached in the packed streams, and the filters of the
  /// channel block that are done.
  struct Cursor {
    Value group, kernel, value, filters;

    SmallVector<Value> values() const { return {group, kernel, value, filters}; }
    static Cursor from(ValueRange range) { return {range[0], range[1], range[2], range[3]}; }
  };

  /// Code for every shape of tiles, of which the item takes its own.
  void emitShapes(StepBuilder &b, const Item &item, ArrayRef<ConvTile::Shape> shapes) const {
    auto emitFirst = [&] { withShape(shapes.front()).accumulate(b, item); };
    if (shapes.size() == 1)
      return emitFirst();
    b.branch(b.lessThan(item.number, b.constant(shapes.front().end)), emitFirst,
             [&] { emitShapes(b, item, shapes.drop_front()); });
  }

  /// The memory is laid out as for the shape of the schedule, but twice as wide for folded tiles: a
  /// column of them has an element of either half, and kernels name their cells for all shapes.
  Staged withShape(const ConvTile::Shape &shape) const {
    Staged kernel = *this;
    kernel.tile = tile.withShape(shape);
    kernel.rows = shape.rows;
    kernel.halves = shape.folded ? 2 : 1;
    return kernel;
  }

  int64_t vectors() const { return rows * schedule.getVectors(); }
  Value sums(StepBuilder &b, Value place) const {
    return b.add(b.add(b.scratch(), geometry.sums), place);
  }
  Value zeros(StepBuilder &b) const { return b.add(b.scratch(), geometry.zeros); }
  Value copy(StepBuilder &b) const { return b.add(b.scratch(), geometry.copy); }

  void accumulate(StepBuilder &b, const Item &item) const {
    for (int64_t v = 0; v < vectors(); ++v)
      b.storeVector(b.vectorOf(0), b.add(zeros(b), v * lanes));
    int64_t indices = layer.packed.getIndices();
    Value header = b.add(b.mul(item.block, RecordHeader::size), indices);
    auto start = [&](int64_t field, int64_t base) {
      return b.add(b.loadIndex(b.add(header, field)), base);
    };
    Cursor cursor{start(RecordHeader::groups, indices), start(RecordHeader::kernels, indices),
                  start(RecordHeader::values, layer.packed.getValues()), b.constant(0)};
    b.loop(b.constant(0), b.constant(channelBlocks), cursor.values(),
           [&](Value number, ValueRange carried) {
             return walkChannels(b, item, number, Cursor::from(carried)).values();
           });
  }

  Cursor walkChannels(StepBuilder &b, const Item &item, Value number, Cursor cursor) const {
    stage(b, item, b.mul(number, schedule.getChannelBlock()));
    Value groups = b.loadIndex(cursor.group);
    cursor.group = b.add(cursor.group, 1);
    cursor.filters = b.constant(0);
    return Cursor::from(
        b.loop(b.constant(0), groups, cursor.values(), [&](Value, ValueRange carried) {
          return walkGroup(b, item, number, Cursor::from(carried)).values();
        }));
  }

  /// Copies the input of the tile, for one block of channels.
  void stage(StepBuilder &b, const Item &item, Value firstChannel) const {
    Value left = b.sub(b.constant(channels), firstChannel);
    Value count = b.min(left, b.constant(schedule.getChannelBlock()));
    b.loop(b.constant(0), count, 1, [&](Value channel) {
      Value from =
          b.add(item.plane, b.mul(b.add(firstChannel, channel), layer.inputs[0].channelStride));
      Value to = b.add(copy(b), b.mul(channel, halves * geometry.channelStride));
      for (auto [s, segment] : llvm::enumerate(item.segments))
        for (const StagedRect &rect : geometry.rects) {
          Value source = b.add(from, rect.source);
          copyRect(b, b.add(source, segment.position),
                   b.add(to, halves * (s * geometry.segmentStride + rect.place)), rect);
          if (!endsLine(s))
            continue;
          Value next = b.add(source, item.next[s].position);
          prefetchRect(b, next, rect);
          if (halves == 2)
            prefetchRect(b, b.add(next, tile.halfStride(layer.inputs[0])), rect);
        }
    });
  }

  /// Segments advance to the right: of two that share a cache line the second one fetches it.
  bool endsLine(size_t segment) const {
    return (segment + 1) * lanes % kLineFloats == 0 ||
           static_cast<int64_t>(segment) + 1 == schedule.getVectors();
  }

  /// Fetches what the next tile reads right of this one, on the right of every row.
  void prefetchRect(StepBuilder &b, Value from, const StagedRect &rect) const {
    Value right = b.add(from, rect.columns + lanes - 2);
    b.repeat(0, rect.rows + rows - 1, 1, [&](Value row) {
      b.prefetch(b.add(right, b.mul(row, layer.inputs[0].rowStride)), StepBuilder::Access::Read);
    });
  }

  void copyRect(StepBuilder &b, Value from, Value to, const StagedRect &rect) const {
    b.repeat(0, rect.rows + rows - 1, 1, [&](Value row) {
      Value source = b.add(from, b.mul(row, layer.inputs[0].rowStride));
      Value target = b.add(to, b.mul(row, halves * geometry.rowStride));
      auto copyVector = [&](Value column) {
        b.storeVector(loadInput(b, b.add(source, column)), b.add(target, b.mul(column, halves)));
      };
      // A row is one vector and the columns right of it: two vectors that may overlap.
      int64_t width = lanes / halves;
      b.repeat(0, rect.columns, width, copyVector);
      if (int64_t last = rect.columns - 1; last % width != 0)
        copyVector(b.constant(last));
    });
  }

  Value loadInput(StepBuilder &b, Value at) const {
    if (halves == 1)
      return b.loadVector(at);
    auto [upper, lower] = tile.loadHalves(b, layer.inputs[0], at);
    return b.interleave(upper, lower);
  }

  /// The filters that keep equally many kernels in this block of channels.
  Cursor walkGroup(StepBuilder &b, const Item &item, Value number, Cursor cursor) const {
    Value count = b.loadIndex(cursor.group), kernels = b.loadIndex(b.add(cursor.group, 1));
    Value places = b.add(cursor.group, 2);
    Value kernelSize = b.mul(kernels, loadsPerKernel()), valueSize = b.mul(kernels, cells);
    Value isFirst = b.equal(number, 0), isLast = b.equal(number, channelBlocks - 1);
    SmallVector<Value> masks = tile.masks(b, item.segments);
    b.loop(b.constant(0), count, 1, [&](Value f) {
      Value place = b.loadIndex(b.add(places, f));
      prefetchOutput(b, item, number, b.add(cursor.filters, f));
      prefetchSums(b, places, b.min(b.add(f, 1), b.sub(count, b.constant(1))));
      // The first block of channels starts from zeros.
      Value from = b.select(isFirst, zeros(b), sums(b, place));
      SmallVector<Value> acc;
      for (int64_t v = 0; v < vectors(); ++v)
        acc.push_back(b.loadVector(b.add(from, v * lanes)));
      Value kernel = b.add(cursor.kernel, b.mul(f, kernelSize));
      Value value = b.add(cursor.value, b.mul(f, valueSize));
      acc = b.loop(b.constant(0), kernels, acc, [&](Value k, ValueRange carried) {
        return applyKernel(b, b.add(kernel, b.mul(k, loadsPerKernel())),
                           b.add(value, b.mul(k, cells)), carried);
      });
      b.branch(
          isLast,
          [&] {
            Value stored = b.add(b.mul(item.block, schedule.getFilterBlock()),
                                 b.div(place, geometry.sumStride));
            tile.write(b, acc, item.image, originalFilter(b, stored), item.number, item.segments,
                       masks);
          },
          [&] {
            for (int64_t v = 0; v < vectors(); ++v)
              b.storeVector(acc[v], b.add(sums(b, place), v * lanes));
          });
    });
    return {b.add(places, count), b.add(cursor.kernel, b.mul(count, kernelSize)),
            b.add(cursor.value, b.mul(count, valueSize)), b.add(cursor.filters, count)};
  }

  /// Spreads the fetching of the output's cache lines over the filters of the last but one block of
  /// channels.
  void prefetchOutput(StepBuilder &b, const Item &item, Value number, Value filter) const {
    if (channelBlocks == 1)
      return;
    b.onlyIf(b.equal(number, channelBlocks - 2), [&] {
      Value stored = b.add(b.mul(item.block, schedule.getFilterBlock()), filter);
      tile.prefetchOutput(b, item.image, originalFilter(b, stored), item.segments);
    });
  }

  /// Fetches the sums of filter `f` of a group: those of a block of filters fill the second cache.
  /// Small tiles are slower with it.
  void prefetchSums(StepBuilder &b, Value places, Value f) const {
    constexpr int64_t kLeastVectors = 9;
    if (vectors() < kLeastVectors || channelBlocks == 1)
      return;
    Value first = sums(b, b.loadIndex(b.add(places, f)));
    for (int64_t offset = 0; offset < vectors() * lanes; offset += kLineFloats)
      b.prefetch(b.add(first, offset), StepBuilder::Access::Read, StepBuilder::Cache::First);
  }

  Value originalFilter(StepBuilder &b, Value stored) const {
    return b.loadIndex(b.add(stored, layer.packed.getIndices() + RecordHeader::size * blocks));
  }

  int64_t loadsPerKernel() const { return cells - pairs; }

  SmallVector<Value> applyKernel(StepBuilder &b, Value kernel, Value weights,
                                 ValueRange carried) const {
    SmallVector<Value> acc(carried);
    Value input = copy(b);
    int64_t next = 0; // load of the kernel
    auto weight = [&](int64_t cell) { return b.broadcast(b.loadValue(b.add(weights, cell))); };
    for (int64_t cell = 0; cell < cells; ++next) {
      Value at = b.add(input, b.mul(b.loadIndex(b.add(kernel, next)), halves));
      if (next < pairs) {
        applyPair(b, at, weight(cell), weight(cell + 1), acc);
        cell += 2;
        continue;
      }
      Value w = weight(cell++);
      for (int64_t s = 0; s < schedule.getVectors(); ++s)
        for (int64_t row = 0; row < rows; ++row) {
          Value &sum = acc[s * rows + row];
          sum = b.multiplyAdd(w, loadRow(b, at, s, row), sum);
        }
    }
    return acc;
  }

  /// Two cells one below the other: every input row but the first and the last serves both.
  void applyPair(StepBuilder &b, Value at, Value upper, Value lower,
                 SmallVectorImpl<Value> &acc) const {
    for (int64_t s = 0; s < schedule.getVectors(); ++s)
      for (int64_t row = 0; row <= rows; ++row) {
        Value x = loadRow(b, at, s, row);
        if (row < rows)
          acc[s * rows + row] = b.multiplyAdd(upper, x, acc[s * rows + row]);
        if (row > 0)
          acc[s * rows + row - 1] = b.multiplyAdd(lower, x, acc[s * rows + row - 1]);
      }
  }

  Value loadRow(StepBuilder &b, Value at, int64_t segment, int64_t row) const {
    int64_t place = segment * geometry.segmentStride + row * geometry.rowStride;
    return b.loadVector(b.add(at, halves * place));
  }

  ConvTile tile;
  Layer layer;
  StagedGeometry geometry;
  ScheduleAttr schedule;
  int64_t lanes, rows, cells, pairs, filters, channels, blocks, channelBlocks;
  int64_t halves = 1; // of the plane that share vectors
};

} // namespace

StepBody pconv::lowerStagedConv(Conv2DOp conv, const Layer &layer, TargetAttr target) {
  Staged kernel(conv, layer, target);
  return {kernel.items(), [kernel](StepBuilder &b, Value item) { kernel.emit(b, item); }};
}
