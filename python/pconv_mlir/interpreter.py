# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Walks the IR of a network and computes each op by its meaning in `reference`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import ir
from pconv_mlir.attributes import read_activation, read_batch_norm, read_pool
from pconv_mlir.errors import ModelError, ShapeError
from pconv_mlir.module import Module
from pconv_mlir.parsing import main_function, parse
from pconv_mlir.reference import (
    Array,
    Pair,
    activate,
    adaptive_avg_pool2d,
    avg_pool2d,
    batch_norm,
    conv2d,
    linear,
    max_pool2d,
    resize,
    softmax,
)


def interpret(module: Module, inputs: list[Array]) -> list[Array]:
    """One array per output; see `reference.run`."""
    expected = [spec.shape for spec in module.inputs]
    got = [array.shape for array in inputs]
    if got != expected:
        raise ShapeError(f"expected inputs of shape {expected}, got {got}")
    with ir.Context():
        parsed = parse(module.ir)  # its ops die with it
        return _Interpreter(parsed, module.weights).run(inputs)


class _Interpreter:
    """Walks `@main` of a parsed module."""

    def __init__(self, parsed: ir.Module, values: dict[str, NDArray[np.float32]]) -> None:
        self.values = values
        self.symbols = {
            op.attributes["sym_name"].value: op
            for op in parsed.body.operations
            if op.operation.name == "pattern.weights"
        }
        self.main = main_function(parsed)

    def run(self, inputs: list[Array]) -> list[Array]:
        block = self.main.regions[0].blocks[0]
        live: dict[Any, Array] = dict(zip(block.arguments, inputs, strict=True))
        last = {operand: op for op in block.operations for operand in op.operation.operands}
        for op in block.operations:
            operands = [live[value] for value in op.operation.operands]
            if op.operation.name == "func.return":
                return operands
            for value in op.operation.operands:
                if last[value] == op:
                    live.pop(value, None)
            live[op.operation.result] = self.compute(op, operands)
        raise ModelError("the network does not return")

    def compute(self, op: Any, x: list[Array]) -> Array:
        attributes = op.operation.attributes
        shape = tuple(op.operation.result.type.shape)

        def numbers(name: str) -> list[int]:
            return list(attributes[name])

        match op.operation.name:
            case "pattern.conv2d":
                y = conv2d(
                    x[0],
                    self.weights(attributes["weights"].value),
                    self.bias(attributes),
                    residual=x[1] if len(x) > 1 else None,
                    strides=numbers("strides"),
                    padding=numbers("padding"),
                    dilations=numbers("dilations"),
                    groups=attributes["groups"].value,
                )
                return _pool(_activation(y, attributes), attributes, shape)
            case "pattern.linear":
                w = self.weights(attributes["weights"].value)
                return _activation(linear(x[0], w, self.bias(attributes)), attributes)
            case "pattern.batch_norm":
                return batch_norm(x[0], *self.statistics(attributes["parameters"]))
            case "pattern.max_pool2d":
                return max_pool2d(
                    x[0],
                    numbers("kernel"),
                    strides=numbers("strides"),
                    padding=numbers("padding"),
                    dilations=numbers("dilations"),
                    size=shape[2:],
                )
            case "pattern.avg_pool2d":
                return avg_pool2d(
                    x[0],
                    numbers("kernel"),
                    strides=numbers("strides"),
                    padding=numbers("padding"),
                    count_padding="count_padding" in attributes,
                    size=shape[2:],
                )
            case "pattern.adaptive_avg_pool2d":
                return adaptive_avg_pool2d(x[0], shape[2:])
            case "pattern.activate":
                return _activation(x[0], attributes)
            case "pattern.add":
                return _activation(x[0] + x[1], attributes)
            case "pattern.mul":
                return _activation(x[0] * x[1], attributes)
            case "pattern.concat":
                return np.concatenate(x, axis=attributes["axis"].value)
            case "pattern.reshape":
                return x[0].reshape(shape)
            case "pattern.softmax":
                return softmax(x[0], attributes["axis"].value)
            case "pattern.resize":
                mode = "nearest" if "nearest" in str(attributes["mode"]) else "bilinear"
                return resize(x[0], shape[2:], mode, align_corners="align_corners" in attributes)
            case "pattern.relayout":
                return x[0]
        raise ModelError(f"the reference does not know the op {op.operation.name}")

    def bias(self, attributes: Any) -> NDArray[Any] | None:
        return self.weights(attributes["bias"].value) if "bias" in attributes else None

    def weights(self, name: str) -> NDArray[Any]:
        """Values of a weight symbol, with a batch normalisation folded in where it says so."""
        op = self.symbols[name]
        source = op.attributes["source"].value if "source" in op.attributes else None
        if "batch_norm" not in op.attributes:
            return self.values[name]
        scale, shift, mean, variance, epsilon = self.statistics(op.attributes["batch_norm"])
        factor = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
        shape = tuple(op.operation.attributes["type"].value.shape)
        if len(shape) == 1:
            old = self.weights(source) if source else np.zeros(shape)
            return np.asarray((old - mean) * factor + shift)
        if source is None:
            raise ModelError("a folded weight needs its source", layer=name)
        return np.asarray(self.weights(source) * factor.reshape(-1, *[1] * (len(shape) - 1)))

    def statistics(self, attribute: ir.Attribute) -> tuple[Any, Any, Any, Any, float]:
        """The arrays of a `#pattern.batch_norm`: scale, shift, mean, variance; epsilon."""
        parameters = read_batch_norm(attribute)
        scale, shift, mean, variance = (self.weights(name) for name in parameters.symbols)
        return scale, shift, mean, variance, parameters.epsilon


def _activation(x: Array, attributes: Any) -> Array:
    """Apply the attribute `activation`, if there is one."""
    if "activation" not in attributes:
        return x
    activation = read_activation(attributes["activation"])
    return activate(x, activation.function, activation.alpha)


def _pool(x: Array, attributes: Any, shape: Pair) -> Array:
    """Apply the attribute `pool` of a convolution, if there is one."""
    if "pool" not in attributes:
        return x
    pool = read_pool(attributes["pool"])
    compute = max_pool2d if pool.kind == "max" else avg_pool2d
    return compute(x, pool.kernel, strides=pool.strides, size=shape[2:])
