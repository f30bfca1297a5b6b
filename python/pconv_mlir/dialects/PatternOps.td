// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The generator for Python reads one file and takes the ops of one dialect.
include "Pattern/IR/PatternOps.td"
