// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_IR_PATTERNDIALECT_TD
#define PATTERN_IR_PATTERNDIALECT_TD

include "mlir/IR/OpBase.td"

def Pattern_Dialect : Dialect {
  let name = "pattern";
  let cppNamespace = "::pconv::pattern";
  let summary = "Convolutional networks whose kernels are pruned";
  let description = [{
    The word *pattern* means a kernel pattern here: the set of cells that a pruned convolution kernel
    keeps. It never means a rewrite.

    Layers are ops on dense-looking tensors in NCHW order. Their weights are module-level symbols
    (`pattern.weights`) that carry shape, pruning scheme and masks; the values stay outside of the
    IR. What the compiler decides (filter order, load plan, schedule, memory) is put on the ops as
    attributes, so that every stage prints, parses and verifies.

    A network passes through these stages, recorded in the module attribute `pattern.stage` and
    checked by `pattern-verify-stage`: imported, fused, reordered, laid_out, scheduled, planned,
    packed, placed, lowered.

    Attributes on ops of other dialects: the module has `pattern.stage`, `pattern.target`
    and `pattern.memory`, the sizes of what the code works on (a dictionary of `values`, `indices`,
    `arena` and `scratch`, each an i64 in 0 to 2^40); lowered, also `pattern.steps`,
    `pattern.inputs` and `pattern.outputs`, what the runtime has to know of the code; ops that layers
    are lowered to in linalg have the layer's name (`pattern.layer`);
    arguments and results of functions have a name in the user's model (`pattern.name`, a string)
    and a place in the arena (`pattern.place`, an i64 that is not negative); an argument that holds
    a weight tensor has `pattern.weights`, the symbol it stands for, and may have `pattern.scheme`
    and `pattern.kernels`, as on the op of that symbol.
  }];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
  let hasRegionArgAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
}

#endif // PATTERN_IR_PATTERNDIALECT_TD
