// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Walking planes element by element, for the layers that need no special kernel.
#ifndef CONVERSION_PATTERNTOVECTOR_PLANEACCESS_H
#define CONVERSION_PATTERNTOVECTOR_PLANEACCESS_H

#include "StepBuilder.h"

namespace pconv {

/// Where plane number `number` (image times channels plus channel) begins in the arena.
mlir::Value planeStart(StepBuilder &b, const Plane &plane, mlir::Value number);

/// Where element (y, x) of the plane at `start` lies; for planes with phases too.
mlir::Value elementAt(StepBuilder &b, const Plane &plane, mlir::Value start, mlir::Value y,
                      mlir::Value x);

/// Writes zeros into floats from .. to, counted from `start`.
void clear(StepBuilder &b, mlir::Value start, int64_t from, int64_t to);

/// Gives element (y, x) of a plane.
using Element = llvm::function_ref<mlir::Value(mlir::Value y, mlir::Value x)>;

/// Elements of a plane: rows top .. bottom-1, columns left .. right-1.
struct Box {
  int64_t top = 0, bottom = 0, left = 0, right = 0;
};

/// Writes every element of the plane at `start`, and zeros into its border.
void fillPlane(StepBuilder &b, const Plane &plane, mlir::Value start, Element element);

/// The same with one way to make the elements of a box, and another for those around it.
void fillPlane(StepBuilder &b, const Plane &plane, mlir::Value start, const Box &box, Element inner,
               Element outer);

/// Writes the plane at `start` in vectors, as one long row; `vectorAt(position)` gives the values
/// from a position on, what lies in the border is cleared.
void fillLongRow(StepBuilder &b, const Plane &plane, mlir::Value start,
                 llvm::function_ref<mlir::Value(mlir::Value position)> vectorAt);

/// Where position 0 (element (0, 0)) lies in the plane at `start`.
mlir::Value firstElement(StepBuilder &b, const Plane &plane, mlir::Value start);

} // namespace pconv

#endif // CONVERSION_PATTERNTOVECTOR_PLANEACCESS_H
