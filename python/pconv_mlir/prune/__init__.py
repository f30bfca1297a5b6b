# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruning: schemes, pattern libraries, projections and pruners.

Imports without torch: the pruners, which need it, are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pconv_mlir.prune.adopt import adopt, snap
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
from pconv_mlir.prune.picture import draw_masks, mask_text
from pconv_mlir.prune.projections import project, project_kernels
from pconv_mlir.prune.report import LayerReport, PruneReport
from pconv_mlir.prune.saving import load, save
from pconv_mlir.prune.schemes import (
    NM,
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
from pconv_mlir.prune.sensitivity import Sensitivity, sensitivity
from pconv_mlir.prune.sources import read_masks, read_weights

if TYPE_CHECKING:
    from pconv_mlir.prune.training.admm import ADMMPruner as ADMMPruner
    from pconv_mlir.prune.training.batch_norm import (
        recalibrate_batch_norm as recalibrate_batch_norm,
    )
    from pconv_mlir.prune.training.fit import FitReport as FitReport
    from pconv_mlir.prune.training.fit import fit as fit
    from pconv_mlir.prune.training.gradual import GradualPruner as GradualPruner
    from pconv_mlir.prune.training.guided import GDNSPruner as GDNSPruner
    from pconv_mlir.prune.training.guided import GESLPruner as GESLPruner
    from pconv_mlir.prune.training.lasso import GroupLassoPruner as GroupLassoPruner
    from pconv_mlir.prune.training.loop import Epoch as Epoch
    from pconv_mlir.prune.training.pruner import Pruner as Pruner
    from pconv_mlir.prune.training.ranked import MagnitudePruner as MagnitudePruner

__all__ = [
    "NM",
    "PAPER_LIBRARIES",
    "PRESETS",
    "ADMMPruner",
    "Block",
    "BlockPunched",
    "Channel",
    "Dense",
    "Epoch",
    "Filter",
    "FitReport",
    "FoundLibrary",
    "GDNSPruner",
    "GESLPruner",
    "GradualPruner",
    "GroupLassoPruner",
    "KernelPattern",
    "LayerReport",
    "MagnitudePruner",
    "NotCompact",
    "PatternLibrary",
    "PruneConfig",
    "PruneReport",
    "Pruner",
    "Scheme",
    "Sensitivity",
    "Unstructured",
    "adopt",
    "draw_masks",
    "find_library",
    "fit",
    "load",
    "magnitude",
    "mask_text",
    "mine_natural",
    "parse_scheme",
    "project",
    "project_kernels",
    "random_library",
    "read_masks",
    "read_weights",
    "recalibrate_batch_norm",
    "save",
    "sensitivity",
    "snap",
]

#: Where the names come from that need torch.
_TRAINING = {
    "ADMMPruner": "admm",
    "Epoch": "loop",
    "FitReport": "fit",
    "GDNSPruner": "guided",
    "GESLPruner": "guided",
    "GradualPruner": "gradual",
    "GroupLassoPruner": "lasso",
    "MagnitudePruner": "ranked",
    "Pruner": "pruner",
    "fit": "fit",
    "recalibrate_batch_norm": "batch_norm",
}


if not TYPE_CHECKING:  # a checker would take it for a definition of every name

    def __getattr__(name: str) -> Any:
        if name not in _TRAINING:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.training.{_TRAINING[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
