// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef PATTERN_IR_PATTERNOPS_TD
#define PATTERN_IR_PATTERNOPS_TD

include "Pattern/IR/PatternAttrs.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Pattern_Op<string mnemonic, list<Trait> traits = []>
    : Op<Pattern_Dialect, mnemonic, traits>;

/// What layers work on. The bounds keep every count and every place within 64 bits.
def Pattern_Tensor : Type<
    CPred<"::pconv::pattern::isLayerTensor($_self)">,
    "f32 tensor of static shape with 1 to 2^40 elements and no dimension above 2^31 - 1, plain or "
    "in #pattern.plane layout",
    "::mlir::RankedTensorType">;

def Pattern_Place : ConfinedAttr<I64Attr, [IntNonNegative]>;

/// An op that computes a layer: pure, and with a name from the user's model.
class Pattern_LayerOp<string mnemonic, list<Trait> traits = []>
    : Pattern_Op<mnemonic, !listconcat([Pure], traits)> {
  // What every layer may carry, after its own arguments.
  dag common = (ins OptionalAttr<StrAttr>:$layer, OptionalAttr<Pattern_Place>:$place);
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

def Pattern_WeightsOp : Pattern_Op<"weights", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A weight tensor of the network, without its values";
  let description = [{
    A module-level symbol, called like the parameter in the user's model. For the scheme
    `#pattern.kernel`, `kernels[o, i]` holds 0 where the kernel was removed and k where it wears
    pattern k of the library.

    With `batch_norm`, the tensor is made from `source` by folding a batch normalisation into it:
    a tensor of rank > 1 is scaled per filter by `scale / sqrt(variance + epsilon)`; a tensor of
    rank 1 is the folded bias (its `source` may be absent, and then counts as zero).

    The symbol is private: nothing outside of the module refers to it, and `symbol-dce` removes it
    once nothing inside does.

    - C1: the type is a plain f32 tensor of static shape with 1 to 2^40 elements.
    - C2: `kernels` is present if and only if the scheme is `#pattern.kernel`.
    - C3: the scheme `#pattern.kernel` needs a tensor of rank 4 whose kernel size is that of the
      library; `kernels` is a dense tensor of i8 with one element for each kernel, of which there are
      at most 2^26.
    - C4: every element of `kernels` names a pattern of the library, or is 0.
    - C5: `source` is a `pattern.weights` of the same shape; the symbols of `batch_norm` are
      `pattern.weights` with one element for each filter, and not made from others themselves.
    - C6: `source` is given only with `batch_norm`; a tensor of rank > 1 with `batch_norm` has it.
    - C7: no tensor is made from itself.

    ```mlir
    pattern.weights @conv.weight : tensor<2x3x3x3xf32>,
        #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>,
        kernels = dense<[[1, 0, 2], [0, 1, 1]]> : tensor<2x3xi8>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttr:$type, Pattern_AnyScheme:$scheme,
                       OptionalAttr<ElementsAttr>:$kernels,
                       OptionalAttr<FlatSymbolRefAttr>:$source,
                       OptionalAttr<Pattern_BatchNormAttr>:$batch_norm);
  let assemblyFormat = [{
    $sym_name `:` $type `,` $scheme (`,` `kernels` `=` $kernels^)?
    (`source` `(` $source^ `)`)? (`batch_norm` `(` $batch_norm^ `)`)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::RankedTensorType getTensorType() {
      return ::llvm::cast<::mlir::RankedTensorType>(getType());
    }
    ::llvm::ArrayRef<int64_t> getShape() { return getTensorType().getShape(); }
    /// The library, or null when the scheme is another.
    LibraryAttr getLibrary();
    ::mlir::SymbolTable::Visibility getVisibility() {
      return ::mlir::SymbolTable::Visibility::Private;
    }
  }];
}

def Pattern_PackedOp : Pattern_Op<"packed", [Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The packed form of a layer's weights";
  let description = [{
    Says in which order the values of `weights` (and then those of `bias`) are stored, so that the
    kernel loop reads both the values and the index numbers front to back.

    - `#pattern.form<runs>` and `#pattern.form<records>` are for kernel patterns: `index` is the walk
      of the kernel loop (input-stationary or staged), and `gather` gives for every packed value its
      place in the weight tensor, or -1 for a zero.
    - `#pattern.form<panels>` is for dense weights and has no index: the filters of each of `groups`
      groups are dealt into panels of `filter_block`, a panel holds [channel][cell][filter], short
      panels are filled with zeros. It is also for a batch normalisation of its own, `batch_norm`:
      the scales of all channels, then their shifts.

    `values` and `indices` are the places of this layer in the two data blobs, in elements;
    `value_count` counts the packed weights without the bias, which follows them (that of a linear
    layer filled up to whole panels). `index_bytes` is
    what the FKW format needs for the same layer, `csr_bytes` what CSR needs (4-byte columns).

    - C1: `weights` and `bias` name `pattern.weights` ops; the bias has one element per filter.
    - C2: the forms `runs` and `records` have `index` and `gather`, with `value_count` numbers in
      the latter; the form `panels` has neither.
    - C3: places and counts are not negative and at most 2^40.
    - C4: every number in `gather` is the place of an element of `weights`, or -1.
    - C5: the form `panels` has either a positive `filter_block`, with `groups` that divide the
      filters, or `batch_norm`; the other forms have neither.
    - C6: `value_count` of panels counts the weights of all panels; with `batch_norm` two values for
      each channel.
    - C7: the parameters of `batch_norm` are weights of equal size, its scale is `weights`, and
      there is no bias.

    ```mlir
    pattern.packed @conv.packed weights(@conv.weight) form = #pattern.form<panels>
        values = 0 count = 54 indices = 0 {filter_block = 2 : i64}
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, FlatSymbolRefAttr:$weights,
                       OptionalAttr<FlatSymbolRefAttr>:$bias, Pattern_PackFormAttr:$form,
                       I64Attr:$values, I64Attr:$value_count, I64Attr:$indices,
                       OptionalAttr<I32ElementsAttr>:$index, OptionalAttr<I32ElementsAttr>:$gather,
                       OptionalAttr<I64Attr>:$index_bytes, OptionalAttr<I64Attr>:$csr_bytes,
                       OptionalAttr<I64Attr>:$filter_block,
                       DefaultValuedAttr<I64Attr, "1">:$groups,
                       OptionalAttr<Pattern_BatchNormAttr>:$batch_norm);
  let assemblyFormat = [{
    $sym_name `weights` `(` $weights `)` (`bias` `(` $bias^ `)`)? `form` `=` $form
    `values` `=` $values `count` `=` $value_count `indices` `=` $indices attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::SymbolTable::Visibility getVisibility() {
      return ::mlir::SymbolTable::Visibility::Private;
    }
  }];
}

//===----------------------------------------------------------------------===//
// Layers with weights
//===----------------------------------------------------------------------===//

def Pattern_Conv2DOp : Pattern_LayerOp<"conv2d", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Two-dimensional convolution with what follows it";
  let description = [{
    `out = pool(activation(conv(input, weights) + bias + residual))` in NCHW order, where

        conv[n, o, y, x] = sum over i, r, s of weights[o, i, r, s] *
            input[n, g I + i, y strides[0] + r dilations[0] - padding[0],
                              x strides[1] + s dilations[1] - padding[1]]

    with `g = o div (O / groups)` and zeros outside of the input. `padding` is top, left, bottom,
    right.

    The plan: `filter_order` is the order in which filters are stored (`filter_order[k]` is the
    original filter of stored filter k; consumers see the original order), `schedule` and `loads`
    say how the loops run, `packed` where the packed weights are.

    - C1: input, output and residual are NCHW tensors of one batch size.
    - C2: `weights` names a `pattern.weights` of shape O x I x KH x KW.
    - C3: input channels = I groups; groups divides O; the output has O channels.
    - C4: `bias` names a `pattern.weights` of shape O.
    - C5: strides and dilations are two positive numbers, padding four that are not negative, all
      below 2^16.
    - C6: the output has the size that the formula (and then the pooling) gives.
    - C7: the residual has the shape of the convolution's result.
    - C8: `filter_order` is a permutation of 0 .. O-1.
    - C9: an input-stationary or staged schedule needs weights of scheme `#pattern.kernel` in one
      group.
    - C10: `loads` has one list of uses for each pattern of the library, and each list names every
      kept cell of its pattern once.
    - C11: `packed` names a `pattern.packed` of these weights and this bias.

    ```mlir
    %y = pattern.conv2d %x weights(@conv.weight) bias(@conv.bias)
        {padding = array<i64: 1, 1, 1, 1>, activation = #pattern.activation<relu>}
        : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, Optional<Pattern_Tensor>:$residual,
      FlatSymbolRefAttr:$weights, OptionalAttr<FlatSymbolRefAttr>:$bias,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$padding,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations,
      DefaultValuedAttr<I64Attr, "1">:$groups,
      OptionalAttr<Pattern_ActivationAttr>:$activation,
      OptionalAttr<Pattern_PoolAttr>:$pool,
      OptionalAttr<DenseI32ArrayAttr>:$filter_order,
      OptionalAttr<Pattern_ScheduleAttr>:$schedule,
      OptionalAttr<Pattern_LoadsAttr>:$loads,
      OptionalAttr<FlatSymbolRefAttr>:$packed), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = [{
    $input `weights` `(` $weights `)` (`bias` `(` $bias^ `)`)?
    (`residual` `(` $residual^ `:` type($residual) `)`)?
    attr-dict `:` type($input) `->` type($output)
  }];
  let hasCanonicalizeMethod = 1;
  let extraClassDeclaration = [{
    /// Shape of the result before pooling, from the shape of the weights.
    ::llvm::SmallVector<int64_t, 4> getConvShape(::llvm::ArrayRef<int64_t> weights);
  }];
}

def Pattern_LinearOp : Pattern_LayerOp<"linear", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Fully connected layer: activation(input weights^T + bias)";
  let description = [{
    `out[n, o] = activation(sum over i of input[n, i] weights[o, i] + bias[o])`.

    - C1: input and output have rank 2 and one batch size.
    - C2: `weights` names a `pattern.weights` of shape O x I that fits input and output.
    - C3: `bias` names a `pattern.weights` of shape O.
    - C4: `packed` names a `pattern.packed` of these weights and this bias.
    - C5: the schedule is output-stationary.

    ```mlir
    %y = pattern.linear %x weights(@fc.weight) bias(@fc.bias)
        : tensor<1x12xf32> -> tensor<1x5xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, FlatSymbolRefAttr:$weights,
      OptionalAttr<FlatSymbolRefAttr>:$bias,
      OptionalAttr<Pattern_ActivationAttr>:$activation,
      OptionalAttr<Pattern_ScheduleAttr>:$schedule,
      OptionalAttr<FlatSymbolRefAttr>:$packed), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = [{
    $input `weights` `(` $weights `)` (`bias` `(` $bias^ `)`)?
    attr-dict `:` type($input) `->` type($output)
  }];
  let hasCanonicalizeMethod = 1;
}

def Pattern_BatchNormOp : Pattern_LayerOp<"batch_norm", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Batch normalisation with fixed statistics";
  let description = [{
    Per channel `(x - mean) / sqrt(variance + epsilon) * scale + shift`.
    Canonicalisation leaves it; `pattern-fuse-layers` folds it into the convolution that makes its
    input.

    - C1: input and output have one shape, of rank 2 or 4.
    - C2: the four symbols of `parameters` are `pattern.weights` with one element per channel.
    - C3: `packed` names a `pattern.packed` of these parameters.

    ```mlir
    %y = pattern.batch_norm %x
        {parameters = #pattern.batch_norm<scale = @bn.weight, shift = @bn.bias, mean = @bn.mean,
                                          variance = @bn.var, epsilon = 1.000000e-05 : f64>}
        : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, Pattern_BatchNormAttr:$parameters,
                            OptionalAttr<FlatSymbolRefAttr>:$packed), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($output)";
}

//===----------------------------------------------------------------------===//
// Layers without weights
//===----------------------------------------------------------------------===//

class Pattern_PoolOp<string mnemonic> : Pattern_LayerOp<mnemonic> {
  let results = (outs Pattern_Tensor:$output);
  let hasFolder = 1;
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($output)";
}

def Pattern_MaxPool2DOp : Pattern_PoolOp<"max_pool2d"> {
  let summary = "Maximum over windows of a plane";
  let description = [{
    Cells outside of the input do not count. The number of windows,
    `(H + padding - dilation (kernel - 1) - 1) / stride + 1`, may be rounded down or up; rounding up
    adds no window that would start right of (or below) the input. `padding` is top, left, bottom,
    right.

    - C1: input and output are NCHW with one batch size and channel count.
    - C2: kernel, strides and dilations are two positive numbers, padding four that are not
      negative and at most half of the kernel's extent, all below 2^16.
    - C3: the output has the size that the formula gives, rounded down or up.

    ```mlir
    %y = pattern.max_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
        : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, DenseI64ArrayAttr:$kernel,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$padding,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$dilations), common);
}

