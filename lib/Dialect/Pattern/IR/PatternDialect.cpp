// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The pattern dialect: registration.
#include "Pattern/IR/Pattern.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace pconv::pattern;

#include "Pattern/IR/PatternDialect.cpp.inc"

void PatternDialect::initialize() {
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "Pattern/IR/PatternOps.cpp.inc"
      >();
}
