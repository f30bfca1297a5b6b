# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What all pictures share: an empty figure, and its file. Needs matplotlib."""

from __future__ import annotations

import os
from typing import Any

from pconv_mlir import container
from pconv_mlir.errors import DependencyError


def check_available() -> None:
    """
    Raises:
        DependencyError: matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise DependencyError("pictures need matplotlib: pip install 'pconv-mlir[plot]'") from error


def new(width: float, height: float) -> Any:
    """An empty figure of so many inches.

    Raises:
        DependencyError: matplotlib is not installed.
    """
    check_available()
    # Not pyplot: it would choose a window system, and keep state.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Any, path: str | os.PathLike[str], dpi: int = 120) -> None:
    """Writes a PNG, whole or not at all.

    Raises:
        ArtefactError: The file cannot be written.
    """
    with container.write_atomically(path) as file:
        figure.savefig(file, format="png", dpi=dpi)
