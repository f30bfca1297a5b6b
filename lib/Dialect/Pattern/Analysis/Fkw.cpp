// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// FKW: the compact storage of pattern-pruned filters, and its size against CSR.
#include "Pattern/Analysis/Fkw.h"

#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace pconv::pattern;

SmallVector<int8_t, 0> pconv::pattern::getKernels(WeightsOp weights) {
  ElementsAttr kernels = weights.getKernelsAttr();
  if (!kernels)
    return {};
  auto values = kernels.tryGetValues<int8_t>();
  if (!values)
    return {};
  return llvm::to_vector_of<int8_t, 0>(*values);
}

Fkw pconv::pattern::computeFkw(ArrayRef<int8_t> kernels, int64_t filters, LibraryAttr library,
                               ArrayRef<int32_t> filterOrder) {
  Fkw fkw;
  if (filterOrder.empty())
    llvm::append_range(fkw.reorder, llvm::seq<int32_t>(0, filters));
  else
    llvm::append_range(fkw.reorder, filterOrder);
  fkw.offset.push_back(0);
  int64_t channels = kernels.size() / filters;
  SmallVector<SmallVector<int32_t>> runs(library.size());
  for (int32_t filter : fkw.reorder) {
    for (SmallVector<int32_t> &run : runs)
      run.clear();
    for (auto [channel, id] : llvm::enumerate(kernels.slice(filter * channels, channels)))
      if (id)
        runs[id - 1].push_back(channel);
    fkw.stride.push_back(0);
    for (auto [id, run] : llvm::enumerate(runs)) {
      llvm::append_range(fkw.index, run);
      fkw.stride.push_back(fkw.stride.back() + run.size());
      fkw.weights += run.size() * library.getPattern(id + 1).size();
    }
    fkw.offset.push_back(fkw.index.size());
  }
  return fkw;
}

/// Bytes that hold the numbers 0..last, at least `least`.
static int64_t widthFor(int64_t last, int64_t least) {
  int64_t width = last < 256 ? 1 : last < 65536 ? 2 : 4;
  return std::max(width, least);
}

int64_t pconv::pattern::countFkwIndexBytes(const Fkw &fkw, int64_t channels) {
  int64_t filters = fkw.reorder.size();
  return 4 * fkw.offset.size() + widthFor(filters - 1, 2) * filters +
         widthFor(channels, 2) * fkw.stride.size() + widthFor(channels - 1, 1) * fkw.index.size();
}

int64_t pconv::pattern::countCsrIndexBytes(const Fkw &fkw) {
  return 4 * fkw.weights + 4 * fkw.offset.size();
}
