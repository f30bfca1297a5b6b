# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Networks written in the pattern dialect, and the check that their code computes the right thing.

Written as IR rather than imported from a model, so that every form of a layer can be had (paddings
that differ on four sides, kernels that are not square) and nothing but MLIR is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import native
import numpy as np
from numpy.typing import NDArray

import pconv_mlir as pconv
from pconv_mlir import reference, targets
from pconv_mlir.module import Module, TensorSpec
from pconv_mlir.targets import Target, features

Floats = NDArray[np.float32]
TOLERANCE = 1e-5  # of the largest value


@dataclass(frozen=True)
class Value:
    """The result of a layer, or an input."""

    name: str
    shape: tuple[int, ...]

    @property
    def type(self) -> str:
        return f"tensor<{'x'.join(map(str, self.shape))}xf32>"


def ints(*numbers: int) -> str:
    return f"array<i64: {', '.join(map(str, numbers))}>"


class Net:
    """A network under construction, at the stage `imported`. Weights and inputs are seeded."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self._inputs: list[Value] = []
        self._weights: dict[str, Floats] = {}
        self._lines: list[str] = []

    def normal(self, *shape: int) -> Floats:
        return self.rng.standard_normal(shape, np.float32)

    def input(self, *shape: int) -> Value:
        self._inputs.append(Value(f"in{len(self._inputs)}", shape))
        return self._inputs[-1]

    def weight(self, values: Floats) -> str:
        """Adds a weight; returns its symbol."""
        name = f"w{len(self._weights)}"
        self._weights[name] = np.ascontiguousarray(values, np.float32)
        return f"@{name}"

    def layer(
        self,
        op: str,
        operands: Sequence[Value],
        shape: Sequence[int],
        symbols: str = "",
        **attributes: str,
    ) -> Value:
        """Adds `pattern.<op>`, with its attributes as text."""
        result = Value(f"v{len(self._lines)}", tuple(shape))
        names = ", ".join(f"%{x.name}" for x in operands)
        types = ", ".join(x.type for x in operands)
        listed = {"layer": f'"{op}.{result.name}"', **attributes}
        text = ", ".join(f"{key} = {value}" if value else key for key, value in listed.items())
        self._lines.append(
            f"%{result.name} = pattern.{op} {names} {symbols} {{{text}}} : {types} -> {result.type}"
        )
        return result

    def conv(
        self,
        x: Value,
        weight: Floats,
        *,
        bias: bool = False,
        strides: Sequence[int] = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0),
        dilations: Sequence[int] = (1, 1),
        groups: int = 1,
    ) -> Value:
        size = [
            reference.window_size(n, k, s, padding[i] + padding[i + 2], d)
            for i, (n, k, s, d) in enumerate(
                zip(x.shape[2:], weight.shape[2:], strides, dilations, strict=True)
            )
        ]
        return self.layer(
            "conv2d",
            [x],
            (x.shape[0], weight.shape[0], *size),
            self._symbols(weight, bias),
            strides=ints(*strides),
            padding=ints(*padding),
            dilations=ints(*dilations),
            groups=f"{groups} : i64",
        )

    def linear(self, x: Value, weight: Floats, *, bias: bool = False) -> Value:
        shape = (x.shape[0], weight.shape[0])
        return self.layer("linear", [x], shape, self._symbols(weight, bias))

    def activate(self, x: Value, function: str) -> Value:
        return self.layer(
            "activate", [x], x.shape, activation=f"#pattern.activation<{activation(function)}>"
        )

    def _symbols(self, weight: Floats, bias: bool) -> str:
        text = f"weights({self.weight(weight)})"
        return f"{text} bias({self.weight(self.normal(len(weight)))})" if bias else text

    def module(self, *outputs: Value) -> Module:
        """The finished network, with the sparsity that its weights show."""
        weights = [
            f"pattern.weights @{name} : {Value('', values.shape).type}, #pattern.dense"
            for name, values in self._weights.items()
        ]
        arguments = [f'%{x.name}: {x.type} {{pattern.name = "{x.name}"}}' for x in self._inputs]
        results = [f'{y.type} {{pattern.name = "{y.name}"}}' for y in outputs]
        returned = ", ".join(f"%{y.name}" for y in outputs)
        text = "\n".join(
            [
                'module attributes {pattern.stage = "imported"} {',
                *weights,
                f"func.func @main({', '.join(arguments)}) -> ({', '.join(results)}) {{",
                *self._lines,
                f"return {returned} : {', '.join(y.type for y in outputs)}",
                "}}",
            ]
        )
        inputs, returns = (
            [TensorSpec(x.name, x.shape) for x in list_] for list_ in (self._inputs, outputs)
        )
        return pconv.import_model(Module(text, self._weights, inputs, returns))


def activation(function: str) -> str:
    return "leaky_relu, alpha = 0.125 : f32" if function == "leaky_relu" else function


def inputs_of(module: Module) -> list[Floats]:
    """Random inputs, other ones for every shape."""
    return [
        np.random.default_rng([number, *spec.shape]).standard_normal(spec.shape, np.float32)
        for number, spec in enumerate(module.inputs)
    ]


# --- Targets ------------------------------------------------------------------


def _like(name: str, **vectors: int | bool) -> Target:
    """The named target where this machine runs its code, else this machine with its vectors."""
    isa, available = features.of_this_machine()
    target = targets.parse(name)
    if target.instruction_set == isa and target.required() <= available:
        return target
    return targets.parse("host").override(name=f"like {name}", **vectors)


def all_targets() -> dict[str, Target]:
    """Every width of vectors and number of registers that decides about a lowering."""
    return {
        "host": targets.parse("host"),
        "sse": _like("x86-64", lanes=4, registers=16, fma=False),
        "avx2": _like("x86-64-v3", lanes=8, registers=16, fma=True),
        "avx512": _like("x86-64-v4", lanes=16, registers=32, fma=True),
        "neon": _like("aarch64-linux-gnu", lanes=4, registers=32, fma=True),
    }


# --- The check ----------------------------------------------------------------


def assert_close(found: Sequence[Floats], wanted: Sequence[NDArray[np.float64]]) -> None:
    for y, right in zip(found, wanted, strict=True):
        np.testing.assert_allclose(y, right, rtol=0, atol=TOLERANCE * max(abs(right).max(), 1e-3))


def check(module: Module, target: Target, workshop: Path | None = None) -> None:
    """Compiles a network, and fails unless its results are right and always the same.

    Args:
        module: At any stage; its inputs are chosen here.
        target: One that this machine runs code for.
        workshop: A folder to run the code in as a program of its own, with guarded memory and the
            items of each step from the last to the first.
    """
    inputs = inputs_of(module)
    network = pconv.compile(module, target=target, num_threads=1)
    one = as_list(network(*inputs))
    assert_close(one, reference.run(module, *inputs))
    network.num_threads = 2
    results = [as_list(network(*inputs))]
    if workshop is not None:
        results.append(native.HOST.run(network.artefact, inputs, workshop))
    for result in results:
        for found, wanted in zip(result, one, strict=True):
            np.testing.assert_array_equal(found, wanted)


def as_list(results: Floats | tuple[Floats, ...]) -> list[Floats]:
    return list(results) if isinstance(results, tuple) else [results]
