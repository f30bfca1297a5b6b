# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Builds ONNX networks layer by layer, with seeded weights under the names that torch gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8  # the one that belongs to opset 17: other engines read it too


class NetworkBuilder:
    """An ONNX graph under construction.

    Every method adds one layer and returns the name of its result, which is also the name of the
    node. Weights of a layer `name` are called `name.weight`, `name.bias` and so on.

    Args:
        shape: Of the input, NCHW.
        seed: Of the random weights.
    """

    def __init__(self, shape: Sequence[int], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        # Filled in place, since every hand-over of a protobuf message is a copy of the weights.
        self._model = onnx.ModelProto(ir_version=IR_VERSION, producer_name="pconv-mlir")
        self._model.opset_import.append(helper.make_opsetid("", OPSET))
        self._graph = self._model.graph
        self._constants: set[str] = set()
        self._shapes: dict[str, tuple[int, ...]] = {"input": tuple(shape)}
        self.input = "input"

    def channels(self, x: str) -> int:
        """Size of axis 1."""
        return self._shapes[x][1]

    def conv(
        self,
        x: str,
        name: str,
        filters: int,
        kernel: int,
        *,
        stride: int = 1,
        groups: int = 1,
        bias: bool = False,
    ) -> str:
        """Convolution that keeps the size of the plane, up to the stride."""
        batch, channels, height, width = self._shapes[x]
        inputs = [x, self._weight(f"{name}.weight", (filters, channels // groups, kernel, kernel))]
        if bias:
            inputs.append(self._uniform(f"{name}.bias", (filters,), -0.05, 0.05))
        pad = kernel // 2
        size = [(n + 2 * pad - kernel) // stride + 1 for n in (height, width)]
        return self._node(
            "Conv",
            name,
            inputs,
            (batch, filters, *size),
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[pad] * 4,
            group=groups,
        )

    def batch_norm(self, x: str, name: str, *, epsilon: float = 1e-5) -> str:
        """Batch normalisation; its statistics are random, so that leaving it out shows."""
        channels = (self.channels(x),)
        inputs = [
            x,
            self._uniform(f"{name}.weight", channels, 0.8, 1.2),
            self._uniform(f"{name}.bias", channels, -0.2, 0.2),
            self._uniform(f"{name}.running_mean", channels, -0.2, 0.2),
            self._uniform(f"{name}.running_var", channels, 0.8, 1.2),
        ]
        return self._node("BatchNormalization", name, inputs, self._shapes[x], epsilon=epsilon)

    def relu(self, x: str, name: str) -> str:
        return self._node("Relu", name, [x], self._shapes[x])

    def relu6(self, x: str, name: str) -> str:
        limits = [self._constant(f"relu6.{limit}", np.float32(limit)) for limit in (0, 6)]
        return self._node("Clip", name, [x, *limits], self._shapes[x])

    def sigmoid(self, x: str, name: str) -> str:
        return self._node("Sigmoid", name, [x], self._shapes[x])

    def silu(self, x: str, name: str) -> str:
        """`x sigmoid(x)`, for which this opset has no op."""
        return self.mul(x, self.sigmoid(x, f"{name}.sigmoid"), name)

    def hardswish(self, x: str, name: str) -> str:
        return self._node("HardSwish", name, [x], self._shapes[x])

    def hardsigmoid(self, x: str, name: str) -> str:
        return self._node("HardSigmoid", name, [x], self._shapes[x], alpha=1 / 6, beta=0.5)

    def add(self, x: str, y: str, name: str) -> str:
        return self._node("Add", name, [x, y], self._shapes[x])

    def mul(self, x: str, y: str, name: str) -> str:
        return self._node("Mul", name, [x, y], self._shapes[x])

    def max_pool(self, x: str, name: str, kernel: int, stride: int, pad: int = 0) -> str:
        batch, channels, height, width = self._shapes[x]
        size = [(n + 2 * pad - kernel) // stride + 1 for n in (height, width)]
        return self._node(
            "MaxPool",
            name,
            [x],
            (batch, channels, *size),
            kernel_shape=[kernel] * 2,
            strides=[stride] * 2,
            pads=[pad] * 4,
        )

    def global_avg_pool(self, x: str, name: str) -> str:
        return self._node("GlobalAveragePool", name, [x], (*self._shapes[x][:2], 1, 1))

    def flatten(self, x: str, name: str = "flatten") -> str:
        batch, *rest = self._shapes[x]
        return self._node("Flatten", name, [x], (batch, math.prod(rest)), axis=1)

    def linear(self, x: str, name: str, features: int) -> str:
        batch, inputs = self._shapes[x]
        operands = [
            x,
            self._weight(f"{name}.weight", (features, inputs)),
            self._uniform(f"{name}.bias", (features,), -0.05, 0.05),
        ]
        return self._node("Gemm", name, operands, (batch, features), transB=1)

    def subsample_and_widen(self, x: str, name: str, channels: int) -> str:
        """Every second row and column, with zero channels on both sides to make `channels`."""
        batch, old, height, width = self._shapes[x]
        end = np.iinfo(np.int64).max
        bounds = {"starts": [0, 0], "ends": [end, end], "axes": [2, 3], "steps": [2, 2]}
        operands = [
            self._constant(f"{name}.{key}", np.array(values, np.int64))
            for key, values in bounds.items()
        ]
        shape = (batch, old, (height + 1) // 2, (width + 1) // 2)
        half = self._node("Slice", f"{name}.slice", [x, *operands], shape)
        side = (channels - old) // 2
        pads = np.array([0, side, 0, 0, 0, channels - old - side, 0, 0], np.int64)
        operands = [half, self._constant(f"{name}.pads", pads)]
        return self._node("Pad", name, operands, (batch, channels, *shape[2:]))

    def model(self, output: str, name: str) -> onnx.ModelProto:
        """The finished network, with one input `input` and one output `output`."""
        next(node for node in self._graph.node if node.output[0] == output).output[0] = "output"
        self._graph.name = name
        self._graph.input.append(self._value("input", self._shapes["input"]))
        self._graph.output.append(self._value("output", self._shapes[output]))
        return self._model

    def _weight(self, name: str, shape: tuple[int, ...]) -> str:
        """Normal weights of variance 2 / fan-in (He et al. 2015, section 2.2)."""
        values = self._rng.standard_normal(shape, np.float32)
        values *= np.float32(math.sqrt(2 / math.prod(shape[1:])))
        return self._constant(name, values)

    def _uniform(self, name: str, shape: tuple[int, ...], low: float, high: float) -> str:
        return self._constant(name, self._rng.uniform(low, high, shape).astype(np.float32))

    def _constant(self, name: str, values: NDArray[Any] | np.generic) -> str:
        if name not in self._constants:
            self._constants.add(name)
            self._graph.initializer.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def _node(
        self, op: str, name: str, inputs: list[str], shape: tuple[int, ...], **attributes: Any
    ) -> str:
        self._graph.node.append(helper.make_node(op, inputs, [name], name, **attributes))
        self._shapes[name] = shape
        return name

    @staticmethod
    def _value(name: str, shape: tuple[int, ...]) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
