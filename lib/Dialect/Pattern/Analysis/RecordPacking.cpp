// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order in which the staged kernel loop walks the kernels of a layer.
#include "Pattern/Analysis/RecordPacking.h"
#include "Pattern/Analysis/Dataflow.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace mlir;
using namespace pconv::pattern;

namespace {

class RecordPacker {
public:
  RecordPacker(const RecordLayout &layout, LibraryAttr library, LoadsAttr loads)
      : layout(layout), library(library), loads(loads), cells(mostCells(library)) {}

  RecordPacking pack() {
    int64_t blocks = llvm::divideCeil(layout.filters, layout.filterBlock);
    SmallVector<int32_t> headers, order;
    for (int64_t filter = 0; filter < layout.filters; ++filter)
      order.push_back(original(filter));
    for (int64_t block = 0; block < blocks; ++block) {
      headers.append({static_cast<int32_t>(groups.size()), static_cast<int32_t>(kernels.size()),
                      static_cast<int32_t>(gather.size())});
      for (int64_t channel = 0; channel < layout.channels; channel += layout.channelBlock)
        addGroups(block * layout.filterBlock, channel);
    }
    int64_t firstGroup = headers.size() + order.size();
    int64_t firstKernel = firstGroup + groups.size();
    for (int64_t block = 0; block < blocks; ++block) {
      headers[block * RecordHeader::size + RecordHeader::groups] += firstGroup;
      headers[block * RecordHeader::size + RecordHeader::kernels] += firstKernel;
    }
    RecordPacking packing{std::move(headers), std::move(gather)};
    packing.index.append(order);
    packing.index.append(groups);
    packing.index.append(kernels);
    return packing;
  }

private:
  int32_t original(int64_t filter) const {
    return layout.filterOrder.empty() ? filter : layout.filterOrder[filter];
  }

  int8_t patternOf(int64_t filter, int64_t channel) const {
    return layout.kernels[original(filter) * layout.channels + channel];
  }

  void addGroups(int64_t firstFilter, int64_t firstChannel) {
    int64_t endFilter = std::min(firstFilter + layout.filterBlock, layout.filters);
    int64_t endChannel = std::min(firstChannel + layout.channelBlock, layout.channels);
    std::map<int64_t, SmallVector<int64_t>> byLength;
    for (int64_t filter = firstFilter; filter < endFilter; ++filter) {
      int64_t length = 0;
      for (int64_t channel = firstChannel; channel < endChannel; ++channel)
        length += patternOf(filter, channel) != 0;
      if (length > 0 || firstChannel == 0 || endChannel == layout.channels)
        byLength[length].push_back(filter);
    }
    groups.push_back(byLength.size());
    for (auto &[length, filters] : byLength) {
      groups.push_back(filters.size());
      groups.push_back(length);
      for (int64_t filter : filters) {
        groups.push_back((filter - firstFilter) * layout.sumStride);
        for (int64_t channel = firstChannel; channel < endChannel; ++channel)
          if (int8_t pattern = patternOf(filter, channel))
            addKernel(filter, channel, (channel - firstChannel) * layout.channelStride, pattern);
      }
    }
  }

  void addKernel(int64_t filter, int64_t channel, int64_t start, int8_t pattern) {
    ArrayRef<int32_t> taps = loads.getTaps().asArrayRef();
    ArrayRef<int32_t> uses = loads.getUses()[pattern - 1].asArrayRef();
    int64_t kernelCells = library.getHeight() * library.getWidth();
    int32_t base = (original(filter) * layout.channels + channel) * kernelCells;
    int32_t place = 0;
    for (int64_t i = 0; i < cells; ++i) {
      bool filler = i >= static_cast<int64_t>(uses.size());
      int32_t cell = filler ? 0 : taps[2 * uses[i]] * library.getWidth() + taps[2 * uses[i] + 1];
      gather.push_back(filler ? -1 : base + cell);
      if (!filler)
        place = start + layout.cellOffsets[cell];
      bool lowerOfPair = i < 2 * loads.getPairs() && i % 2 == 1;
      if (!lowerOfPair)
        kernels.push_back(place);
    }
  }

  const RecordLayout &layout;
  LibraryAttr library;
  LoadsAttr loads;
  int64_t cells;
  SmallVector<int32_t> groups, kernels, gather;
};

} // namespace

RecordPacking pconv::pattern::packRecords(const RecordLayout &layout, LibraryAttr library,
                                          LoadsAttr loads) {
  return RecordPacker(layout, library, loads).pack();
}
