// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What element-wise layers do to one number. (Operands that are ops themselves get names first:
// C++ does not say in which order arguments are evaluated, and the IR should not depend on it.)
#include "Scalars.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace pconv::pattern;

Value pconv::pattern::activateScalar(ImplicitLocOpBuilder &b, ActivationAttr activation, Value x) {
  auto number = [&](float value) -> Value {
    return arith::ConstantOp::create(b, b.getF32FloatAttr(value));
  };
  auto atLeastZero = [&](Value value) -> Value {
    return arith::MaximumFOp::create(b, value, number(0));
  };
  auto hardsigmoid = [&]() -> Value {
    Value shifted = atLeastZero(arith::AddFOp::create(b, x, number(3)));
    Value six = number(6);
    return arith::DivFOp::create(b, arith::MinimumFOp::create(b, shifted, six), six);
  };
  auto sigmoid = [&]() -> Value {
    Value power = math::ExpOp::create(b, arith::NegFOp::create(b, x));
    Value one = number(1);
    return arith::DivFOp::create(b, one, arith::AddFOp::create(b, power, one));
  };
  switch (activation.getFunction()) {
  case Function::Identity:
    return x;
  case Function::Relu:
    return atLeastZero(x);
  case Function::Relu6: {
    Value above = atLeastZero(x);
    return arith::MinimumFOp::create(b, above, number(6));
  }
  case Function::LeakyRelu: {
    Value above = atLeastZero(x);
    Value below = arith::MinimumFOp::create(b, x, number(0));
    Value slope = number(activation.getAlpha().getValueAsDouble());
    return arith::AddFOp::create(b, above, arith::MulFOp::create(b, slope, below));
  }
  case Function::Sigmoid:
    return sigmoid();
  case Function::Silu:
    return arith::MulFOp::create(b, x, sigmoid());
  case Function::Hardswish:
    return arith::MulFOp::create(b, x, hardsigmoid());
  case Function::Hardsigmoid:
    return hardsigmoid();
  }
  llvm_unreachable("all functions are handled above");
}

Value pconv::pattern::scaleFactor(ImplicitLocOpBuilder &b, Value scale, Value variance,
                                  double epsilon) {
  Value small = arith::ConstantOp::create(b, b.getF32FloatAttr(epsilon));
  Value deviation = math::SqrtOp::create(b, arith::AddFOp::create(b, variance, small));
  return arith::DivFOp::create(b, scale, deviation);
}

Value pconv::pattern::normalizeScalar(ImplicitLocOpBuilder &b, ValueRange x, double epsilon) {
  Value factor = scaleFactor(b, x[1], x[4], epsilon);
  Value centred = arith::SubFOp::create(b, x[0], x[3]);
  return arith::AddFOp::create(b, arith::MulFOp::create(b, centred, factor), x[2]);
}
