// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writes the body of one step (one layer) of a lowered network.
#include "StepBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace pconv;
using namespace pconv::pattern;

StepBuilder::StepBuilder(func::FuncOp step, TargetAttr target, const MemorySizes &sizes)
    : ImplicitLocOpBuilder(step.getLoc(), step.getContext()), function(step), target(target),
      sizes(sizes) {
  setInsertionPointToStart(&step.front());
}

//===----------------------------------------------------------------------===//
// Index arithmetic
//===----------------------------------------------------------------------===//

Value StepBuilder::constant(int64_t value) {
  return arith::ConstantIndexOp::create(*this, getLoc(), value);
}
Value StepBuilder::add(Value a, Value b) { return createOrFold<arith::AddIOp>(a, b); }
Value StepBuilder::sub(Value a, Value b) { return createOrFold<arith::SubIOp>(a, b); }
Value StepBuilder::mul(Value a, int64_t b) { return createOrFold<arith::MulIOp>(a, constant(b)); }
Value StepBuilder::mul(Value a, Value b) { return createOrFold<arith::MulIOp>(a, b); }
Value StepBuilder::div(Value a, int64_t b) { return createOrFold<arith::DivUIOp>(a, constant(b)); }
Value StepBuilder::rem(Value a, int64_t b) { return createOrFold<arith::RemUIOp>(a, constant(b)); }
Value StepBuilder::min(Value a, Value b) { return createOrFold<arith::MinSIOp>(a, b); }
Value StepBuilder::max(Value a, Value b) { return createOrFold<arith::MaxSIOp>(a, b); }
Value StepBuilder::lessThan(Value a, Value b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::slt, a, b);
}

