# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Entry points for the compiled programs inside the package."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def _exec(name: str) -> None:
    program = str(Path(__file__).with_name("bin") / name)
    os.execv(program, [program, *sys.argv[1:]])


def pconv_opt() -> None:
    """Runs `pconv-opt` with this process's arguments."""
    _exec("pconv-opt")


def pconv_lsp_server() -> None:
    """Runs `pconv-lsp-server` with this process's arguments."""
    _exec("pconv-lsp-server")
