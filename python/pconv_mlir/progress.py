# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Progress of long work, for people at a terminal."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Progress:
    """One line on a terminal that says what is going on; nothing where nobody watches."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._task: Any = None

    def __call__(self, what: str, done: int = 0, total: int = 1) -> None:
        if self._bar is not None:
            known = total if total > 1 else None
            self._bar.update(self._task, description=what, completed=done, total=known)

    def start(self) -> None:
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import Progress as Bar

        self._bar = Bar(console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=None)
        self._bar.start()

    def stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()


class _LogToProgress(logging.Handler):
    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.INFO)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        self._progress(record.getMessage())


@contextmanager
def progress() -> Iterator[Progress]:
    """Shows progress while something long runs; the compiler's log messages count as progress."""
    line = Progress()
    handler, logger = _LogToProgress(line), logging.getLogger("pconv_mlir")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    line.start()
    try:
        yield line
    finally:
        line.stop()
        logger.setLevel(level)
        logger.removeHandler(handler)
