# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruning: schemes, pattern libraries, projections and pruners. Imports without torch."""

from pconv_mlir.prune.config import PruneConfig
from pconv_mlir.prune.magnitude import magnitude
from pconv_mlir.prune.mining import mine_natural, random_library
from pconv_mlir.prune.patterns import (
    PAPER_LIBRARIES,
    PRESETS,
    FoundLibrary,
    NotCompact,
    PatternLibrary,
    find_library,
)
from pconv_mlir.prune.projections import project, project_kernels
from pconv_mlir.prune.report import LayerReport, PruneReport
from pconv_mlir.prune.schemes import (
    Block,
    BlockPunched,
    Channel,
    Dense,
    Filter,
    KernelPattern,
    Scheme,
    Unstructured,
    parse_scheme,
)

__all__ = [
    "PAPER_LIBRARIES",
    "PRESETS",
    "Block",
    "BlockPunched",
    "Channel",
    "Dense",
    "Filter",
    "FoundLibrary",
    "KernelPattern",
    "LayerReport",
    "NotCompact",
    "PatternLibrary",
    "PruneConfig",
    "PruneReport",
    "Scheme",
    "Unstructured",
    "find_library",
    "magnitude",
    "mine_natural",
    "parse_scheme",
    "project",
    "project_kernels",
    "random_library",
]
