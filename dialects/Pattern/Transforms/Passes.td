// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the compiler does to the dialect, in the order of the pipeline.
#ifndef PATTERN_TRANSFORMS_PASSES_TD
#define PATTERN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseLayers : Pass<"pattern-fuse-layers", "::mlir::ModuleOp"> {
  let summary = "Make what follows a layer part of it";
  let description = [{
    A convolution that finishes its result while it is still in registers saves each following op a
    trip through memory. In one walk over the network, and only where nothing else uses the value
    between the two:

    - a batch normalisation is folded into the weights of the `conv2d` or `linear` before it. The
      new `pattern.weights` (`<weight>.bn`, and `<bias>.bn` or `<layer>.bias.bn`) are recipes that
      the packer follows; scheme and kernel masks stay, since scaling a filter never changes which
      weights live;
    - an addition becomes the `residual` of a `conv2d` that makes one of its operands, of two the
      later one;
    - an activation goes into the `conv2d`, `linear`, `add` or `mul` before it;
    - a maximum pooling goes into the `conv2d` before it if its windows neither overlap nor leave
      the plane.

    The result reads `pool(activation(conv(input) + bias + residual))`; the layer keeps its name.
    Weights that nothing uses are erased.

    *Requires* stage imported. *Ensures* stage fused.

    ```mlir
    // before
    %0 = pattern.conv2d %x weights(@c.weight) {layer = "c"}
        : tensor<1x3x6x8xf32> -> tensor<1x4x6x8xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
    %2 = pattern.add %1, %r
        : tensor<1x4x6x8xf32>, tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
    %3 = pattern.activate %2 {activation = #pattern.activation<relu>}
        : tensor<1x4x6x8xf32> -> tensor<1x4x6x8xf32>
    // after
    %0 = pattern.conv2d %x weights(@c.weight.bn) bias(@c.bias.bn)
        residual(%r : tensor<1x4x6x8xf32>)
        {activation = #pattern.activation<relu>, layer = "c"}
        : tensor<1x3x6x8xf32> -> tensor<1x4x6x8xf32>
    ```

    *Limitations*: a batch normalisation before a convolution stays, since padding sits between the
    two; so do average poolings, and additions that broadcast.
  }];
  let options = [
    Option<"batchNorm", "batch-norm", "bool", /*default=*/"true", "Fold batch normalisations">,
    Option<"residual", "residual", "bool", /*default=*/"true", "Fuse additions">,
    Option<"activation", "activation", "bool", /*default=*/"true", "Fuse activations">,
    Option<"pooling", "pooling", "bool", /*default=*/"true", "Fuse maximum poolings">];
  let dependentDialects = ["PatternDialect"];
}

def ReorderFilters : Pass<"pattern-reorder-filters", "::mlir::ModuleOp"> {
  let summary = "Store filters that share kernels next to each other";
  let description = [{
    Sets `filter_order` on every `conv2d` whose weights wear kernel patterns: the filter kernel
    reorder of PatDNN (ASPLOS 2020).

    1. Filters with the same number of kernels form a group, the longest first.
    2. Inside a group a greedy chain starts at the lowest filter; next comes the filter that wears
       the same pattern on most channels as the one before, the lowest of equals.

    A kernel loop works on a block of neighbouring filters: the more of them share a channel and a
    pattern, the fewer and longer are its runs, and the more channels a block skips. Only the
    storage changes; whoever reads the output sees the original order. The kernels of a filter are
    sorted by pattern when they are packed. In a grouped convolution a filter stays in its group.

    *Requires* stage imported or fused. *Ensures* stage reordered.

    ```mlir
    // before: filter 0 shares channel 3 with filter 2, and filter 1 is shorter
    pattern.weights @w : tensor<3x4x3x3xf32>, #pattern.kernel<#library>,
        kernels = dense<[[2, 0, 1, 2], [0, 3, 0, 1], [1, 0, 2, 2]]> : tensor<3x4xi8>
    %y = pattern.conv2d %x weights(@w) : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    // after
    %y = pattern.conv2d %x weights(@w) {filter_order = array<i32: 0, 2, 1>}
        : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    ```

    *Limitations*: costs O(filters² channels) byte compares a layer; the chain looks one step ahead
    and knows no filter blocks.
  }];
  let options = [
    Option<"reorder", "reorder", "bool", /*default=*/"true",
           "Reorder at all; off: the original order, written out">,
    Option<"similarity", "similarity", "bool", /*default=*/"true",
           "Chain similar filters; off: only group by length">];
  let dependentDialects = ["PatternDialect"];
}

