// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the body of one step (one layer) of a lowered network.
#ifndef CONVERSION_PATTERNTOVECTOR_STEPBUILDER_H
#define CONVERSION_PATTERNTOVECTOR_STEPBUILDER_H

#include "Pattern/Analysis/PlaneGeometry.h"
#include "Pattern/IR/Pattern.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace pconv {

/// Sizes of the memory that a network works on, in elements.
struct MemorySizes {
  int64_t arena, scratch, values, indices;
};

/// An activation in the arena: its geometry and the place of its first float.
struct Plane : pattern::PlaneGeometry {
  Plane(mlir::RankedTensorType type, int64_t place) : PlaneGeometry(type), place(place) {}
  int64_t place;
};

/// Emits code into the function of one step:
///
///     func @step(%begin, %end, %thread, %arena, %values, %indices)
///
/// Index arithmetic on constants folds at once, so kernels can be written as plain formulas.
class StepBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using Value = mlir::Value;
  using Body = llvm::function_ref<void(Value)>;

  StepBuilder(mlir::func::FuncOp step, pattern::TargetAttr target, const MemorySizes &sizes);

  // --- index arithmetic ---
  Value constant(int64_t value);
  Value add(Value a, Value b);
  Value sub(Value a, Value b);
  Value add(Value a, int64_t b) { return b == 0 ? a : add(a, constant(b)); }
  Value mul(Value a, int64_t b);
  Value mul(Value a, Value b);
  Value div(Value a, int64_t b);
  Value rem(Value a, int64_t b);
  Value min(Value a, Value b);
  Value max(Value a, Value b);
  Value lessThan(Value a, Value b);
  Value equal(Value a, int64_t b);

  // --- control flow ---
  /// for (i = from; i < to; i += step)
  void loop(Value from, Value to, int64_t step, Body body);
  void loop(int64_t from, int64_t to, int64_t step, Body body);
  /// The same, unrolled where that is little code.
  void repeat(int64_t from, int64_t to, int64_t step, Body body);
  /// A loop that carries values; the body returns the next ones.
  llvm::SmallVector<Value>
  loop(Value from, Value to, mlir::ValueRange carried,
       llvm::function_ref<llvm::SmallVector<Value>(Value, mlir::ValueRange)> body);
  void onlyIf(Value condition, llvm::function_ref<void()> body);
  void branch(Value condition, llvm::function_ref<void()> ifTrue,
              llvm::function_ref<void()> ifFalse);
  Value select(Value condition, Value ifTrue, Value ifFalse);

  // --- memory: `at` counts elements from the start of arena, values or indices ---
  Value load(Value at);
  void store(Value value, Value at);
  Value loadVector(Value at);
  Value loadVector(Value at, int64_t width);
  void storeVector(Value vector, Value at);
  /// Asks for the cache line of a float in the arena, to be read or written soon.
  enum class Access { Read, Write };
  enum class Cache { First, Second };
  void prefetch(Value at, Access access, Cache cache = Cache::Second);
  Value loadValue(Value at);
  Value loadValueVector(Value at);
  Value loadIndex(Value at);
  /// Where this thread's private floats begin in the arena.
  Value scratch();

  // --- floats: scalars, or vectors of the target's lanes ---
  Value number(double value);
  Value vectorOf(double value) { return broadcast(number(value)); }
  Value broadcast(Value scalar);
  /// Element i of either vector in lanes 2i and 2i + 1, and the reverse: [first, second].
  Value interleave(Value first, Value second);
  Value deinterleave(Value vector);
  Value concat(Value first, Value second);
  std::pair<Value, Value> split(Value vector);
  /// a * b + c
  Value multiplyAdd(Value a, Value b, Value c);
  /// The larger one, NaN if there is one. Of zeros, either.
  Value maximum(Value a, Value b);
  Value activate(pattern::ActivationAttr activation, Value x);
  /// All ones in the lanes whose position lies inside of the rows of the plane, else zeros.
  /// `position` counts from element (0, 0).
  Value insideMask(Value position, const Plane &plane);
  /// The vector with zeros where the mask has zeros.
  Value keep(Value vector, Value mask);

  int64_t lanes() const { return target.getLanes(); }
  mlir::VectorType vectorType();
  Value begin() { return function.getArgument(0); }
  Value end() { return function.getArgument(1); }

private:
  Value like(double value, Value shape);
  Value clamp(Value x, double low, double high);
  Value hardSigmoid(Value x);
  Value sigmoid(Value x);

  mlir::func::FuncOp function;
  pattern::TargetAttr target;
  MemorySizes sizes;
};

} // namespace pconv

#endif // CONVERSION_PATTERNTOVECTOR_STEPBUILDER_H
