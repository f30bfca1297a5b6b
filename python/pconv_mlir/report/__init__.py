# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a compiled network tells about itself: tables and pictures."""
