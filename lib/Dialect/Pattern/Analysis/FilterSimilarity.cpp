// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Filter kernel reorder: the order in which pattern-pruned filters are stored.
#include "Pattern/Analysis/FilterSimilarity.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/SmallVectorExtras.h"

#include <map>

using namespace mlir;

/// Equal bytes in two rows. Counts in bytes as long as those cannot overflow, which lets the
/// compiler compare a whole vector at a time.
static int64_t countEqual(const int8_t *a, const int8_t *b, int64_t size) {
  int64_t total = 0;
  for (int64_t begin = 0; begin < size; begin += 255) {
    uint8_t count = 0;
    for (int64_t i = begin, end = std::min(size, begin + 255); i < end; ++i)
      count += a[i] == b[i];
    total += count;
  }
  return total;
}

/// A row in which removed kernels equal nothing: pattern ids are never negative.
static SmallVector<int8_t> hideRemoved(ArrayRef<int8_t> row) {
  return llvm::map_to_vector(row, [](int8_t id) { return id ? id : int8_t(-1); });
}

/// Whether comparing all filters with each other takes some seconds at most: 3 s for 4096 filters
/// of 4096 channels. However short it is, a comparison takes as long as one of 64 bytes.
static bool isQuick(double filters, double channels) {
  constexpr double kMostBytes = 1e11, kFewestBytes = 64;
  return filters * filters * std::max(channels, kFewestBytes) <= kMostBytes;
}

/// Appends `filters`, which ascend, as a greedy chain of neighbours that share most kernels.
static void appendChain(ArrayRef<int8_t> kernels, int64_t channels, SmallVector<int32_t> filters,
                        SmallVectorImpl<int32_t> &order) {
  auto row = [&](int32_t filter) { return kernels.slice(filter * channels, channels); };
  auto next = filters.begin();
  while (true) {
    int32_t last = *next;
    order.push_back(last);
    filters.erase(next);
    if (filters.empty())
      return;
    SmallVector<int8_t> probe = hideRemoved(row(last));
    // max_element gives the first of equals, and the filters left over still ascend.
    SmallVector<int64_t> shared = llvm::map_to_vector(filters, [&](int32_t filter) {
      return countEqual(probe.data(), row(filter).data(), channels);
    });
    next = filters.begin() + (llvm::max_element(shared) - shared.begin());
  }
}

SmallVector<int32_t> pconv::pattern::orderFilters(ArrayRef<int8_t> kernels, int64_t filters,
                                                  int64_t groups, bool similarity) {
  SmallVector<int32_t> order;
  int64_t channels = kernels.size() / filters, perGroup = filters / groups;
  for (int64_t begin = 0; begin < filters; begin += perGroup) {
    std::map<int64_t, SmallVector<int32_t>, std::greater<>> byLength;
    for (int32_t filter : llvm::seq<int32_t>(begin, begin + perGroup)) {
      ArrayRef<int8_t> row = kernels.slice(filter * channels, channels);
      byLength[channels - llvm::count(row, 0)].push_back(filter);
    }
    for (auto &[length, sameLength] : byLength) {
      if (similarity && isQuick(sameLength.size(), channels))
        appendChain(kernels, channels, sameLength, order);
      else
        llvm::append_range(order, sameLength);
    }
  }
  return order;
}
