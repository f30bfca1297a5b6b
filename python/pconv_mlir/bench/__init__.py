# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Honest comparisons. Empty, so that measuring memory loads nothing but what is measured."""
