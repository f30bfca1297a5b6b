// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Whether the index stream of a layer keeps the kernel loop inside of its memory.
//
// The walks below are those of the generators in PatternToVector; RunPacking.h and RecordPacking.h
// describe the streams.
#include "Pattern/Analysis/PackedIndex.h"
#include "Pattern/Analysis/Dataflow.h"
#include "Pattern/Analysis/RecordPacking.h"
#include "Pattern/Analysis/RunPacking.h"
#include "Pattern/Analysis/StagedGeometry.h"

#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pconv::pattern;

/// Fails, with a diagnostic, if the product of `factors` is more than what 32 bits can name.
static LogicalResult checkCount(Operation *op, StringRef what, ArrayRef<int64_t> factors) {
  uint64_t count = 1;
  for (int64_t factor : factors)
    count = llvm::SaturatingMultiply<uint64_t>(count, factor);
  if (count <= static_cast<uint64_t>(maxNumber))
    return success();
  return op->emitOpError("expected at most ") << maxNumber << ' ' << what << ", got " << count;
}

LogicalResult pconv::pattern::checkIndexable(Conv2DOp conv, WeightsOp weights, int64_t lanes) {
  PlaneGeometry input(conv.getInput().getType());
  ScheduleAttr schedule = conv.getScheduleAttr();
  if (failed(checkCount(conv, "weights", {weights.getTensorType().getNumElements()})) ||
      failed(checkCount(conv, "floats in an image of its input",
                        {input.channels, input.channelStride})) ||
      failed(checkCount(
          conv, "floats for the sums of a block of filters",
          {schedule.getFilterBlock(), schedule.getRows(), schedule.getVectors(), lanes})))
    return failure();
  int64_t blocks = llvm::divideCeil(weights.getShape()[0], schedule.getFilterBlock()),
          channelBlocks = llvm::divideCeil(weights.getShape()[1], schedule.getChannelBlock());
  LibraryAttr library = weights.getLibrary();
  if (library &&
      failed(checkCount(conv, "lists in its index", {blocks, channelBlocks, library.size()})))
    return failure();
  if (schedule.getDataflow() != Dataflow::Staged)
    return success();
  StagedGeometry staged(conv, weights.getShape(), lanes);
  return checkCount(conv, "floats for the staged input of a block of channels",
                    {staged.channelStride, schedule.getChannelBlock()});
}

namespace {

/// What both walks share: reading, and the blocks of filters.
class IndexWalk {
public:
  IndexWalk(Conv2DOp conv, WeightsOp weights, PackedOp packed)
      : schedule(conv.getScheduleAttr()), filters(weights.getShape()[0]),
        channels(weights.getShape()[1]), valueCount(packed.getValueCount()),
        blocks(llvm::divideCeil(filters, schedule.getFilterBlock())),
        channelBlocks(llvm::divideCeil(channels, schedule.getChannelBlock())) {
    DenseIntElementsAttr index = *packed.getIndex();
    size = index.getNumElements();
    step = index.isSplat() ? 0 : 1;
    numbers = reinterpret_cast<const int32_t *>(index.getRawData().data());
    if (std::optional<ArrayRef<int32_t>> order = conv.getFilterOrder())
      filterOrder = *order;
  }

protected:
  void complain(const llvm::Twine &expected, int64_t at) {
    if (fault)
      return;
    std::string found = at < size ? std::to_string(numbers[at * step]) : "the end";
    fault =
        ("expected " + expected + " as number " + llvm::Twine(at) + " of its index, got " + found)
            .str();
  }

  /// Number `at`, which has to lie in `least` .. `most`; after a fault 0.
  int64_t read(int64_t at, int64_t least, int64_t most, const char *what) {
    if (fault)
      return 0;
    if (at < size)
      if (int64_t found = numbers[at * step]; found >= least && found <= most)
        return found;
    if (least == most)
      complain(llvm::Twine(least) + " (" + what + ")", at);
    else
      complain(llvm::Twine(least) + ".." + llvm::Twine(most) + " (" + what + ")", at);
    return 0;
  }

  /// Number `at`, which has to be one of 0, stride, 2 stride .. (count - 1) stride.
  void readMultiple(int64_t at, int64_t stride, int64_t count, const char *what) {
    int64_t number = read(at, 0, (count - 1) * stride, what);
    if (static_cast<uint32_t>(number) % static_cast<uint32_t>(stride) != 0)
      complain("a multiple of " + llvm::Twine(stride) + " (" + what + ")", at);
  }

  int64_t filtersOf(int64_t block) const {
    return std::min(schedule.getFilterBlock(), filters - block * schedule.getFilterBlock());
  }

  /// The original number of every stored filter, behind the headers of `headerSize` numbers.
  /// Returns where the list ends.
  int64_t walkOrder(int64_t headerSize) {
    int64_t first = blocks * headerSize;
    for (int64_t filter = 0; filter < filters && !fault; ++filter) {
      int64_t original = filterOrder.empty() ? filter : filterOrder[filter];
      read(first + filter, original, original, "original filter");
    }
    return first + filters;
  }

  /// Follows the blocks of filters from their headers, whose fields stand alike in both streams;
  /// `walkBlock` moves on what it has read of. `lists` names the lists before the kernels.
  std::optional<std::string> walkBlocks(const char *lists,
                                        llvm::function_ref<void(int64_t block)> walkBlock) {
    static_assert(
        RunHeader::size == RecordHeader::size && RunHeader::runs == RecordHeader::groups &&
        RunHeader::kernels == RecordHeader::kernels && RunHeader::values == RecordHeader::values);
    list = walkOrder(RunHeader::size);
    int64_t firstKernel = kernel = read(RunHeader::kernels, list, size, "start of the kernels");
    for (int64_t block = 0; block < blocks && !fault; ++block) {
      int64_t header = block * RunHeader::size;
      read(header + RunHeader::runs, list, list, lists);
      read(header + RunHeader::kernels, kernel, kernel, "start of the kernels");
      read(header + RunHeader::values, value, value, "start of the values");
      walkBlock(block);
    }
    checkEnds(firstKernel);
    return fault;
  }