def AssignLayouts : Pass<"pattern-assign-layouts", "::mlir::ModuleOp"> {
  let summary = "Store every activation as planes that carry their border";
  let description = [{
    Gives every 4-D activation a `#pattern.plane` encoding, wide enough for the padding of all its
    consumers, and inserts `pattern.relayout` where the form has to change: at the edges of the
    function, before strided convolutions (which read planes dealt out by phase) and around
    reshapes. Convolutions treat a plane as one long row, so what a convolution of stride 1 or an
    element-wise op reads and writes gets rows of one length.

    A pooling that was fused into a convolution becomes a layer of its own again where the tiles of
    the convolution do not hold whole windows.

    *Requires*: stage `reordered` or before; module attribute `pattern.target`; a function per
    network, in one block. *Ensures*: every 4-D value has an encoding, but for the function's own
    inputs and outputs and for reshaped tensors, which are in plain order; stage `laid_out`.

    ```mlir
    // before
    func.func @border(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
      %y = pattern.conv2d %x weights(@w3) {padding = array<i64: 1, 1, 1, 1>}
          : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
      return %y : tensor<1x4x5x7xf32>
    }
    // after
    func.func @border(%x: tensor<1x4x5x7xf32>) -> tensor<1x4x5x7xf32> {
      %in = pattern.relayout %x : tensor<1x4x5x7xf32>
          -> tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 96>>
      %out = pattern.conv2d %in weights(@w3) {padding = array<i64: 1, 1, 1, 1>}
          : tensor<1x4x5x7xf32, #pattern.plane<halo = 1, row_stride = 8, channel_stride = 96>>
          -> tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 80>>
      %y = pattern.relayout %out
          : tensor<1x4x5x7xf32, #pattern.plane<halo = 0, row_stride = 8, channel_stride = 80>>
          -> tensor<1x4x5x7xf32>
      return %y : tensor<1x4x5x7xf32>
    }
    ```

    *Limitations*: tensors of other ranks stay in plain order; the input of a strided convolution is
    always copied, never written by its producer as the convolution reads it.
  }];
  let dependentDialects = ["PatternDialect"];
}

def AssignSchedules : Pass<"pattern-assign-schedules", "::mlir::ModuleOp"> {
  let summary = "Choose the loop tiling of every layer with weights";
  let description = [{
    Sets `schedule` on `pattern.conv2d` and `pattern.linear` from the lanes, registers and caches of
    `pattern.target`. A convolution whose weights wear kernel patterns runs sparse when the masks
    leave so few multiplications that their higher price is paid back: input-stationary on machines
    with 32 registers, staged on those with fewer. Every other one runs dense, output-stationary.

    *Requires*: stage `laid_out`; module attribute `pattern.target`. *Ensures*: a schedule on every
    layer with weights, in place of one that is there already; stage `scheduled`.

    ```mlir
    // before, for a target of four lanes
    %y = pattern.linear %x weights(@w) : tensor<1x12xf32> -> tensor<1x5xf32>
    // after: two vectors hold the five outputs
    %y = pattern.linear %x weights(@w)
        {schedule = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2,
                                      filter_block = 8, channel_block = 12>}
        : tensor<1x12xf32> -> tensor<1x5xf32>
    ```

    *Limitations*: grouped convolutions run dense.
  }];
  let dependentDialects = ["PatternDialect"];
}

def EliminateRedundantLoads : Pass<"pattern-eliminate-redundant-loads", "::mlir::ModuleOp"> {
  let summary = "Decide which input vectors are loaded once and who uses them";
  let description = [{
    Sets `loads` on every convolution with a sparse dataflow: the distinct kernel cells that it
    reads, and for every kept cell of every kernel pattern the load that it uses. Input-stationary,
    all kernels of a channel that wear one pattern share its loads (filter level). Staged, cells
    that lie one below the other share the input rows of a tile (kernel level), as far as every
    pattern of the library has such a pair and the registers allow.

    *Requires*: stage `scheduled`; module attribute `pattern.target`. *Ensures*: every kept cell
    names the load it uses; stage `planned`. With `eliminate=false` the plan says that every kernel
    loads for itself, to measure what the elimination brings.

    ```mlir
    #library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>
    // after, input-stationary: cells 1 and 4 stand in both patterns and are loads 1 and 3
    loads = #pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1, 0, 2, 1, 2],
                           uses = [[0, 1, 2, 3], [1, 4, 3, 5]]>
    // after, staged: the upper and the lower cell of a pair follow each other
    loads = #pattern.loads<scope = kernel, taps = [0, 0, 1, 0, 0, 1, 1, 1, 0, 2, 1, 2],
                           uses = [[0, 1, 2, 3], [2, 3, 4, 5]], pairs = 1>
    ```

    *Limitations*: loads are not shared between kernel patterns.
  }];
  let options = [Option<"eliminate", "eliminate", "bool", /*default=*/"true",
                        "Share loads between the kernels of a channel">];
  let dependentDialects = ["PatternDialect"];
}

