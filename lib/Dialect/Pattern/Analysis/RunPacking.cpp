// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The order in which the input-stationary kernel loop walks the kernels of a layer.
#include "Pattern/Analysis/RunPacking.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// The kernels of one channel that wear one pattern, by the place of their filter in the block.
struct Run {
  int64_t channel;
  SmallVector<int32_t> filters;
};

class RunPacker {
public:
  RunPacker(const RunLayout &layout, LibraryAttr library) : layout(layout), library(library) {}

  RunPacking pack() {
    int64_t blocks = llvm::divideCeil(layout.filters, layout.filterBlock);
    SmallVector<int32_t> headers, order;
    for (int64_t filter = 0; filter < layout.filters; ++filter)
      order.push_back(original(filter));
    // The kernels come behind all runs: their places are known only at the end.
    for (int64_t block = 0; block < blocks; ++block) {
      headers.append({static_cast<int32_t>(runs.size()), static_cast<int32_t>(kernels.size()),
                      static_cast<int32_t>(gather.size())});
      for (int64_t channel = 0; channel < layout.channels; channel += layout.channelBlock)
        for (int64_t pattern = 1; pattern <= library.size(); ++pattern)
          addRuns(block * layout.filterBlock, channel, pattern);
    }
    int64_t firstRun = headers.size() + order.size(), firstKernel = firstRun + runs.size();
    for (int64_t block = 0; block < blocks; ++block) {
      headers[block * RunHeader::size + RunHeader::runs] += firstRun;
      headers[block * RunHeader::size + RunHeader::kernels] += firstKernel;
    }
    RunPacking packing{std::move(headers), std::move(gather)};
    packing.index.append(order);
    packing.index.append(runs);
    packing.index.append(kernels);
    return packing;
  }

private:
  int32_t original(int64_t filter) const {
    return layout.filterOrder.empty() ? filter : layout.filterOrder[filter];
  }

  void addRuns(int64_t firstFilter, int64_t firstChannel, int64_t pattern) {
    int64_t endFilter = std::min(firstFilter + layout.filterBlock, layout.filters);
    int64_t endChannel = std::min(firstChannel + layout.channelBlock, layout.channels);
    SmallVector<Run> found;
    for (int64_t channel = firstChannel; channel < endChannel; ++channel) {
      Run run{channel, {}};
      for (int64_t filter = firstFilter; filter < endFilter; ++filter)
        if (layout.kernels[original(filter) * layout.channels + channel] == pattern)
          run.filters.push_back(filter - firstFilter);
      if (!run.filters.empty())
        found.push_back(std::move(run));
    }
    llvm::stable_sort(
        found, [](const Run &a, const Run &b) { return a.filters.size() > b.filters.size(); });
    runs.push_back(found.size());
    for (const Run &run : found) {
      runs.push_back(run.channel * layout.channelStride);
      runs.push_back(run.filters.size());
      for (int32_t filter : run.filters) {
        kernels.push_back(filter * layout.sumStride);
        int64_t kernel = original(firstFilter + filter) * layout.channels + run.channel;
        for (int32_t cell : library.getPattern(pattern))
          gather.push_back(kernel * library.getHeight() * library.getWidth() + cell);
      }
    }
  }

  const RunLayout &layout;
  LibraryAttr library;
  SmallVector<int32_t> runs, kernels, gather;
};

} // namespace

RunPacking pconv::pattern::packRuns(const RunLayout &layout, LibraryAttr library) {
  return RunPacker(layout, library).pack();
}
