// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Dense convolution: the accumulators of a panel of filters stay in registers.
#include "Convolution.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

namespace {

/// Generates `for channel, tap: for vector, filter: acc += weight * input` for one panel and tile.
class OutputStationary {
public:
  OutputStationary(Conv2DOp conv, const Layer &layer, TargetAttr target)
      : tile(conv, layer), layer(layer), conv(conv), schedule(conv.getScheduleAttr()),
        lanes(target.getLanes()), l2(target.getL2()) {
    ArrayRef<int64_t> shape = layer.weights.getShape();
    filtersPerGroup = shape[0] / conv.getGroups();
    channels = shape[1];
    kernelHeight = shape[2];
    kernelWidth = shape[3];
    panels = llvm::divideCeil(filtersPerGroup, schedule.getFilterBlock());
  }

  int64_t items() const { return layer.output.batch * conv.getGroups() * panels * tile.tiles; }

  void emit(StepBuilder &b, Value item) const {
    auto next = [&](int64_t count) {
      Value number = b.rem(item, count);
      item = b.div(item, count);
      return number;
    };
    Value panel, number;
    if (readsWeightsAgain()) {
      panel = next(panels);
      number = next(tile.tiles);
    } else {
      number = next(tile.tiles);
      panel = next(panels);
    }
    Value group = next(conv.getGroups()), image = item;
    SmallVector<Segment> segments = tile.segments(b, number);

    Value firstChannel = b.add(b.mul(image, layer.inputs[0].channels), b.mul(group, channels));
    Value input =
        b.add(b.add(b.mul(firstChannel, layer.inputs[0].channelStride), segments[0].position),
              layer.inputs[0].place);
    Value panelNumber = b.add(b.mul(group, panels), panel);
    Value weights = b.add(b.mul(panelNumber, channels * taps() * schedule.getFilterBlock()),
                          layer.packed.getValues());
    SmallVector<Value> sums = accumulate(b, input, weights);
    writePanel(b, sums, image, group, panel, number, segments);
  }

private:
  int64_t taps() const { return kernelHeight * kernelWidth; }

  /// Whether all weights go by for each tile of the input, or all tiles for each panel of weights:
  /// what costs less traffic to the second cache. Panels that write more planes than they read
  /// write them one after the other.
  bool readsWeightsAgain() const {
    auto traffic = [&](int64_t floats, int64_t times) {
      return floats * static_cast<int64_t>(sizeof(float)) > l2 ? floats * times : floats;
    };
    int64_t weights = panels * schedule.getFilterBlock() * channels * taps();
    return channels > schedule.getFilterBlock() &&
           traffic(weights, tile.tiles) < traffic(channels * layer.inputs[0].channelStride, panels);
  }

  SmallVector<Value> accumulate(StepBuilder &b, Value input, Value weights) const {
    SmallVector<Value> zeros(schedule.getFilterBlock() * schedule.getVectors(), b.vectorOf(0));
    return b.loop(b.constant(0), b.constant(channels), zeros, [&](Value channel, ValueRange sums) {
      Value in = b.add(input, b.mul(channel, layer.inputs[0].channelStride));
      Value weight = b.add(weights, b.mul(channel, taps() * schedule.getFilterBlock()));
      return accumulateChannel(b, in, weight, sums);
    });
  }

  SmallVector<Value> accumulateChannel(StepBuilder &b, Value input, Value weights,
                                       ValueRange sums) const {
    SmallVector<Value> acc(sums);
    constexpr int64_t kMostUnrolled = 256; // taps
    if (taps() > kMostUnrolled)
      return b.loop(b.constant(0), b.constant(kernelHeight), acc, [&](Value row, ValueRange outer) {
        return b.loop(b.constant(0), b.constant(kernelWidth), outer,
                      [&](Value column, ValueRange inner) {
                        SmallVector<Value> acc(inner);
                        Value tap = b.add(b.mul(row, kernelWidth), column);
                        accumulateTap(b, b.add(input, tile.tapOffset(b, row, column)),
                                      b.add(weights, b.mul(tap, schedule.getFilterBlock())), acc);
                        return acc;
                      });
      });
    for (int64_t tap = 0; tap < taps(); ++tap)
      accumulateTap(b, b.add(input, tile.tapOffset(tap / kernelWidth, tap % kernelWidth)),
                    b.add(weights, tap * schedule.getFilterBlock()), acc);
    return acc;
  }

  void accumulateTap(StepBuilder &b, Value input, Value weights,
                     SmallVectorImpl<Value> &acc) const {
    int64_t filters = schedule.getFilterBlock(), vectors = schedule.getVectors();
    SmallVector<Value> x;
    for (int64_t v = 0; v < vectors; ++v)
      x.push_back(b.loadVector(b.add(input, v * lanes)));
    for (int64_t f = 0; f < filters; ++f) {
      Value weight = b.broadcast(b.loadValue(b.add(weights, f)));
      for (int64_t v = 0; v < vectors; ++v)
        acc[f * vectors + v] = b.multiplyAdd(weight, x[v], acc[f * vectors + v]);
    }
  }

  void writePanel(StepBuilder &b, ArrayRef<Value> sums, Value image, Value group, Value panel,
                  Value number, ArrayRef<Segment> segments) const {
    SmallVector<Value> masks = tile.masks(b, segments);
    int64_t vectors = schedule.getVectors();
    for (int64_t f = 0; f < schedule.getFilterBlock(); ++f) {
      Value filter = b.add(b.mul(panel, schedule.getFilterBlock()), f);
      b.onlyIf(b.lessThan(filter, b.constant(filtersPerGroup)), [&] {
        Value channel = b.add(b.mul(group, filtersPerGroup), filter);
        tile.write(b, sums.slice(f * vectors, vectors), image, channel, number, segments, masks);
      });
    }
  }

  ConvTile tile;
  Layer layer;
  mutable Conv2DOp conv;
  ScheduleAttr schedule;
  int64_t lanes, l2, filtersPerGroup, channels, kernelHeight, kernelWidth, panels;
};

} // namespace

StepBody pconv::lowerOutputStationaryConv(Conv2DOp conv, const Layer &layer, TargetAttr target) {
  OutputStationary kernel(conv, layer, target);
  return {kernel.items(), [kernel](StepBuilder &b, Value item) { kernel.emit(b, item); }};
}
