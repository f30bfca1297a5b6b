# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What an op of a model works on: values of the network, constants, and what was left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pconv_mlir import ir
from pconv_mlir.importer.emitter import Unsupported
from pconv_mlir.importer.graph import Constant


def imported_shape(value: Any) -> tuple[int, ...] | None:
    """Shape of a value of the torch dialect, where that is a float32 tensor of static shape."""
    found = re.fullmatch(r"!torch\.vtensor<\[([\d,]*)\],f32>", str(value.type))
    return tuple(int(n) for n in found[1].split(",") if n) if found else None


@dataclass
class Operands:
    """An op with its operands.

    Args:
        op: For example `Conv`.
        layer: Name of its layer.
        inputs: Values of the network, constants, None for what was left out, and for torch also
            numbers, texts and lists.
        used: For each result, whether anybody reads it.
    """

    op: str
    layer: str
    inputs: Sequence[Any]
    used: Sequence[bool]

    def at(self, index: int) -> Any:
        """An input, or None."""
        return self.inputs[index] if index < len(self.inputs) else None

    def value(self, index: int = 0) -> ir.Value:
        """An input that the network computes."""
        value = self.at(index)
        if not isinstance(value, ir.Value):
            raise Unsupported("a constant in the place of an activation: fold it before exporting")
        return value

    def constant(self, index: int, name: str) -> Constant:
        """An input that must be constant."""
        constant = self.optional_constant(index, name)
        if constant is None:
            raise Unsupported(f"no {name}")
        return constant

    def optional_constant(self, index: int, name: str) -> Constant | None:
        """An input that must be constant where it is given."""
        value = self.at(index)
        if value is None or isinstance(value, Constant):
            return value
        raise Unsupported(f"a {name} that the network computes: it must be a constant")

    def only_first_result(self, what: str) -> None:
        """Refuse an op of which more than the first result is used."""
        if any(self.used[1:]):
            raise Unsupported(f"{what} as a result")
