# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tells the user what is wrong with a model: all that cannot be compiled in one message."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pconv_mlir.errors import ModelError, PConvError, UnsupportedOpError

_ADVICE = "replace it by supported layers, or leave it out and compute it outside of the network"


class UnsupportedOps:
    """Unsupported ops of a model: what is wrong -> the layers that have it."""

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, op: str, layer: str, reason: str = "") -> None:
        """Remember an op; without a reason, none of its forms is supported."""
        text = f"{op}: {reason}" if reason else f"{op}: {_ADVICE}"
        layers = self._found.setdefault(text, [])
        if layer not in layers:
            layers.append(layer)

    def raise_if_any(self) -> None:
        """Raise one error for all.

        Raises:
            UnsupportedOpError: There is an op that cannot be compiled.
        """
        if not self._found:
            return
        layers = [layer for found in self._found.values() for layer in found]
        if len(layers) == 1:
            raise UnsupportedOpError(f"unsupported op {next(iter(self._found))}", layer=layers[0])
        texts = [f"{text} (layers {', '.join(found)})" for text, found in self._found.items()]
        raise UnsupportedOpError("unsupported ops: " + "; ".join(texts))


@contextlib.contextmanager
def malformed(what: str) -> Iterator[None]:
    """Turns any error of the libraries that read a model into one of ours.

    Files come from anywhere, and what a library says to a bad one is not documented.
    """
    try:
        yield
    except (PConvError, MemoryError):
        raise
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"{what} is malformed: {lines[0]}") from error
