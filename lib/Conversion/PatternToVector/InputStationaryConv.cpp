// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernel-pattern convolution: the shifted input vectors of one channel stay in registers while its
// kernels use them; the accumulators of a block of filters stay in the first cache.
#include "Convolution.h"

#include "Pattern/Analysis/RunPacking.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

/// The places that the loop nest has reached in the packed streams.
struct Cursor {
  Value run, kernel, value;

  SmallVector<Value> values() const { return {run, kernel, value}; }
  static Cursor from(ValueRange range) { return {range[0], range[1], range[2]}; }
};

class InputStationary {
public:
  InputStationary(Conv2DOp conv, const Layer &layer, TargetAttr target)
      : tile(conv, layer), layer(layer), schedule(conv.getScheduleAttr()),
        loads(conv.getLoadsAttr()), library(layer.weights.getLibrary()), lanes(target.getLanes()) {
    ArrayRef<int64_t> shape = layer.weights.getShape();
    filters = shape[0];
    kernelWidth = shape[3];
    blocks = llvm::divideCeil(filters, schedule.getFilterBlock());
    channelBlocks = llvm::divideCeil(shape[1], schedule.getChannelBlock());
  }

  int64_t items() const { return layer.output.batch * blocks * tile.tiles; }

  void emit(StepBuilder &b, Value item) const {
    Value number = b.rem(item, tile.tiles);
    SmallVector<Segment> segments = tile.segments(b, number);
    Value rest = b.div(item, tile.tiles);
    Value block = b.rem(rest, blocks), image = b.div(rest, blocks);
    Value input =
        b.add(b.add(b.mul(image, layer.inputs[0].channels * layer.inputs[0].channelStride),
                    segments[0].position),
              layer.inputs[0].place);
    Value first = b.mul(block, schedule.getFilterBlock());
    Value count = b.min(b.constant(schedule.getFilterBlock()), b.sub(b.constant(filters), first));
    clearSums(b, count);
    accumulate(b, input, block);
    writeTile(b, image, first, count, number, segments);
  }

private:
  int64_t vectors() const { return schedule.getVectors(); }
  int64_t sumStride() const { return vectors() * lanes; } // floats of one filter's accumulators

  void clearSums(StepBuilder &b, Value count) const {
    Value scratch = b.scratch(), zeros = b.vectorOf(0);
    b.loop(b.constant(0), count, 1, [&](Value f) {
      Value sums = b.add(scratch, b.mul(f, sumStride()));
      for (int64_t v = 0; v < vectors(); ++v)
        b.storeVector(zeros, b.add(sums, v * lanes));
    });
  }

  void accumulate(StepBuilder &b, Value input, Value block) const {
    int64_t indices = layer.packed.getIndices(), values = layer.packed.getValues();
    Value header = b.add(b.mul(block, RunHeader::size), indices);
    Cursor start{b.add(b.loadIndex(b.add(header, RunHeader::runs)), indices),
                 b.add(b.loadIndex(b.add(header, RunHeader::kernels)), indices),
                 b.add(b.loadIndex(b.add(header, RunHeader::values)), values)};
    b.loop(b.constant(0), b.constant(channelBlocks), start.values(),
           [&](Value, ValueRange carried) {
             Cursor cursor = Cursor::from(carried);
             for (int64_t pattern = 1; pattern <= library.size(); ++pattern)
               cursor = walkRuns(b, input, pattern, cursor);
             return cursor.values();
           });
  }

  /// All runs of one kernel pattern in a block of channels.
  Cursor walkRuns(StepBuilder &b, Value input, int64_t pattern, Cursor cursor) const {
    Value runs = b.loadIndex(cursor.run);
    cursor.run = b.add(cursor.run, 1);
    return Cursor::from(
        b.loop(b.constant(0), runs, cursor.values(), [&](Value, ValueRange carried) {
          return walkRun(b, input, pattern, Cursor::from(carried)).values();
        }));
  }

  /// One run: the kernels of one channel that wear one pattern.
  Cursor walkRun(StepBuilder &b, Value input, int64_t pattern, Cursor cursor) const {
    Value channel = b.add(input, b.loadIndex(cursor.run));
    Value kernels = b.loadIndex(b.add(cursor.run, 1));
    int64_t cells = library.getPattern(pattern).size();
    bool shared = loads && loads.getScope() != LoadScope::Kernel;
    SmallVector<Value> taps;
    if (shared)
      taps = loadTaps(b, channel, pattern);
    Value scratch = b.scratch();
    b.loop(b.constant(0), kernels, 1, [&](Value kernel) {
      SmallVector<Value> own = shared ? taps : loadTaps(b, channel, pattern);
      Value sums = b.add(b.loadIndex(b.add(cursor.kernel, kernel)), scratch);
      applyKernel(b, own, b.add(cursor.value, b.mul(kernel, cells)), sums);
    });
    return {b.add(cursor.run, 2), b.add(cursor.kernel, kernels),
            b.add(cursor.value, b.mul(kernels, cells))};
  }

  /// The shifted input vectors of every kept cell, cell by cell.
  SmallVector<Value> loadTaps(StepBuilder &b, Value channel, int64_t pattern) const {
    SmallVector<Value> taps;
    for (int32_t cell : library.getPattern(pattern)) {
      Value at = b.add(channel, tile.tapOffset(cell / kernelWidth, cell % kernelWidth));
      for (int64_t v = 0; v < vectors(); ++v)
        taps.push_back(b.loadVector(b.add(at, v * lanes)));
    }
    return taps;
  }

  void applyKernel(StepBuilder &b, ArrayRef<Value> taps, Value weights, Value sums) const {
    SmallVector<Value> acc;
    for (int64_t v = 0; v < vectors(); ++v)
      acc.push_back(b.loadVector(b.add(sums, v * lanes)));
    for (size_t cell = 0; cell * vectors() < taps.size(); ++cell) {
      Value weight = b.broadcast(b.loadValue(b.add(weights, cell)));
      for (int64_t v = 0; v < vectors(); ++v)
        acc[v] = b.multiplyAdd(weight, taps[cell * vectors() + v], acc[v]);
    }
    for (int64_t v = 0; v < vectors(); ++v)
      b.storeVector(acc[v], b.add(sums, v * lanes));
  }

  void writeTile(StepBuilder &b, Value image, Value first, Value count, Value number,
                 ArrayRef<Segment> segments) const {
    SmallVector<Value> masks = tile.masks(b, segments);
    int64_t order = layer.packed.getIndices() + RunHeader::size * blocks;
    Value scratch = b.scratch();
    b.loop(b.constant(0), count, 1, [&](Value f) {
      Value at = b.add(scratch, b.mul(f, sumStride()));
      SmallVector<Value> sums;
      for (int64_t v = 0; v < vectors(); ++v)
        sums.push_back(b.loadVector(b.add(at, v * lanes)));
      Value channel = b.loadIndex(b.add(b.add(first, f), order));
      tile.write(b, sums, image, channel, number, segments, masks);
    });
  }

  ConvTile tile;
  Layer layer;
  ScheduleAttr schedule;
  LoadsAttr loads;
  LibraryAttr library;
  int64_t lanes, filters, kernelWidth, blocks, channelBlocks;
};

} // namespace

StepBody pconv::lowerInputStationaryConv(Conv2DOp conv, const Layer &layer, TargetAttr target) {
  InputStationary kernel(conv, layer, target);
  return {kernel.items(), [kernel](StepBuilder &b, Value item) { kernel.emit(b, item); }};
}
