# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Reads the attributes of the pattern dialect that have no Python class, from their text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pconv_mlir import ir

_FIELD = re.compile(r'(\w+) = (@?"(?:[^"\\]|\\.)*"|[^\s,>]+)')


@dataclass(frozen=True)
class Activation:
    """`#pattern.activation`: name of the function, and its parameter where it has one."""

    function: str
    alpha: float | None


@dataclass(frozen=True)
class Pool:
    """`#pattern.pool`: `max` or `average` over windows."""

    kind: str
    kernel: tuple[int, int]
    strides: tuple[int, int]


@dataclass(frozen=True)
class BatchNorm:
    """`#pattern.batch_norm`: four weight symbols and a number."""

    scale: str
    shift: str
    mean: str
    variance: str
    epsilon: float

    @property
    def symbols(self) -> tuple[str, str, str, str]:
        """The symbols, in the order of the arguments of `reference.batch_norm`."""
        return self.scale, self.shift, self.mean, self.variance


def read_activation(attribute: ir.Attribute) -> Activation:
    """`#pattern.activation<leaky_relu, alpha = 0.1 : f32>` -> `leaky_relu`, 0.1."""
    text = str(attribute)
    alpha = dict(_FIELD.findall(text)).get("alpha")
    return Activation(_first_word(text), float(alpha) if alpha else None)


def read_pool(attribute: ir.Attribute) -> Pool:
    """`#pattern.pool<max, kernel = [2, 3], strides = [2, 2]>` -> `max`, (2, 3), (2, 2)."""
    text = str(attribute)
    kernel, strides = ((int(a), int(b)) for a, b in re.findall(r"\[(\d+), (\d+)\]", text))
    return Pool(_first_word(text), kernel, strides)


def read_batch_norm(attribute: ir.Attribute) -> BatchNorm:
    """Needs a context, to read quoted symbols."""
    fields = dict(_FIELD.findall(str(attribute)))
    scale, shift, mean, variance = (
        ir.FlatSymbolRefAttr(ir.Attribute.parse(fields[key])).value
        for key in ("scale", "shift", "mean", "variance")
    )
    return BatchNorm(scale, shift, mean, variance, float(fields["epsilon"]))


def _first_word(text: str) -> str:
    return re.split(r"[<,>]", text)[1].strip()
