# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes pruned convolutional networks fast: an MLIR compiler driven from Python.

The public names are imported when they are first used, so that neither torch nor MLIR is loaded by
who only runs compiled networks.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors as errors
    from . import models as models
    from . import passes as passes
    from . import performance as performance
    from . import prune as prune
    from . import reference as reference
    from . import targets as targets
    from .compiler import compile as compile
    from .compiler import lower as lower
    from .errors import PConvError as PConvError
    from .importer import import_model as import_model
    from .module import Module as Module
    from .module import TensorSpec as TensorSpec
    from .options import CompileOptions as CompileOptions
    from .prune import NM as NM
    from .prune import Block as Block
    from .prune import BlockPunched as BlockPunched
    from .prune import Channel as Channel
    from .prune import Dense as Dense
    from .prune import Filter as Filter
    from .prune import KernelPattern as KernelPattern
    from .prune import PatternLibrary as PatternLibrary
    from .prune import Unstructured as Unstructured
    from .prune import parse_scheme as parse_scheme
    from .runtime import Network as Network
    from .runtime import load as load
    from .targets import Target as Target

__all__ = [
    "NM",
    "Block",
    "BlockPunched",
    "Channel",
    "CompileOptions",
    "Dense",
    "Filter",
    "KernelPattern",
    "Module",
    "Network",
    "PConvError",
    "PatternLibrary",
    "Target",
    "TensorSpec",
    "Unstructured",
    "compile",
    "errors",
    "import_model",
    "load",
    "lower",
    "models",
    "parse_scheme",
    "passes",
    "performance",
    "prune",
    "reference",
    "targets",
]

#: Where the names come from that are not modules.
_HOME = {
    "compile": "compiler",
    "lower": "compiler",
    "PConvError": "errors",
    "import_model": "importer",
    "Module": "module",
    "TensorSpec": "module",
    "CompileOptions": "options",
    "Network": "runtime",
    "load": "runtime",
    "Target": "targets",
    **dict.fromkeys(
        (
            "NM",
            "Block",
            "BlockPunched",
            "Channel",
            "Dense",
            "Filter",
            "KernelPattern",
            "PatternLibrary",
            "Unstructured",
            "parse_scheme",
        ),
        "prune",
    ),
}


if not TYPE_CHECKING:  # a checker would take it for a definition of every name

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            return import_module(".version", __name__).version()
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name not in _HOME:
            return import_module(f".{name}", __name__)
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
