// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernel-pattern convolution for few registers: the input of a tile is copied to scratch memory,
// and the accumulators of one filter stay in registers while its kernels go by. A kernel names its
// cells by their place in the copy, so one loop without branches serves all kernel patterns.
#include "Convolution.h"

#include "Pattern/Analysis/RecordPacking.h"
#include "Pattern/Analysis/StagedGeometry.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

/// The places that the loop nest has reached in the packed streams.
struct Cursor {
  Value group, kernel, value;

  SmallVector<Value> values() const { return {group, kernel, value}; }
  static Cursor from(ValueRange range) { return {range[0], range[1], range[2]}; }
};

class Staged {
public:
  Staged(Conv2DOp conv, const Layer &layer, TargetAttr target)
      : tile(conv, layer), layer(layer),
        geometry(conv, layer.weights.getShape(), target.getLanes()),
        schedule(conv.getScheduleAttr()), lanes(target.getLanes()),
        cells(cellsPerKernel(layer.weights.getLibrary())), pairs(conv.getLoadsAttr().getPairs()) {
    filters = layer.weights.getShape()[0];
    channels = layer.weights.getShape()[1];
    blocks = llvm::divideCeil(filters, schedule.getFilterBlock());
    channelBlocks = llvm::divideCeil(channels, schedule.getChannelBlock());
  }

  int64_t items() const { return layer.output.batch * blocks * tile.tiles; }

  void emit(StepBuilder &b, Value item) const {
    Value number = b.rem(item, tile.tiles), rest = b.div(item, tile.tiles);
    Value block = b.rem(rest, blocks), image = b.div(rest, blocks);
    SmallVector<Segment> segments = tile.segments(b, number);
    Value plane = b.add(b.mul(image, layer.inputs[0].channels * layer.inputs[0].channelStride),
                        layer.inputs[0].place);
    accumulate(b, plane, block, segments);
    writeTile(b, image, block, number, segments);
  }

private:
  int64_t rows() const { return schedule.getRows(); }
  int64_t vectors() const { return rows() * schedule.getVectors(); }
  int64_t sumFloats() const { return schedule.getFilterBlock() * vectors() * lanes; }
  /// The copy of the input lies behind the accumulators.
  Value copy(StepBuilder &b) const { return b.add(b.scratch(), llvm::alignTo(sumFloats(), 16)); }

  void accumulate(StepBuilder &b, Value plane, Value block, ArrayRef<Segment> segments) const {
    int64_t indices = layer.packed.getIndices();
    Value header = b.add(b.mul(block, RecordHeader::size), indices);
    auto start = [&](int64_t field, int64_t base) {
      return b.add(b.loadIndex(b.add(header, field)), base);
    };
    Cursor cursor{start(RecordHeader::groups, indices), start(RecordHeader::kernels, indices),
                  start(RecordHeader::values, layer.packed.getValues())};
    // The first block of channels starts the accumulators instead of loading them.
    cursor = walkChannels(b, plane, segments, b.constant(0), cursor, /*first=*/true);
    if (channelBlocks == 1)
      return;
    b.loop(b.constant(1), b.constant(channelBlocks), cursor.values(),
           [&](Value number, ValueRange carried) {
             return walkChannels(b, plane, segments, number, Cursor::from(carried), /*first=*/false)
                 .values();
           });
  }

  Cursor walkChannels(StepBuilder &b, Value plane, ArrayRef<Segment> segments, Value number,
                      Cursor cursor, bool first) const {
    stage(b, plane, segments, b.mul(number, schedule.getChannelBlock()));
    Value groups = b.loadIndex(cursor.group);
    cursor.group = b.add(cursor.group, 1);
    return Cursor::from(
        b.loop(b.constant(0), groups, cursor.values(), [&](Value, ValueRange carried) {
          return walkGroup(b, Cursor::from(carried), first).values();
        }));
  }

  /// Copies the input of the tile, for one block of channels.
  void stage(StepBuilder &b, Value plane, ArrayRef<Segment> segments, Value firstChannel) const {
    Value left = arith::SubIOp::create(b, b.getLoc(), b.constant(channels), firstChannel);
    Value count = b.min(left, b.constant(schedule.getChannelBlock()));
    b.loop(b.constant(0), count, 1, [&](Value channel) {
      Value from = b.add(plane, b.mul(b.add(firstChannel, channel), layer.inputs[0].channelStride));
      Value to = b.add(copy(b), b.mul(channel, geometry.channelStride));
      for (auto [s, segment] : llvm::enumerate(segments))
        for (const StagedRect &rect : geometry.rects)
          copyRect(b, b.add(b.add(from, segment.position), rect.source),
                   b.add(to, s * geometry.segmentStride + rect.place), rect);
    });
  }

  void copyRect(StepBuilder &b, Value from, Value to, const StagedRect &rect) const {
    for (int64_t row = 0; row < rect.rows + rows() - 1; ++row) {
      Value source = b.add(from, row * layer.inputs[0].rowStride);
      Value target = b.add(to, row * geometry.rowStride);
      // A row is one vector and the columns right of it: two vectors that may overlap.
      for (int64_t column = 0; column < rect.columns; column += lanes)
        b.storeVector(b.loadVector(b.add(source, column)), b.add(target, column));
      if (int64_t last = rect.columns - 1; last % lanes != 0)
        b.storeVector(b.loadVector(b.add(source, last)), b.add(target, last));
    }
  }

