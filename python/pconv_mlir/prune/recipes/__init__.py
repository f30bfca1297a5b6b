# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recipes for the demo networks: network, data and training in one call. Needs torch."""

from __future__ import annotations

from pconv_mlir.prune.recipes.recipe import (
    RECIPES,
    Outcome,
    Recipe,
    accuracy,
    find,
    load_weights,
    run,
)

__all__ = ["RECIPES", "Outcome", "Recipe", "accuracy", "find", "load_weights", "run"]