Value StepBuilder::equal(Value a, int64_t b) {
  return createOrFold<arith::CmpIOp>(arith::CmpIPredicate::eq, a, constant(b));
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

void StepBuilder::loop(Value from, Value to, int64_t step, Body body) {
  auto op = scf::ForOp::create(*this, getLoc(), from, to, constant(step));
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

void StepBuilder::loop(int64_t from, int64_t to, int64_t step, Body body) {
  if (to - from <= step) { // at most one round
    if (from < to)
      body(constant(from));
    return;
  }
  loop(constant(from), constant(to), step, body);
}

void StepBuilder::repeat(int64_t from, int64_t to, int64_t step, Body body) {
  constexpr int64_t kMostUnrolled = 64;
  if (to - from > kMostUnrolled * step)
    return loop(from, to, step, body);
  for (int64_t at = from; at < to; at += step)
    body(constant(at));
}

SmallVector<Value>
StepBuilder::loop(Value from, Value to, ValueRange carried,
                  llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(*this, getLoc(), from, to, constant(1), carried);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.getBody());
  SmallVector<Value> next = body(op.getInductionVar(), op.getRegionIterArgs());
  if (!carried.empty()) // without carried values the terminator is there already
    scf::YieldOp::create(*this, getLoc(), next);
  return SmallVector<Value>(op.getResults());
}

void StepBuilder::onlyIf(Value condition, llvm::function_ref<void()> body) {
  auto op = scf::IfOp::create(*this, getLoc(), condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.thenBlock());
  body();
}

void StepBuilder::branch(Value condition, llvm::function_ref<void()> ifTrue,
                         llvm::function_ref<void()> ifFalse) {
  auto op = scf::IfOp::create(*this, getLoc(), condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(op.thenBlock());
  ifTrue();
  setInsertionPointToStart(op.elseBlock());
  ifFalse();
}

Value StepBuilder::select(Value condition, Value ifTrue, Value ifFalse) {
  return createOrFold<arith::SelectOp>(condition, ifTrue, ifFalse);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

VectorType StepBuilder::vectorType() { return VectorType::get({lanes()}, getF32Type()); }

Value StepBuilder::load(Value at) {
  return memref::LoadOp::create(*this, getLoc(), function.getArgument(3), at);
}
void StepBuilder::store(Value value, Value at) {
  memref::StoreOp::create(*this, getLoc(), value, function.getArgument(3), at);
}
Value StepBuilder::loadVector(Value at) { return loadVector(at, lanes()); }
Value StepBuilder::loadVector(Value at, int64_t width) {
  auto type = VectorType::get({width}, getF32Type());
  return vector::LoadOp::create(*this, getLoc(), type, function.getArgument(3), at);
}
void StepBuilder::storeVector(Value vector, Value at) {
  vector::StoreOp::create(*this, getLoc(), vector, function.getArgument(3), at);
}
void StepBuilder::prefetch(Value at, Access access, Cache cache) {
  uint32_t locality = cache == Cache::First ? 3 : 2;
  memref::PrefetchOp::create(*this, getLoc(), function.getArgument(3), at, access == Access::Write,
                             locality, /*isDataCache=*/true);
}
Value StepBuilder::loadValue(Value at) {
  return memref::LoadOp::create(*this, getLoc(), function.getArgument(4), at);
}
Value StepBuilder::loadValueVector(Value at) {
  return vector::LoadOp::create(*this, getLoc(), vectorType(), function.getArgument(4), at);
}
Value StepBuilder::loadIndex(Value at) {
  Value number = memref::LoadOp::create(*this, getLoc(), function.getArgument(5), at);
  return arith::IndexCastOp::create(*this, getLoc(), getIndexType(), number);
}
Value StepBuilder::scratch() {
  return add(mul(function.getArgument(2), sizes.scratch), sizes.arena);
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

Value StepBuilder::number(double value) {
  return arith::ConstantOp::create(*this, getLoc(), getF32FloatAttr(value));
}

Value StepBuilder::broadcast(Value scalar) {
  return vector::BroadcastOp::create(*this, getLoc(), vectorType(), scalar);
}

static int64_t sizeOf(Value vector) { return cast<VectorType>(vector.getType()).getDimSize(0); }

Value StepBuilder::interleave(Value first, Value second) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < sizeOf(first); ++i)
    order.append({i, sizeOf(first) + i});
  return vector::ShuffleOp::create(*this, getLoc(), first, second, order);
}

Value StepBuilder::deinterleave(Value vector) {
  SmallVector<int64_t> order;
  for (int64_t half : {0, 1})
    for (int64_t i = half; i < sizeOf(vector); i += 2)
      order.push_back(i);
  return vector::ShuffleOp::create(*this, getLoc(), vector, vector, order);
}

Value StepBuilder::concat(Value first, Value second) {
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, 2 * sizeOf(first)));
  return vector::ShuffleOp::create(*this, getLoc(), first, second, order);
}

std::pair<Value, Value> StepBuilder::split(Value vector) {
  auto half = [&](int64_t from) -> Value {
    auto order = llvm::to_vector(llvm::seq<int64_t>(from, from + sizeOf(vector) / 2));
    return vector::ShuffleOp::create(*this, getLoc(), vector, vector, order);
  };
  return {half(0), half(sizeOf(vector) / 2)};
}

Value StepBuilder::like(double value, Value shape) {
  return isa<VectorType>(shape.getType()) ? vectorOf(value) : number(value);
}

Value StepBuilder::multiplyAdd(Value a, Value b, Value c) {
  // Without the instruction a fused multiply-add would become a call of libm, lane by lane.
  if (target.getFma() && isa<VectorType>(a.getType()))
    return vector::FMAOp::create(*this, getLoc(), a, b, c);
  Value product = arith::MulFOp::create(*this, getLoc(), a, b);
  return arith::AddFOp::create(*this, getLoc(), product, c);
}

Value StepBuilder::maximum(Value a, Value b) {
  // To tell -0 from 0 would take as many instructions again.
  return arith::MaximumFOp::create(*this, getLoc(), a, b, arith::FastMathFlags::nsz);
}

