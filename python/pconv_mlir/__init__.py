# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes pruned convolutional networks fast: an MLIR compiler driven from Python."""
