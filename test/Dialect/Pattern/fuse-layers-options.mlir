// RUN: pconv-opt %s -pattern-fuse-layers=batch-norm=false | FileCheck %s --check-prefix=NORM
// RUN: pconv-opt %s -pattern-fuse-layers=residual=false | FileCheck %s --check-prefix=ADD
// RUN: pconv-opt %s -pattern-fuse-layers=activation=false | FileCheck %s --check-prefix=ACTIVATE
// RUN: pconv-opt %s -pattern-fuse-layers=pooling=false | FileCheck %s --check-prefix=POOL
// RUN: pconv-opt %s -pattern-fuse-layers="batch-norm=false residual=false activation=false pooling=false" | FileCheck %s --check-prefix=NONE
// One chain; each fusion that is switched off leaves its op, and what is behind it, where it was.

#bn = #pattern.batch_norm<scale = @v, shift = @v, mean = @v, variance = @v, epsilon = 1.0e-05 : f64>
module {
  pattern.weights @w : tensor<4x3x1x1xf32>, #pattern.dense
  pattern.weights @v : tensor<4xf32>, #pattern.dense

  // NORM-LABEL: func.func @chain
  // NORM-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // NORM-NEXT: pattern.batch_norm
  // NORM-NEXT: pattern.add %{{.*}} {activation = #pattern.activation<relu>} :
  // NORM-NEXT: pattern.max_pool2d
  // NORM-NEXT: return

  // ADD-LABEL: func.func @chain
  // ADD-NEXT: pattern.conv2d %{{.*}} weights(@w.bn) bias(@w.bias.bn) :
  // ADD-NEXT: pattern.add %{{.*}} {activation = #pattern.activation<relu>} :
  // ADD-NEXT: pattern.max_pool2d
  // ADD-NEXT: return

  // ACTIVATE-LABEL: func.func @chain
  // ACTIVATE-NEXT: pattern.conv2d %{{.*}} weights(@w.bn) bias(@w.bias.bn) residual(%{{.*}}) :
  // ACTIVATE-NEXT: pattern.activate
  // ACTIVATE-NEXT: pattern.max_pool2d
  // ACTIVATE-NEXT: return

  // POOL-LABEL: func.func @chain
  // POOL-NEXT: pattern.conv2d %{{.*}} weights(@w.bn) bias(@w.bias.bn) residual(%{{.*}}) {activation = #pattern.activation<relu>} :
  // POOL-NEXT: pattern.max_pool2d
  // POOL-NEXT: return

  // NONE: pattern.stage = "fused"
  // NONE-LABEL: func.func @chain
  // NONE-NEXT: pattern.conv2d %{{.*}} weights(@w) :
  // NONE-NEXT: pattern.batch_norm
  // NONE-NEXT: pattern.add %{{.*}}, %{{.*}} :
  // NONE-NEXT: pattern.activate
  // NONE-NEXT: pattern.max_pool2d
  // NONE-NEXT: return
  func.func @chain(%x: tensor<1x3x4x8xf32>, %r: tensor<1x4x4x8xf32>) -> tensor<1x4x2x4xf32> {
    %0 = pattern.conv2d %x weights(@w) : tensor<1x3x4x8xf32> -> tensor<1x4x4x8xf32>
    %1 = pattern.batch_norm %0 {parameters = #bn} : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32>
    %2 = pattern.add %1, %r : tensor<1x4x4x8xf32>, tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32>
    %3 = pattern.activate %2 {activation = #pattern.activation<relu>} : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32>
    %4 = pattern.max_pool2d %3 {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>} : tensor<1x4x4x8xf32> -> tensor<1x4x2x4xf32>
    return %4 : tensor<1x4x2x4xf32>
  }
}