Value StepBuilder::clamp(Value x, double low, double high) {
  x = maximum(x, like(low, x));
  return arith::MinimumFOp::create(*this, getLoc(), x, like(high, x));
}

Value StepBuilder::hardSigmoid(Value x) {
  Value shifted = arith::AddFOp::create(*this, getLoc(), x, like(3, x));
  return arith::DivFOp::create(*this, getLoc(), clamp(shifted, 0, 6), like(6, x));
}

Value StepBuilder::sigmoid(Value x) {
  Value negated = arith::NegFOp::create(*this, getLoc(), x);
  Value power = math::ExpOp::create(*this, getLoc(), negated);
  Value sum = arith::AddFOp::create(*this, getLoc(), power, like(1, x));
  return arith::DivFOp::create(*this, getLoc(), like(1, x), sum);
}

Value StepBuilder::activate(ActivationAttr activation, Value x) {
  if (!activation)
    return x;
  switch (activation.getFunction()) {
  case Function::Identity:
    return x;
  case Function::Relu:
    return maximum(x, like(0, x));
  case Function::Relu6:
    return clamp(x, 0, 6);
  case Function::LeakyRelu: {
    double alpha = activation.getAlpha().getValueAsDouble();
    Value scaled = arith::MulFOp::create(*this, getLoc(), x, like(alpha, x));
    Value positive =
        arith::CmpFOp::create(*this, getLoc(), arith::CmpFPredicate::OGE, x, like(0, x));
    return arith::SelectOp::create(*this, getLoc(), positive, x, scaled);
  }
  case Function::Sigmoid:
    return sigmoid(x);
  case Function::Silu:
    return arith::MulFOp::create(*this, getLoc(), x, sigmoid(x));
  case Function::Hardsigmoid:
    return hardSigmoid(x);
  case Function::Hardswish:
    return arith::MulFOp::create(*this, getLoc(), x, hardSigmoid(x));
  }
  llvm_unreachable("all activation functions are handled");
}

Value StepBuilder::insideMask(Value position, const Plane &plane) {
  auto type = VectorType::get({lanes()}, getI32Type());
  auto splat = [&](Value index) -> Value {
    Value number = arith::IndexCastOp::create(*this, getLoc(), getI32Type(), index);
    return vector::BroadcastOp::create(*this, getLoc(), type, number);
  };
  auto below = [&](Value places, int64_t limit) -> Value {
    return arith::CmpIOp::create(*this, getLoc(), arith::CmpIPredicate::ult, places,
                                 splat(constant(limit)));
  };
  SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, lanes()));
  Value ramp = arith::ConstantOp::create(*this, getLoc(), DenseIntElementsAttr::get(type, numbers));
  Value column =
      arith::AddIOp::create(*this, getLoc(), splat(rem(position, plane.rowStride)), ramp);
  Value inside = below(column, plane.width);
  // A vector reaches into the next rows, into several of them where the plane is narrow.
  for (int64_t last = lanes() - 1 + plane.rowStride - 1; last >= plane.rowStride;
       last -= plane.rowStride) {
    column = arith::SubIOp::create(*this, getLoc(), column, splat(constant(plane.rowStride)));
    inside = arith::OrIOp::create(*this, getLoc(), inside, below(column, plane.width));
  }
  Value place = arith::AddIOp::create(*this, getLoc(), splat(position), ramp);
  inside =
      arith::AndIOp::create(*this, getLoc(), inside, below(place, plane.height * plane.rowStride));
  return arith::ExtSIOp::create(*this, getLoc(), type, inside);
}

Value StepBuilder::keep(Value vector, Value mask) {
  Value bits = vector::BitCastOp::create(*this, getLoc(), mask.getType(), vector);
  Value kept = arith::AndIOp::create(*this, getLoc(), bits, mask);
  return vector::BitCastOp::create(*this, getLoc(), vector.getType(), kept);
}
