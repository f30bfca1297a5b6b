// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_IR_PATTERNATTRS_TD
#define PATTERN_IR_PATTERNATTRS_TD

include "Pattern/IR/PatternDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/TensorEncoding.td"

// All numbers in attributes have upper bounds (Bounds.h), so that no product of them overflows.
class Pattern_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Pattern_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

//===----------------------------------------------------------------------===//
// What was pruned: libraries and schemes
//===----------------------------------------------------------------------===//

def Pattern_LibraryAttr : Pattern_Attr<"Library", "library"> {
  let summary = "The kernel patterns of a layer";
  let description = [{
    A list of kernel patterns for kernels of one size. A kernel pattern is the list of cells that a
    kernel keeps, numbered row by row and ascending. Patterns are numbered from 1; 0 stands for a
    removed kernel.

    - C1: height and width lie in 1 to 255.
    - C2: there are 1 to 127 patterns.
    - C3: the cells of a pattern ascend and lie inside the kernel; there is at least one.
    - C4: no pattern occurs twice.

    ```mlir
    #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
    ```
  }];
  let parameters = (ins "int64_t":$height, "int64_t":$width,
                        ArrayRefParameter<"::mlir::DenseI32ArrayAttr">:$cells);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Number of kernel patterns.
    int64_t size() const { return getCells().size(); }
    /// The cells that pattern `id` (counted from 1) keeps.
    ::llvm::ArrayRef<int32_t> getPattern(int64_t id) const { return getCells()[id - 1].asArrayRef(); }
  }];
}

def Pattern_DenseAttr : Pattern_Attr<"Dense", "dense"> {
  let summary = "Scheme: nothing was pruned";
  let description = [{ ```mlir
    #pattern.dense
    ``` }];
}

def Pattern_KernelAttr : Pattern_Attr<"Kernel", "kernel"> {
  let summary = "Scheme: every kernel wears a pattern of a library, or is removed";
  let description = [{
    The `kernels` tensor of the `pattern.weights` op says which.

    ```mlir
    #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>
    ```
  }];
  let parameters = (ins Pattern_LibraryAttr:$library);
  let hasCustomAssemblyFormat = 1;
}