def PackWeights : Pass<"pattern-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Lay out the packed weights of every layer";
  let description = [{
    Makes a `pattern.packed` op for every layer with weights: the index stream in the order in which
    the kernel loop walks it, the number of values, and the places of both in the network's two data
    blobs. For layers with kernel patterns it records the index bytes of the FKW format and of CSR.

    *Requires*: stage `planned`. *Ensures*: every layer with weights names its packed form, and there
    are no others; stage `packed`; the sizes of the blobs in `pattern.memory`.

    ```mlir
    // before: panels of two filters
    #dense = #pattern.schedule<dataflow = output_stationary, rows = 1, vectors = 2,
                               filter_block = 2, channel_block = 4>
    %y = pattern.conv2d %x weights(@w) bias(@b) {schedule = #dense}
        : tensor<1x4x5x7xf32, #plane> -> tensor<1x3x3x5xf32, #plane>
    // after: three filters of 36 weights fill two panels
    pattern.packed @w.packed weights(@w) bias(@b) form = <panels> values = 0 count = 144 indices = 0
        {filter_block = 2 : i64}
    ```

    *Limitations*: the index stream has 32-bit numbers, so a layer with kernel patterns has at most
    2^31 - 1 weights, floats in an image of its input, and floats in the sums of a block of filters.
  }];
  let options = [Option<"fkwArrays", "fkw-arrays", "bool", /*default=*/"false",
                        "Also attach the index arrays of the FKW format, which the code does not read">];
  let dependentDialects = ["PatternDialect"];
}

def PlanMemory : Pass<"pattern-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Give every activation a place in one arena";
  let description = [{
    Walks the network in order, finds from where to where every activation lives, and places them,
    largest first, each at the lowest place where it meets nothing that lives at the same time.

    *Requires*: stage `packed`; the network is the function `@main`. *Ensures*: `place` on every op,
    `pattern.place` on the arguments and results of `@main`; the floats of the arena and of each
    thread's scratch memory in `pattern.memory`; stage `placed`.

    ```mlir
    // before
    func.func @main(%x: tensor<3x40xf32>) -> tensor<3x40xf32> {
      %a = pattern.softmax %x {axis = 1 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
      %y = pattern.softmax %a {axis = 0 : i64} : tensor<3x40xf32> -> tensor<3x40xf32>
      return %y : tensor<3x40xf32>
    }
    // after: when %y is written, nobody needs %x any more
    func.func @main(%x: tensor<3x40xf32> {pattern.place = 0 : i64})
        -> (tensor<3x40xf32> {pattern.place = 0 : i64}) {
      %a = pattern.softmax %x {axis = 1 : i64, place = 256 : i64}
          : tensor<3x40xf32> -> tensor<3x40xf32>
      %y = pattern.softmax %a {axis = 0 : i64, place = 0 : i64}
          : tensor<3x40xf32> -> tensor<3x40xf32>
      return %y : tensor<3x40xf32>
    }
    ```

    *Limitations*: no result takes the place of an operand, even where an op could work in place.
  }];
  let dependentDialects = ["PatternDialect"];
}

def VerifyStage : Pass<"pattern-verify-stage", "::mlir::ModuleOp"> {
  let summary = "Check that the network keeps the promises of a stage";
  let description = [{
    Changes nothing. Ops verify themselves; this pass checks what only a stage promises, and what
    all earlier stages promised:

    | stage | promise |
    | --- | --- |
    | imported | a function has one block, with ops of the pattern dialect only |
    | fused | no batch normalisation is left that could be folded into the layer before it (checked at this stage only: nothing relies on it) |
    | reordered | convolutions with kernel patterns have a `filter_order`, within their groups |
    | laid_out | 4-D tensors are planes, but where a `relayout`, a `reshape` or the function's edge is; their borders are as wide as the padding of their consumers; a convolution reads and writes rows of one length, its input dealt out by its strides |
    | scheduled | `conv2d` and `linear` have a schedule that fits the registers of `pattern.target`, with tiles for which there is a kernel loop, and which the planes of the output have room for |
    | planned | sparse schedules have `loads`, which fit the registers too; only rows that are neighbours are paired |
    | packed | layers with weights name packed weights in the form of their schedule, whose index numbers keep the kernel loop inside of its memory; all packed weights lie inside the blobs, apart from each other |
    | placed | every value has a place inside the arena, and none overlaps what lives with it; what tiles read lies inside the arena, and scratch memory holds what they keep |
    | lowered | no op of the pattern dialect is left (earlier promises no longer apply) |

    A failure names the op, what it lacks, and the pass that should have seen to it: that pass was
    left out, or a later one broke its work.

    ```mlir
    // pattern-verify-stage{stage=reordered}
    %y = pattern.conv2d %x weights(@w) : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    // error: 'pattern.conv2d' op expected a filter_order, since its weights wear kernel patterns
    // note: promised by stage 'reordered', which pattern-reorder-filters ensures
    ```

    *Limitations*: knows no values, so it cannot tell whether masks equal the zeros of the weights.
  }];
  let options = [Option<"stage", "stage", "std::string", /*default=*/"",
                        "Stage to check; empty: the one named by `pattern.stage`">];
}

#endif // PATTERN_TRANSFORMS_PASSES_TD
