# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruners that work while a network trains. Its modules import torch; their names are lazy."""
