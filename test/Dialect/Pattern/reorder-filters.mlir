// RUN: pconv-opt %s -split-input-file -pattern-reorder-filters | FileCheck %s
// RUN: pconv-opt %s -split-input-file -pattern-reorder-filters=similarity=false | FileCheck %s --check-prefix=LENGTH
// RUN: pconv-opt %s -split-input-file -pattern-reorder-filters=reorder=false | FileCheck %s --check-prefix=OFF
// Twice is once:
// RUN: pconv-opt %s -split-input-file -pattern-reorder-filters > %t.once
// RUN: pconv-opt %t.once -split-input-file -pattern-reorder-filters | diff %t.once -

#library = #pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7]]>

// CHECK: module attributes {pattern.stage = "reordered"}
module attributes {pattern.stage = "fused"} {
  // Lengths 3, 2, 3; filters 0 and 2 share channel 3.
  pattern.weights @example : tensor<3x4x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[2, 0, 1, 2], [0, 3, 0, 1], [1, 0, 2, 2]]> : tensor<3x4xi8>
  // CHECK-LABEL: func.func @worked_example(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@example) {filter_order = array<i32: 0, 2, 1>, layer = "c"} :
  // LENGTH-LABEL: func.func @worked_example(
  // LENGTH-NEXT: filter_order = array<i32: 0, 2, 1>
  // OFF-LABEL: func.func @worked_example(
  // OFF-NEXT: filter_order = array<i32: 0, 1, 2>
  func.func @worked_example(%x: tensor<1x4x5x7xf32>) -> tensor<1x3x3x5xf32> {
    %0 = pattern.conv2d %x weights(@example) {layer = "c"} : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    return %0 : tensor<1x3x3x5xf32>
  }

  // All of length 2. From 0 to 3 (two shared), then 1 and 2 share none with 3: the lower one; then
  // 4 shares one with 1, and 2 none.
  pattern.weights @chain : tensor<5x3x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1, 2, 0], [3, 0, 3], [2, 1, 0], [1, 2, 0], [3, 3, 0]]> : tensor<5x3xi8>
  // CHECK-LABEL: func.func @chain_of_similar_filters(
  // CHECK-NEXT: filter_order = array<i32: 0, 3, 1, 4, 2>
  // LENGTH-LABEL: func.func @chain_of_similar_filters(
  // LENGTH-NEXT: filter_order = array<i32: 0, 1, 2, 3, 4>
  func.func @chain_of_similar_filters(%x: tensor<1x3x5x7xf32>) -> tensor<1x5x3x5xf32> {
    %0 = pattern.conv2d %x weights(@chain) : tensor<1x3x5x7xf32> -> tensor<1x5x3x5xf32>
    return %0 : tensor<1x5x3x5xf32>
  }

  // Removed kernels are no likeness: filters 0 and 1 lack the same two channels, but only filter 2
  // wears a pattern that filter 0 wears too.
  pattern.weights @removed : tensor<3x4x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[1, 2, 0, 0], [2, 1, 0, 0], [0, 2, 0, 3]]> : tensor<3x4xi8>
  // CHECK-LABEL: func.func @removed_kernels_do_not_count(
  // CHECK-NEXT: filter_order = array<i32: 0, 2, 1>
  func.func @removed_kernels_do_not_count(%x: tensor<1x4x5x7xf32>) -> tensor<1x3x3x5xf32> {
    %0 = pattern.conv2d %x weights(@removed) : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    return %0 : tensor<1x3x3x5xf32>
  }

  // A filter without any kernel has a length too: it comes last.
  pattern.weights @empty : tensor<3x2x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[0, 0], [0, 3], [1, 2]]> : tensor<3x2xi8>
  // CHECK-LABEL: func.func @empty_filter(
  // CHECK-NEXT: filter_order = array<i32: 2, 1, 0>
  func.func @empty_filter(%x: tensor<1x2x5x7xf32>) -> tensor<1x3x3x5xf32> {
    %0 = pattern.conv2d %x weights(@empty) : tensor<1x2x5x7xf32> -> tensor<1x3x3x5xf32>
    return %0 : tensor<1x3x3x5xf32>
  }

  // Of two groups, filters 0 .. 2 stay in the first and 3 .. 5 in the second.
  pattern.weights @grouped : tensor<6x2x3x3xf32>, #pattern.kernel<#library>, kernels = dense<[[0, 1], [1, 0], [2, 2], [0, 3], [1, 1], [2, 1]]> : tensor<6x2xi8>
  // CHECK-LABEL: func.func @groups(
  // CHECK-NEXT: filter_order = array<i32: 2, 0, 1, 4, 5, 3>, groups = 2 : i64
  // CHECK-NEXT: filter_order = array<i32: 2, 5, 4, 0, 1, 3>
  // OFF-LABEL: func.func @groups(
  // OFF-NEXT: filter_order = array<i32: 0, 1, 2, 3, 4, 5>, groups = 2 : i64
  func.func @groups(%x: tensor<1x4x5x7xf32>, %y: tensor<1x2x5x7xf32>) -> (tensor<1x6x3x5xf32>, tensor<1x6x3x5xf32>) {
    %0 = pattern.conv2d %x weights(@grouped) {groups = 2 : i64} : tensor<1x4x5x7xf32> -> tensor<1x6x3x5xf32>
    %1 = pattern.conv2d %y weights(@grouped) : tensor<1x2x5x7xf32> -> tensor<1x6x3x5xf32>
    return %0, %1 : tensor<1x6x3x5xf32>, tensor<1x6x3x5xf32>
  }
}

// -----

// Nothing is known of the kernels of other schemes.
module {
  pattern.weights @dense : tensor<3x4x3x3xf32>, #pattern.dense
  pattern.weights @blocks : tensor<3x4x3x3xf32>, #pattern.block_punched<filters = 3, channels = 2>
  pattern.weights @fc : tensor<2x5xf32>, #pattern.unstructured
  // CHECK-LABEL: func.func @unchanged(
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@dense) :
  // CHECK-NEXT: pattern.conv2d %{{.*}} weights(@blocks) :
  // CHECK-NEXT: pattern.linear %{{.*}} weights(@fc) :
  // CHECK-NEXT: return
  func.func @unchanged(%x: tensor<1x4x5x7xf32>, %y: tensor<1x5xf32>) -> (tensor<1x3x3x5xf32>, tensor<1x3x3x5xf32>, tensor<1x2xf32>) {
    %0 = pattern.conv2d %x weights(@dense) : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    %1 = pattern.conv2d %x weights(@blocks) : tensor<1x4x5x7xf32> -> tensor<1x3x3x5xf32>
    %2 = pattern.linear %y weights(@fc) : tensor<1x5xf32> -> tensor<1x2xf32>
    return %0, %1, %2 : tensor<1x3x3x5xf32>, tensor<1x3x3x5xf32>, tensor<1x2xf32>
  }
}

// -----

// Each network has weights of its own.
module {
  module @inner {
    pattern.weights @w : tensor<2x2x1x2xf32>, #pattern.kernel<#pattern.library<1x2, [[0], [1]]>>,
        kernels = dense<[[0, 1], [1, 2]]> : tensor<2x2xi8>
    // CHECK-LABEL: func.func @nested(
    // CHECK-NEXT: filter_order = array<i32: 1, 0>
    func.func @nested(%x: tensor<1x2x5x7xf32>) -> tensor<1x2x5x6xf32> {
      %0 = pattern.conv2d %x weights(@w) : tensor<1x2x5x7xf32> -> tensor<1x2x5x6xf32>
      return %0 : tensor<1x2x5x6xf32>
    }
  }
}
