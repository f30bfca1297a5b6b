// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef TARGET_EMITOBJECT_H
#define TARGET_EMITOBJECT_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

namespace pconv {

/// The machine that code is made for, in LLVM's words.
struct Machine {
  llvm::StringRef triple, cpu, features;
};

/// Compiles a module of the LLVM dialect to an object file, or to assembly text.
llvm::LogicalResult emitObject(mlir::Operation *module, const Machine &machine, int optLevel,
                               bool assembly, llvm::SmallVectorImpl<char> &out);

} // namespace pconv

#endif // TARGET_EMITOBJECT_H
