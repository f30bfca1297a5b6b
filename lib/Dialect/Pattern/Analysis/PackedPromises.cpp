// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the stage `packed` promises.
#include "Promises.h"

#include "Pattern/Analysis/PackedIndex.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pconv::pattern;

namespace {

/// Numbers of one layer in one of the two data blobs.
struct Range {
  PackedOp packed;
  int64_t begin, end;
};

/// The form in which the kernel loop of a dataflow reads its weights.
PackForm formFor(Dataflow dataflow) {
  switch (dataflow) {
  case Dataflow::InputStationary:
    return PackForm::Runs;
  case Dataflow::OutputStationary:
    return PackForm::Panels;
  case Dataflow::Staged:
    return PackForm::Records;
  }
  llvm_unreachable("unknown dataflow");
}

/// The kernel loop of a dense layer walks its panels by the numbers of the schedule.
void checkPanels(Promises &promises, Operation *layer, PackedOp packed, ScheduleAttr schedule) {
  auto conv = dyn_cast<Conv2DOp>(layer);
  int64_t groups = conv ? conv.getGroups() : 1;
  if (packed.getFilterBlock() != schedule.getFilterBlock() ||
      static_cast<int64_t>(packed.getGroups()) != groups)
    promises.complain(layer, Stage::Packed)
        << "expected " << groups << " groups of panels of " << schedule.getFilterBlock()
        << " filters, got " << packed.getGroups() << " of " << packed.getFilterBlock().value_or(0);
}

void checkIndex(Promises &promises, Conv2DOp conv, PackedOp packed) {
  WeightsOp weights = promises.weightsOf(conv);
  int64_t lanes = promises.target.getLanes();
  if (failed(checkIndexable(conv, weights, lanes))) {
    ++promises.faults;
    return;
  }
  std::optional<std::string> fault = findIndexFault(conv, weights, packed, lanes);
  if (fault)
    promises.complain(packed, Stage::Packed).append(*fault).attachNote(conv.getLoc())
        << "for this layer";
}

/// The bias follows the packed weights; for a linear layer the last panel is filled up.
int64_t countBias(const Promises &promises, PackedOp packed) {
  if (!packed.getBias())
    return 0;
  ArrayRef<int64_t> shape = promises.symbols.lookup<WeightsOp>(packed.getWeights()).getShape();
  bool fillsUp = shape.size() == 2 && packed.getFilterBlock();
  return fillsUp ? llvm::alignTo(shape[0], *packed.getFilterBlock()) : shape[0];
}

void checkRanges(Promises &promises, StringRef blob, SmallVectorImpl<Range> &ranges) {
  std::optional<int64_t> size = promises.sizeOf(blob);
  if (!size)
    return;
  llvm::stable_sort(ranges, [](const Range &a, const Range &b) { return a.begin < b.begin; });
  const Range *last = nullptr; // that ends furthest
  for (const Range &range : ranges) {
    if (range.begin == range.end)
      continue;
    if (range.end > *size)
      promises.complain(range.packed, Stage::Packed)
          << "expected " << range.end - range.begin << " " << blob << " below " << *size
          << ", got them at " << range.begin;
    if (last && range.begin < last->end) {
      InFlightDiagnostic error = promises.complain(range.packed, Stage::Packed);
      error << "expected " << blob << " of its own, got " << range.begin << " to " << range.end;
      error.attachNote(last->packed->getLoc()) << "has " << last->begin << " to " << last->end;
    }
    if (!last || range.end > last->end)
      last = &range;
  }
}

} // namespace

void pconv::pattern::checkPacked(Promises &promises, Operation *layer, bool walkIndex) {
  auto symbol = layer->getAttrOfType<FlatSymbolRefAttr>("packed");
  auto packed = symbol ? promises.symbols.lookup<PackedOp>(symbol.getValue()) : PackedOp();
  if (!packed) {
    promises.complain(layer, Stage::Packed) << "expected packed weights, got none";
    return;
  }
  ScheduleAttr schedule;
  if (!isa<BatchNormOp>(layer))
    schedule = layer->getAttrOfType<ScheduleAttr>("schedule");
  PackForm form = formFor(schedule ? schedule.getDataflow() : Dataflow::OutputStationary);
  if (packed.getForm() != form)
    promises.complain(layer, Stage::Packed)
        << "expected weights packed as " << stringifyPackForm(form) << ", got "
        << stringifyPackForm(packed.getForm());
  else if (form == PackForm::Panels && schedule)
    checkPanels(promises, layer, packed, schedule);
  else if (form != PackForm::Panels && walkIndex)
    checkIndex(promises, cast<Conv2DOp>(layer), packed);
}

void pconv::pattern::checkBlobs(Promises &promises) {
  SmallVector<Range> values, indices;
  for (auto packed : promises.module.getOps<PackedOp>()) {
    int64_t value = packed.getValues(), index = packed.getIndices();
    values.push_back(
        {packed, value,
         value + static_cast<int64_t>(packed.getValueCount()) + countBias(promises, packed)});
    if (packed.getIndex())
      indices.push_back({packed, index, index + packed.getIndex()->getNumElements()});
  }
  checkRanges(promises, "values", values);
  checkRanges(promises, "indices", indices);
}
