// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How networks enter and leave the pattern dialect.
#ifndef PATTERN_CONVERSION_PASSES_TD
#define PATTERN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLinalgToPattern : Pass<"convert-linalg-to-pattern", "::mlir::ModuleOp"> {
  let summary = "Find layers in a network of linalg ops";
  let description = [{
    Raises linalg on tensors, as torch-mlir or `convert-pattern-to-linalg` writes it, to layers:

    - `linalg.conv_2d_nchw_fchw`, with a `tensor.pad` of zeros before it; `conv_2d_ngchw_gfchw`
      between reshapes that cut the channels into groups;
    - `linalg.matmul` with the transpose of its weights;
    - `linalg.pooling_nchw_max`, with a `tensor.pad` of -inf; `linalg.pooling_nchw_sum` that is
      divided by the size of its windows;
    - `linalg.generic` that computes an activation, a sum, a product or a batch normalisation; a sum
      with one number per channel becomes the bias of the layer before it, as does a broadcast that
      a convolution or product starts with;
    - `tensor.collapse_shape` and `tensor.expand_shape`.

    Weights are arguments of the function with `pattern.weights = @symbol` (and, for schemes other
    than `#pattern.dense`, `pattern.scheme` and `pattern.kernels`), or constants. An argument whose
    symbol stands for all of its uses is taken off the function. A constant becomes a symbol called
    after its resource, or after the layer (`pattern.layer`) that uses it; the constant itself stays
    with the symbol as attribute `values`.

    *Requires*: no stage beyond imported. *Ensures*: what it does not recognise stays as it is;
    stage imported, if there are layers.

    ```mlir
    // before
    func.func @main(%x: tensor<1x3x5x7xf32>,
                    %w: tensor<4x3x3x3xf32> {pattern.weights = @conv.weight},
                    %b: tensor<4xf32> {pattern.weights = @conv.bias}) -> tensor<1x4x5x7xf32> {
      %zero = arith.constant 0.0 : f32
      %padded = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
      ^bb0(%n: index, %c: index, %h: index, %i: index):
        tensor.yield %zero : f32
      } : tensor<1x3x5x7xf32> to tensor<1x3x7x9xf32>
      %empty = tensor.empty() : tensor<1x4x5x7xf32>
      %init = linalg.broadcast ins(%b : tensor<4xf32>) outs(%empty : tensor<1x4x5x7xf32>)
          dimensions = [0, 2, 3]
      %y = linalg.conv_2d_nchw_fchw
          ins(%padded, %w : tensor<1x3x7x9xf32>, tensor<4x3x3x3xf32>)
          outs(%init : tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32>
      return %y : tensor<1x4x5x7xf32>
    }
    // after
    pattern.weights @conv.weight : tensor<4x3x3x3xf32>, #pattern.dense
    pattern.weights @conv.bias : tensor<4xf32>, #pattern.dense
    func.func @main(%x: tensor<1x3x5x7xf32>) -> tensor<1x4x5x7xf32> {
      %y = pattern.conv2d %x weights(@conv.weight) bias(@conv.bias)
          {padding = array<i64: 1, 1, 1, 1>} : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
      return %y : tensor<1x4x5x7xf32>
    }
    ```

    *Limitations*: static f32 tensors in NCHW order. Concatenations, softmax, resizing and means over
    windows of different sizes stay in linalg.
  }];
  let dependentDialects = ["::pconv::pattern::PatternDialect"];
}

def ConvertPatternToLinalg : Pass<"convert-pattern-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Give a network its dense meaning, as linalg on tensors";
  let description = [{
    The oracle inside the compiler: every layer becomes linalg, tensor and arith ops that compute
    what its description says, whatever was pruned and however it is scheduled. Upstream passes
    (`one-shot-bufferize`, `convert-linalg-to-loops`, ...) lower the result to code that runs.

    Every `pattern.weights` with values of its own that a function uses becomes a trailing argument
    of the function, in the order of the module, with attribute `pattern.weights = @symbol`. Removed
    weights are zeros in its values. Folded weights (`batch_norm`) are computed from their sources.
    Schemes and masks are kept on the argument (`pattern.scheme`, `pattern.kernels`), names of
    layers on the linalg ops (`pattern.layer`), so that `convert-linalg-to-pattern` finds them
    again.

    *Requires*: stage reordered or before, so no tensor in a `#pattern.plane` layout; a `func.func`
    around every layer, that nothing refers to. *Ensures*: no op of the pattern dialect is left; no
    stage.

    ```mlir
    // before
    pattern.weights @fc.weight : tensor<5x12xf32>, #pattern.dense
    pattern.weights @fc.bias : tensor<5xf32>, #pattern.dense
    func.func @main(%x: tensor<1x12xf32>) -> tensor<1x5xf32> {
      %y = pattern.linear %x weights(@fc.weight) bias(@fc.bias)
          : tensor<1x12xf32> -> tensor<1x5xf32>
      return %y : tensor<1x5xf32>
    }
    // after
    func.func @main(%x: tensor<1x12xf32>,
                    %w: tensor<5x12xf32> {pattern.weights = @fc.weight},
                    %b: tensor<5xf32> {pattern.weights = @fc.bias}) -> tensor<1x5xf32> {
      %empty = tensor.empty() : tensor<1x5xf32>
      %init = linalg.broadcast ins(%b : tensor<5xf32>) outs(%empty : tensor<1x5xf32>)
          dimensions = [0]
      %y = linalg.matmul indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>,
                                          affine_map<(d0, d1, d2) -> (d1, d2)>,
                                          affine_map<(d0, d1, d2) -> (d0, d1)>]
          ins(%x, %w : tensor<1x12xf32>, tensor<5x12xf32>) outs(%init : tensor<1x5xf32>)
          -> tensor<1x5xf32>
      return %y : tensor<1x5xf32>
    }
    ```

    *Limitations*: a mean or an interpolation has at most 65535 output rows and columns.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def ConvertPatternToVector : Pass<"convert-pattern-to-vector", "::mlir::ModuleOp"> {
  let summary = "Lower a placed network to vector, scf and memref";
  let description = [{
    Makes one function a layer, parametric in the lanes, registers and schedule of the target, and
    the function `pconv_network(run, arena, values, indices)`, which hands them to the runtime's
    `pconv_parallel_for` in order. Steps are named in `pattern.steps`, the network's inputs and
    outputs in `pattern.inputs` and `pattern.outputs`.

    *Requires*: all that stage `placed` promises (it is checked), in the function `@main`.
    *Ensures*: no op of the pattern dialect is left; stage `lowered`.

    ```mlir
    // before
    func.func @main(%x: tensor<3x40xf32> {pattern.place = 0 : i64})
        -> (tensor<3x40xf32> {pattern.place = 256 : i64}) {
      %y = pattern.activate %x {activation = #pattern.activation<relu>, place = 256 : i64}
          : tensor<3x40xf32> -> tensor<3x40xf32>
      return %y : tensor<3x40xf32>
    }
    // after, tidied up: 512 floats of arena and 64 of scratch memory; pconv_network hands step_0 and
    // its 120 items to the runtime
    scf.for %item = %begin to %end step %c1 {
      %at = arith.addi %item, %c256 : index
      %x = memref.load %arena[%item] : memref<576xf32>
      %y = arith.maximumf %x, %zero fastmath<nsz> : f32
      memref.store %y, %arena[%at] : memref<576xf32>
    }
    ```

    *Limitations*: one network a module; tensors of more than four axes only in layers that need not
    tell their last axes apart; softmax, resizing and layers on planes with rows of different
    lengths are lowered element by element.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // PATTERN_CONVERSION_PASSES_TD
