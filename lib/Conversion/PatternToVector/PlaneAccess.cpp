// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walking planes element by element, for the layers that need no special kernel.
#include "PlaneAccess.h"

using namespace mlir;
using namespace pconv;

Value pconv::planeStart(StepBuilder &b, const Plane &plane, Value number) {
  return b.add(b.mul(number, plane.channelStride), plane.place);
}

Value pconv::firstElement(StepBuilder &b, const Plane &plane, Value start) {
  return b.add(start, plane.firstElement());
}

Value pconv::elementAt(StepBuilder &b, const Plane &plane, Value start, Value y, Value x) {
  if (plane.rowPhases == 1 && plane.colPhases == 1)
    return b.add(b.add(firstElement(b, plane, start), b.mul(y, plane.rowStride)), x);
  Value row = b.add(y, plane.halo), column = b.add(x, plane.halo);
  Value phase =
      b.add(b.mul(b.rem(row, plane.rowPhases), plane.colPhases), b.rem(column, plane.colPhases));
  Value inPhase =
      b.add(b.mul(b.div(row, plane.rowPhases), plane.rowStride), b.div(column, plane.colPhases));
  int64_t phaseStride = plane.channelStride / (plane.rowPhases * plane.colPhases);
  return b.add(b.add(start, b.mul(phase, phaseStride)), inPhase);
}

void pconv::clear(StepBuilder &b, Value start, int64_t from, int64_t to) {
  int64_t vectors = std::max<int64_t>(to - from, 0) / b.lanes() * b.lanes();
  Value zeros = b.vectorOf(0);
  b.loop(from, from + vectors, b.lanes(),
         [&](Value at) { b.storeVector(zeros, b.add(start, at)); });
  b.loop(from + vectors, to, 1, [&](Value at) { b.store(b.number(0), b.add(start, at)); });
}

void pconv::fillPlane(StepBuilder &b, const Plane &plane, Value start, Element element) {
  fillPlane(b, plane, start, {}, element, element);
}

void pconv::fillPlane(StepBuilder &b, const Plane &plane, Value start, const Box &box,
                      Element inner, Element outer) {
  bool phases = plane.rowPhases * plane.colPhases != 1;
  if (phases) // the border is scattered over the sub-planes
    clear(b, start, 0, plane.channelStride);
  else if (plane.halo > 0)
    clear(b, start, 0, plane.firstElement());
  auto columns = [&](Value y, int64_t from, int64_t to, Element element) {
    if (from < to)
      b.loop(from, to, 1,
             [&](Value x) { b.store(element(y, x), elementAt(b, plane, start, y, x)); });
  };
  auto rows = [&](int64_t from, int64_t to, int64_t left, int64_t right) {
    if (from >= to)
      return;
    b.loop(from, to, 1, [&](Value y) {
      columns(y, 0, left, outer);
      columns(y, left, right, inner);
      columns(y, right, plane.width, outer);
      if (phases)
        return;
      Value row = b.add(start, b.mul(y, plane.rowStride));
      int64_t end = plane.firstElement();
      clear(b, row, end + plane.width, end + plane.rowStride);
    });
  };
  rows(0, box.top, 0, 0);
  rows(box.top, box.bottom, box.left, box.right);
  rows(box.bottom, plane.height, 0, 0);
  if (!phases)
    clear(b, start, (plane.halo + plane.height) * plane.rowStride + plane.halo,
          plane.channelStride);
}

void pconv::fillLongRow(StepBuilder &b, const Plane &plane, Value start,
                        llvm::function_ref<Value(Value position)> vectorAt) {
  int64_t first = plane.firstElement();
  int64_t positions = llvm::alignTo(plane.height * plane.rowStride, b.lanes());
  clear(b, start, 0, first);
  b.loop(b.constant(0), b.constant(positions), b.lanes(), [&](Value position) {
    Value kept = b.keep(vectorAt(position), b.insideMask(position, plane));
    b.storeVector(kept, b.add(b.add(start, position), first));
  });
  clear(b, start, first + positions, plane.channelStride);
}
