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
    from . import targets as targets
    from .errors import PConvError as PConvError
    from .runtime import Network as Network
    from .runtime import load as load
    from .targets import Target as Target

#: Public name -> the module that defines it; an empty string for a module of that name.
_PUBLIC = {
    "errors": "",
    "targets": "",
    "PConvError": "errors",
    "Network": "runtime",
    "load": "runtime",
    "Target": "targets",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = _PUBLIC[name]
    value = (
        getattr(import_module(f".{home}", __name__), name)
        if home
        else import_module(f".{name}", __name__)
    )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