  /// The filters that keep equally many kernels in this block of channels.
  Cursor walkGroup(StepBuilder &b, Cursor cursor, bool first) const {
    Value count = b.loadIndex(cursor.group), kernels = b.loadIndex(b.add(cursor.group, 1));
    Value places = b.add(cursor.group, 2), scratch = b.scratch();
    Value kernelSize = b.mul(kernels, loadsPerKernel()), valueSize = b.mul(kernels, cells);
    b.loop(b.constant(0), count, 1, [&](Value f) {
      Value sums = b.add(scratch, b.loadIndex(b.add(places, f)));
      SmallVector<Value> acc;
      for (int64_t v = 0; v < vectors(); ++v)
        acc.push_back(first ? b.vectorOf(0) : b.loadVector(b.add(sums, v * lanes)));
      Cursor start{Value(), b.add(cursor.kernel, b.mul(f, kernelSize)),
                   b.add(cursor.value, b.mul(f, valueSize))};
      acc = b.loop(b.constant(0), kernels, acc, [&](Value k, ValueRange carried) {
        return applyKernel(b, b.add(start.kernel, b.mul(k, loadsPerKernel())),
                           b.add(start.value, b.mul(k, cells)), carried);
      });
      for (int64_t v = 0; v < vectors(); ++v)
        b.storeVector(acc[v], b.add(sums, v * lanes));
    });
    return {b.add(places, count), b.add(cursor.kernel, b.mul(count, kernelSize)),
            b.add(cursor.value, b.mul(count, valueSize))};
  }

  int64_t loadsPerKernel() const { return cells - pairs; }

  SmallVector<Value> applyKernel(StepBuilder &b, Value kernel, Value weights,
                                 ValueRange carried) const {
    SmallVector<Value> acc(carried);
    Value input = copy(b);
    int64_t next = 0; // load of the kernel
    auto weight = [&](int64_t cell) { return b.broadcast(b.loadValue(b.add(weights, cell))); };
    for (int64_t cell = 0; cell < cells; ++next) {
      Value at = b.add(input, b.loadIndex(b.add(kernel, next)));
      if (next < pairs) {
        applyPair(b, at, weight(cell), weight(cell + 1), acc);
        cell += 2;
        continue;
      }
      Value w = weight(cell++);
      for (int64_t s = 0; s < schedule.getVectors(); ++s)
        for (int64_t row = 0; row < rows(); ++row) {
          Value &sum = acc[s * rows() + row];
          sum = b.multiplyAdd(w, loadRow(b, at, s, row), sum);
        }
    }
    return acc;
  }

  /// Two cells one below the other: every input row but the first and the last serves both.
  void applyPair(StepBuilder &b, Value at, Value upper, Value lower,
                 SmallVectorImpl<Value> &acc) const {
    for (int64_t s = 0; s < schedule.getVectors(); ++s)
      for (int64_t row = 0; row <= rows(); ++row) {
        Value x = loadRow(b, at, s, row);
        if (row < rows())
          acc[s * rows() + row] = b.multiplyAdd(upper, x, acc[s * rows() + row]);
        if (row > 0)
          acc[s * rows() + row - 1] = b.multiplyAdd(lower, x, acc[s * rows() + row - 1]);
      }
  }

  Value loadRow(StepBuilder &b, Value at, int64_t segment, int64_t row) const {
    return b.loadVector(b.add(at, segment * geometry.segmentStride + row * geometry.rowStride));
  }

  void writeTile(StepBuilder &b, Value image, Value block, Value number,
                 ArrayRef<Segment> segments) const {
    Value first = b.mul(block, schedule.getFilterBlock());
    Value left = arith::SubIOp::create(b, b.getLoc(), b.constant(filters), first);
    Value count = b.min(left, b.constant(schedule.getFilterBlock()));
    int64_t order = layer.packed.getIndices() + RecordHeader::size * blocks;
    Value scratch = b.scratch();
    SmallVector<Value> masks = tile.masks(b, segments);
    b.loop(b.constant(0), count, 1, [&](Value f) {
      Value at = b.add(scratch, b.mul(f, vectors() * lanes));
      SmallVector<Value> sums;
      for (int64_t v = 0; v < vectors(); ++v)
        sums.push_back(b.loadVector(b.add(at, v * lanes)));
      Value channel = b.loadIndex(b.add(b.add(first, f), order));
      tile.write(b, sums, image, channel, number, segments, masks);
    });
  }

  ConvTile tile;
  Layer layer;
  StagedGeometry geometry;
  ScheduleAttr schedule;
  int64_t lanes, cells, pairs, filters, channels, blocks, channelBlocks;
};

} // namespace

StepBody pconv::lowerStagedConv(Conv2DOp conv, const Layer &layer, TargetAttr target) {
  Staged kernel(conv, layer, target);
  return {kernel.items(), [kernel](StepBuilder &b, Value item) { kernel.emit(b, item); }};
}
