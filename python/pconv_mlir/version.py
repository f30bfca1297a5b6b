# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The version of this package."""

from __future__ import annotations

from importlib import metadata


def version() -> str:
    """As installed; `source` when it runs from a build folder."""
    try:
        return metadata.version("pconv-mlir")
    except metadata.PackageNotFoundError:
        return "source"