def Pattern_BlockPunchedAttr : Pattern_Attr<"BlockPunched", "block_punched"> {
  let summary = "Scheme: the filters and channels of a block lose the same cells";
  let description = [{
    C1: filters and channels are positive.

    ```mlir
    #pattern.block_punched<filters = 8, channels = 4>
    ```
  }];
  let parameters = (ins "int64_t":$filters, "int64_t":$channels);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Pattern_BlockAttr : Pattern_Attr<"Block", "block"> {
  let summary = "Scheme: a matrix is cut into blocks that lose whole rows or columns";
  let description = [{
    C1: rows and cols are positive.

    ```mlir
    #pattern.block<rows = 16, cols = 16>
    ```
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$cols);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Pattern_UnstructuredAttr : Pattern_Attr<"Unstructured", "unstructured"> {
  let summary = "Scheme: single weights were pruned, with no structure";
  let description = [{ ```mlir
    #pattern.unstructured
    ``` }];
}

def Pattern_AnyScheme : Attr<CPred<"::pconv::pattern::isScheme($_self)">,
    "a pruning scheme"> {
  let returnType = "::mlir::Attribute";
  let convertFromStorage = "$_self";
}

//===----------------------------------------------------------------------===//
// What a layer computes
//===----------------------------------------------------------------------===//

def Pattern_Function : I32EnumAttr<"Function", "an activation function", [
    I32EnumAttrCase<"Identity", 0, "identity">,
    I32EnumAttrCase<"Relu", 1, "relu">,
    I32EnumAttrCase<"Relu6", 2, "relu6">,
    I32EnumAttrCase<"LeakyRelu", 3, "leaky_relu">,
    I32EnumAttrCase<"Sigmoid", 4, "sigmoid">,
    I32EnumAttrCase<"Silu", 5, "silu">,
    I32EnumAttrCase<"Hardswish", 6, "hardswish">,
    I32EnumAttrCase<"Hardsigmoid", 7, "hardsigmoid">]> {
  let cppNamespace = "::pconv::pattern";
  let genSpecializedAttr = 0;
}

def Pattern_ActivationAttr : Pattern_Attr<"Activation", "activation"> {
  let summary = "An activation function, applied element by element";
  let description = [{
    `hardsigmoid(x) = clamp(x + 3, 0, 6) / 6` and `hardswish(x) = x hardsigmoid(x)`, as in PyTorch;
    `leaky_relu(x) = max(x, 0) + alpha min(x, 0)`.

    C1: `alpha`, a finite number, is given for `leaky_relu` and for nothing else.

    ```mlir
    #pattern.activation<leaky_relu, alpha = 2.500000e-01 : f32>
    ```
  }];
  let parameters = (ins EnumParameter<Pattern_Function>:$function,
                        OptionalParameter<"::mlir::FloatAttr">:$alpha);
  let assemblyFormat = "`<` $function (`,` `alpha` `=` $alpha^)? `>`";
  let genVerifyDecl = 1;
}

def Pattern_PoolKind : I32EnumAttr<"PoolKind", "how a window is reduced", [
    I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Average", 1, "average">]> {
  let cppNamespace = "::pconv::pattern";
  let genSpecializedAttr = 0;
}

def Pattern_PoolAttr : Pattern_Attr<"Pool", "pool"> {
  let summary = "Pooling that is part of the layer that makes its input";
  let description = [{
    Windows without padding.

    C1: kernel and strides are two positive numbers each.

    ```mlir
    #pattern.pool<max, kernel = [2, 2], strides = [2, 2]>
    ```
  }];
  let parameters = (ins EnumParameter<Pattern_PoolKind>:$kind,
                        "::mlir::DenseI64ArrayAttr":$kernel,
                        "::mlir::DenseI64ArrayAttr":$strides);
  let assemblyFormat = "`<` $kind `,` `kernel` `=` $kernel `,` `strides` `=` $strides `>`";
  let genVerifyDecl = 1;
}

def Pattern_BatchNormAttr : Pattern_Attr<"BatchNorm", "batch_norm"> {
  let summary = "The parameters of a batch normalisation, as weight symbols";
  let description = [{
    `y = (x - mean) / sqrt(variance + epsilon) * scale + shift`, per channel.

    C1: `epsilon` is finite and not negative.

    ```mlir
    #pattern.batch_norm<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean, variance = @bn.var,
                        epsilon = 1.000000e-05 : f64>
    ```
  }];
  let parameters = (ins "::mlir::FlatSymbolRefAttr":$scale, "::mlir::FlatSymbolRefAttr":$shift,
                        "::mlir::FlatSymbolRefAttr":$mean, "::mlir::FlatSymbolRefAttr":$variance,
                        "::mlir::FloatAttr":$epsilon);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// How the compiler stores and computes it
//===----------------------------------------------------------------------===//

def Pattern_PlaneAttr : Pattern_Attr<"Plane", "plane", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "Layout of an activation: planes that carry their border";
  let description = [{
    The encoding of an NCHW tensor type. A plane is stored with a border of `halo` zeros above,
    below and left of it; the right border of a row is the left border of the next one, so a row
    takes `row_stride >= W + halo` floats. Element `(n, c, y, x)` lies at
    `(n C + c) channel_stride + (y + halo) row_stride + halo + x`.
    Producers write the border, consumers never test for it.

    For a strided convolution the bordered plane is dealt out to `row_phases` x `col_phases`
    sub-planes of `channel_stride / (row_phases col_phases)` floats: element (Y, X) of the bordered
    plane (Y = y + halo, X = x + halo) goes to sub-plane
    `(Y mod row_phases) col_phases + X mod col_phases`, place
    `(Y div row_phases) row_stride + X div col_phases`. A convolution of that stride then reads
    every tap at a constant offset, as one of stride 1 does.

    - C1: halo is not negative; strides and phases are positive.
    - C2: a row holds its plane: row_stride >= W + halo (with phases:
      >= ceil((W + 2 halo) / col_phases)).
    - C3: a channel holds its bordered plane: the place of the last element of the border,
      `(H + 2 halo - 1) row_stride + W + 2 halo - 1`, is less than channel_stride. Without a border
      it holds `H row_stride`, since the rows are written to their ends. With phases, the
      number of sub-planes divides channel_stride, and the same holds for a sub-plane of
      `ceil((H + 2 halo) / row_phases)` rows and `ceil((W + 2 halo) / col_phases)` columns.
    - C4: the tensor has type f32, rank 4, and takes at most 2^40 floats.

    ```mlir
    tensor<1x64x56x56xf32, #pattern.plane<halo = 1, row_stride = 57, channel_stride = 3360>>
    ```
  }];
  let parameters = (ins "int64_t":$halo, "int64_t":$row_stride, "int64_t":$channel_stride,
                        DefaultValuedParameter<"int64_t", "1">:$row_phases,
                        DefaultValuedParameter<"int64_t", "1">:$col_phases);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Pattern_TargetAttr : Pattern_Attr<"Target", "target"> {
  let summary = "What the compiler has to know about the machine";
  let description = [{
    `lanes` floats per vector, `registers` vector registers, whether one instruction multiplies and
    adds (`fma`), and the first two caches in bytes. Module attribute `pattern.target`.

    C1: lanes and the cache sizes are positive; there are at most 1024 lanes, and 4 to 1024
    registers.

    ```mlir
    #pattern.target<lanes = 8, registers = 16, fma = true, l1 = 32768, l2 = 524288>
    ```
  }];
  let parameters = (ins "int64_t":$lanes, "int64_t":$registers, "bool":$fma, "int64_t":$l1,
                        "int64_t":$l2);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Pattern_Dataflow : I32EnumAttr<"Dataflow", "what a kernel loop keeps in registers", [
    I32EnumAttrCase<"InputStationary", 0, "input_stationary">,
    I32EnumAttrCase<"OutputStationary", 1, "output_stationary">,
    I32EnumAttrCase<"Staged", 2, "staged">]> {
  let cppNamespace = "::pconv::pattern";
  let genSpecializedAttr = 0;
}

def Pattern_ScheduleAttr : Pattern_Attr<"Schedule", "schedule"> {
  let summary = "How the loops of a layer are tiled";
  let description = [{
    A tile is `vectors` vectors, or for the staged dataflow `vectors` segments of `rows` rows, each
    row one vector.

    - `input_stationary` (kernel patterns): the shifted input vectors of one channel stay in
      registers while all its kernels in a block of `filter_block` filters use them; the
      accumulators stay in the first cache. Channels are walked in blocks of `channel_block`.
    - `staged` (kernel patterns, few registers): the input of a tile is copied to scratch memory,
      a block of `channel_block` channels at a time; the accumulators of one filter stay in
      registers while its kernels go by, which name their cells by place in the copy, so that one
      loop serves all kernel patterns. Filters are dealt into blocks of `filter_block`.
      The last tiles of a plane are shorter where the rows do not divide its height; the last strip
      is folded where it is half a vector wide: its upper and its lower half share vectors.
    - `output_stationary` (dense): the accumulators of `filter_block` filters stay in registers.

    C1: all numbers are positive; there are at most 1024 rows and 1024 vectors.

    ```mlir
    #pattern.schedule<dataflow = input_stationary, rows = 1, vectors = 3, filter_block = 256,
                      channel_block = 16>
    ```
  }];
  let parameters = (ins EnumParameter<Pattern_Dataflow>:$dataflow, "int64_t":$rows,
                        "int64_t":$vectors, "int64_t":$filter_block, "int64_t":$channel_block);
  let assemblyFormat = "`<` struct(params) `>`";
  let genVerifyDecl = 1;
}

def Pattern_LoadScope : I32EnumAttr<"LoadScope", "for how long a loaded vector is kept", [
    I32EnumAttrCase<"Kernel", 0, "kernel">,
    I32EnumAttrCase<"Run", 1, "run">]> {
  let cppNamespace = "::pconv::pattern";
  let genSpecializedAttr = 0;
}

def Pattern_LoadsAttr : Pattern_Attr<"Loads", "loads"> {
  let summary = "Load plan: what is loaded once, and who uses it";
  let description = [{
    `taps` lists the distinct kernel cells (row, column) that the layer reads, flattened; a load is
    named by its place in that list. `uses` gives, for every kernel pattern, the load that each of
    its kept cells uses, in the order in which the kernel loop takes the cells.

    The `scope` says how long the loads live: `kernel` (every kernel loads its own taps: no
    redundancy is removed) or `run` (all kernels of a channel that wear one pattern share them:
    filter-level elimination). The first `pairs` pairs of every list of uses are cells one row
    apart: row t of a tile reads for the lower cell what row t + 1 reads for the upper one, so that
    each pair loads its input rows once (kernel-level elimination).

    - C1: taps come in pairs, and no pair occurs twice.
    - C2: every use names a load.
    - C3: the cells of a pair lie one below the other.
    - C4: every list of uses is long enough for its pairs.

    ```mlir
    #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], uses = [[0, 1, 2, 3]]>
    ```
  }];
  let parameters = (ins EnumParameter<Pattern_LoadScope>:$scope,
                        "::mlir::DenseI32ArrayAttr":$taps,
                        ArrayRefParameter<"::mlir::DenseI32ArrayAttr">:$uses,
                        DefaultValuedParameter<"int64_t", "0">:$pairs);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Pattern_PackForm : I32EnumAttr<"PackForm", "the order of packed weights", [
    I32EnumAttrCase<"Runs", 0, "runs">,
    I32EnumAttrCase<"Panels", 1, "panels">,
    I32EnumAttrCase<"Records", 2, "records">]> {
  let cppNamespace = "::pconv::pattern";
  let genSpecializedAttr = 0;
}
def Pattern_PackFormAttr : EnumAttr<Pattern_Dialect, Pattern_PackForm, "form"> {
  let assemblyFormat = "`<` $value `>`";
}

//===----------------------------------------------------------------------===//
// How far the compiler has come
//===----------------------------------------------------------------------===//

def Pattern_Stage : I32EnumAttr<"Stage", "what has been done to a network, in order", [
    I32EnumAttrCase<"Imported", 0, "imported">,
    I32EnumAttrCase<"Fused", 1, "fused">,
    I32EnumAttrCase<"Reordered", 2, "reordered">,
    I32EnumAttrCase<"LaidOut", 3, "laid_out">,
    I32EnumAttrCase<"Scheduled", 4, "scheduled">,
    I32EnumAttrCase<"Planned", 5, "planned">,
    I32EnumAttrCase<"Packed", 6, "packed">,
    I32EnumAttrCase<"Placed", 7, "placed">,
    I32EnumAttrCase<"Lowered", 8, "lowered">]> {
  let cppNamespace = "::pconv::pattern";
  let genSpecializedAttr = 0;
}

#endif // PATTERN_IR_PATTERNATTRS_TD
