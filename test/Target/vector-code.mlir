// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// REQUIRES: llvm-tools
// One network, and the widest vectors of every target. The kernels multiply weights and inputs in
// one instruction where there is one: on AArch64 by a lane of a vector of weights.
//
// RUN: %python %S/Inputs/emit.py %s aarch64-linux-gnu | llvm-objdump -d - \
// RUN:   | FileCheck %s --check-prefix=NEON
// RUN: %python %S/Inputs/emit.py %s x86-64 | llvm-objdump -d - \
// RUN:   | FileCheck %s --check-prefix=SSE
// RUN: %python %S/Inputs/emit.py %s x86-64-v3 | llvm-objdump -d - \
// RUN:   | FileCheck %s --check-prefix=AVX2
// RUN: %python %S/Inputs/emit.py %s x86-64-v4 | llvm-objdump -d - \
// RUN:   | FileCheck %s --check-prefix=AVX512

// NEON: file format elf64-littleaarch64
// NEON: <pconv_network>:
// NEON: fmla v{{[0-9]+}}.4s, v{{[0-9]+}}.4s, v{{[0-9]+}}.s[{{[0-3]}}]
// NEON: fmla v{{[0-9]+}}.4s, v{{[0-9]+}}.4s, v{{[0-9]+}}.s[{{[0-3]}}]

// SSE: file format elf64-x86-64
// SSE-NOT: ymm
// SSE: mulps {{.*}}%xmm
// SSE-NOT: {{fmadd|ymm}}

// AVX2: file format elf64-x86-64
// AVX2-NOT: zmm
// AVX2: vfmadd{{[0-9]+}}ps {{.*}}%ymm
// AVX2-NOT: zmm

// AVX512: file format elf64-x86-64
// AVX512: vfmadd{{[0-9]+}}ps {{.*}}%zmm

module attributes {pattern.stage = "imported"} {
  pattern.weights @conv.weight : tensor<5x3x3x3xf32>,
      #pattern.kernel<#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5]]>>,
      kernels = dense<[[1, 0, 2], [0, 1, 0], [2, 1, 0], [1, 0, 0], [0, 0, 2]]> : tensor<5x3xi8>
  pattern.weights @classify.weight : tensor<7x715xf32>, #pattern.dense
  func.func @main(%x: tensor<1x3x11x13xf32>) -> tensor<1x7xf32> {
    %conv = pattern.conv2d %x weights(@conv.weight)
        {layer = "conv", padding = array<i64: 1, 1, 1, 1>}
        : tensor<1x3x11x13xf32> -> tensor<1x5x11x13xf32>
    %flat = pattern.reshape %conv : tensor<1x5x11x13xf32> -> tensor<1x715xf32>
    %y = pattern.linear %flat weights(@classify.weight) {layer = "classify"}
        : tensor<1x715xf32> -> tensor<1x7xf32>
    return %y : tensor<1x7xf32>
  }
}