def Pattern_AvgPool2DOp : Pattern_PoolOp<"avg_pool2d"> {
  let summary = "Mean over windows of a plane";
  let description = [{
    With `count_padding` the divisor counts the cells of the padding (never those that only
    rounding up adds); without, only cells of the input.

    - C1 to C3: as for `pattern.max_pool2d`.

    ```mlir
    %y = pattern.avg_pool2d %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}
        : tensor<1x4x6x8xf32> -> tensor<1x4x3x4xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, DenseI64ArrayAttr:$kernel,
      DefaultValuedAttr<DenseI64ArrayAttr, "{1, 1}">:$strides,
      DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">:$padding, UnitAttr:$count_padding),
      common);
}

def Pattern_AdaptiveAvgPool2DOp : Pattern_PoolOp<"adaptive_avg_pool2d"> {
  let summary = "Mean over a grid of windows that covers the plane";
  let description = [{
    Output row y is the mean of input rows `floor(y H / H') .. ceil((y + 1) H / H') - 1`, columns
    alike.

    C1: input and output are NCHW with one batch size and channel count.

    ```mlir
    %y = pattern.adaptive_avg_pool2d %x : tensor<1x4x6x8xf32> -> tensor<1x4x1x1xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input), common);
}

def Pattern_ActivateOp : Pattern_LayerOp<"activate"> {
  let summary = "An activation function, element by element";
  let description = [{
    C1: input and output have one shape.

    ```mlir
    %y = pattern.activate %x {activation = #pattern.activation<relu>}
        : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, Pattern_ActivationAttr:$activation), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($output)";
  let hasFolder = 1;
}

class Pattern_BinaryOp<string mnemonic> : Pattern_LayerOp<mnemonic> {
  let arguments = !con((ins Pattern_Tensor:$lhs, Pattern_Tensor:$rhs,
                        OptionalAttr<Pattern_ActivationAttr>:$activation), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = [{
    $lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($output)
  }];
  let hasCanonicalizeMethod = 1;
}

def Pattern_AddOp : Pattern_BinaryOp<"add"> {
  let summary = "activation(lhs + rhs)";
  let description = [{
    C1: `lhs` and the output have one shape; `rhs` has its rank, and every dimension of `rhs` is
    that of `lhs` or 1.

    ```mlir
    %y = pattern.add %a, %b
        : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    ```
  }];
}

def Pattern_MulOp : Pattern_BinaryOp<"mul"> {
  let summary = "activation(lhs * rhs)";
  let description = [{
    C1: as for `pattern.add`.

    ```mlir
    %y = pattern.mul %a, %b
        : tensor<1x4x5x7xf32>, tensor<1x4x1x1xf32> -> tensor<1x4x5x7xf32>
    ```
  }];
}

def Pattern_ConcatOp : Pattern_LayerOp<"concat"> {
  let summary = "Tensors side by side along one axis";
  let description = [{
    - C1: there is at least one input; all have the output's rank.
    - C2: the axis lies inside the rank.
    - C3: sizes agree on all other axes and add up on this one.

    ```mlir
    %y = pattern.concat %a, %b {axis = 1 : i64}
        : tensor<1x4x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x6x5x7xf32>
    ```
  }];
  let arguments = !con((ins Variadic<Pattern_Tensor>:$inputs, I64Attr:$axis), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = "$inputs attr-dict `:` type($inputs) `->` type($output)";
  let hasFolder = 1;
}

def Pattern_ReshapeOp : Pattern_LayerOp<"reshape"> {
  let summary = "The same elements in row-major order under another shape";
  let description = [{
    - C1: input and output have the same number of elements.
    - C2: neither is stored as planes with a border (both are the same floats).

    ```mlir
    %y = pattern.reshape %x : tensor<1x4x1x1xf32> -> tensor<1x4xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($output)";
  let hasFolder = 1;
}

def Pattern_SoftmaxOp : Pattern_LayerOp<"softmax"> {
  let summary = "exp(x - max) / sum along one axis";
  let description = [{
    - C1: input and output have one shape.
    - C2: the axis lies inside the rank.

    ```mlir
    %y = pattern.softmax %x {axis = 1 : i64} : tensor<2x5xf32> -> tensor<2x5xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, I64Attr:$axis), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($output)";
}

def Pattern_ResizeMode : I32EnumAttr<"ResizeMode", "how a plane is enlarged", [
    I32EnumAttrCase<"Nearest", 0, "nearest">, I32EnumAttrCase<"Bilinear", 1, "bilinear">]> {
  let cppNamespace = "::pconv::pattern";
  let genSpecializedAttr = 0;
}
def Pattern_ResizeModeAttr : EnumAttr<Pattern_Dialect, Pattern_ResizeMode, "resize_mode"> {
  let assemblyFormat = "`<` $value `>`";
}

def Pattern_ResizeOp : Pattern_LayerOp<"resize"> {
  let summary = "A plane in another size, by nearest or bilinear interpolation";
  let description = [{
    Nearest takes input row `floor(y H / H')`. Bilinear samples at `(y + 0.5) H / H' - 0.5`, clamped
    to the plane, or with `align_corners` at `y (H - 1) / (H' - 1)` (at 0 if H' = 1); columns alike.

    - C1: input and output are NCHW with one batch size and channel count.
    - C2: `align_corners` is for bilinear only.

    ```mlir
    %y = pattern.resize %x {mode = #pattern.resize_mode<nearest>}
        : tensor<1x4x3x4xf32> -> tensor<1x4x6x8xf32>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input, Pattern_ResizeModeAttr:$mode,
                            UnitAttr:$align_corners), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($output)";
  let hasFolder = 1;
}

def Pattern_RelayoutOp : Pattern_LayerOp<"relayout"> {
  let summary = "The same tensor in another layout";
  let description = [{
    Copies between plain NCHW order and bordered planes, or between kinds of planes, and writes the
    border. Made by `pattern-assign-layouts`.

    C1: input and output have one shape; only their encodings differ.

    ```mlir
    %y = pattern.relayout %x : tensor<1x4x5x7xf32>
        -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 64>>
    ```
  }];
  let arguments = !con((ins Pattern_Tensor:$input), common);
  let results = (outs Pattern_Tensor:$output);
  let assemblyFormat = "$input attr-dict `:` type($input) `->` type($output)";
  let hasFolder = 1;
}

#endif // PATTERN_IR_PATTERNOPS_TD