  /// The lists end where the kernels start, the kernels where the stream ends.
  void checkEnds(int64_t firstKernel) {
    if (fault)
      return;
    if (list != firstKernel)
      complain(llvm::Twine(list) + " (start of the kernels)", 1);
    else if (kernel != size)
      fault =
          ("expected " + llvm::Twine(kernel) + " numbers in its index, got " + llvm::Twine(size))
              .str();
    else if (value != valueCount)
      fault = ("expected " + llvm::Twine(value) + " values for its index (count), got " +
               llvm::Twine(valueCount))
                  .str();
  }

  ScheduleAttr schedule;
  int64_t filters, channels, valueCount, blocks, channelBlocks;
  ArrayRef<int32_t> filterOrder;
  const int32_t *numbers;
  int64_t size, step;
  int64_t list = 0, kernel = 0, value = 0; // what is read next
  std::optional<std::string> fault;
};

/// The walk of InputStationaryConv.cpp.
class RunWalk : IndexWalk {
public:
  RunWalk(Conv2DOp conv, WeightsOp weights, PackedOp packed, int64_t lanes)
      : IndexWalk(conv, weights, packed), library(weights.getLibrary()),
        channelStride(PlaneGeometry(conv.getInput().getType()).channelStride),
        sumStride(schedule.getRows() * schedule.getVectors() * lanes) {}

  std::optional<std::string> find() {
    return walkBlocks("start of the runs", [&](int64_t block) {
      for (int64_t number = 0; number < channelBlocks * library.size() && !fault; ++number)
        walkRuns(filtersOf(block), library.getPattern(number % library.size() + 1).size());
    });
  }

private:
  void walkRuns(int64_t blockFilters, int64_t cells) {
    int64_t runs = read(list++, 0, channels, "runs");
    for (int64_t i = 0; i < runs && !fault; ++i, list += 2) {
      readMultiple(list, channelStride, channels, "channel");
      int64_t kernels = read(list + 1, 0, blockFilters, "kernels");
      for (int64_t k = 0; k < kernels && !fault; ++k)
        readMultiple(kernel++, sumStride, blockFilters, "accumulators");
      value += kernels * cells;
    }
  }

  LibraryAttr library;
  int64_t channelStride, sumStride;
};

/// The walk of StagedConv.cpp.
class RecordWalk : IndexWalk {
public:
  RecordWalk(Conv2DOp conv, WeightsOp weights, PackedOp packed, int64_t lanes)
      : IndexWalk(conv, weights, packed), staged(conv, weights.getShape(), lanes),
        cells(mostCells(weights.getLibrary())), pairs(conv.getLoadsAttr().getPairs()) {
    // From the first to the last float of a load: of a cell in all rows of a tile, and of a pair,
    // which reads one row more.
    int64_t reach = (schedule.getVectors() - 1) * staged.segmentStride +
                    (schedule.getRows() - 1) * staged.rowStride + lanes;
    lastCell = schedule.getChannelBlock() * staged.channelStride - reach;
    lastPair = lastCell - staged.rowStride;
  }

  std::optional<std::string> find() {
    return walkBlocks("start of the groups", [&](int64_t block) {
      for (int64_t number = 0; number < channelBlocks && !fault; ++number)
        walkChannels(number, filtersOf(block));
    });
  }

private:
  void walkChannels(int64_t number, int64_t blockFilters) {
    int64_t groups = read(list++, 0, blockFilters, "groups");
    // The first block of channels starts the accumulators, the last one writes the results.
    bool needsAll = number == 0 || number == channelBlocks - 1;
    int64_t left = blockFilters;
    for (int64_t i = 0; i < groups && !fault; ++i) {
      bool isLast = i == groups - 1;
      left -= walkGroup(needsAll && isLast ? left : 0, left, blockFilters);
    }
    if (!fault && needsAll && left != 0)
      read(list - 1, 1, blockFilters, "groups");
  }

  /// Returns its number of filters.
  int64_t walkGroup(int64_t least, int64_t most, int64_t blockFilters) {
    int64_t count = read(list, least, most, "filters");
    int64_t kernels = read(list + 1, 0, std::min(schedule.getChannelBlock(), channels), "kernels");
    list += 2;
    for (int64_t f = 0; f < count && !fault; ++f) {
      readMultiple(list++, staged.sumStride, blockFilters, "accumulators");
      for (int64_t k = 0; k < kernels && !fault; ++k)
        walkKernel();
    }
    value += count * kernels * cells;
    return count;
  }

  void walkKernel() {
    for (int64_t load = 0; load < cells - pairs; ++load)
      read(kernel++, 0, load < pairs ? lastPair : lastCell, "place in the staged input");
  }

  StagedGeometry staged;
  int64_t cells, pairs, lastCell, lastPair;
};

} // namespace

std::optional<std::string> pconv::pattern::findIndexFault(Conv2DOp conv, WeightsOp weights,
                                                          PackedOp packed, int64_t lanes) {
  if (packed.getForm() == PackForm::Runs)
    return RunWalk(conv, weights, packed, lanes).find();
  return RecordWalk(conv, weights, packed, lanes).find();
}
