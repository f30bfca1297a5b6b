# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small layers that stand for larger ones: what calibration compiles and times."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from pconv_mlir.errors import SchemeError
from pconv_mlir.importer.sparsity import refresh
from pconv_mlir.manifest import Layer
from pconv_mlir.module import Module, TensorSpec
from pconv_mlir.prune import Dense, KernelPattern, Scheme, magnitude

MOST_OPERATIONS = 2.5e8  # of a probe: few milliseconds, which nothing else is likely to interrupt
MOST_WEIGHTS = 1 << 18  # of a matrix: a megabyte, so that memory is not what is timed
FEWEST_CHANNELS = 16
ROWS = 28  # of a large plane


@dataclass(frozen=True)
class Shape:
    """What decides how well a kernel does: layers of one shape share their constants.

    Args:
        channels, filters: Of the input and the output.
        kernel: Height and width; 0x0 for a linear layer.
        plane: Height and width of the input; for a linear layer rows and 1.
        stride: Of a convolution, the same both ways.
        groups: Of a convolution.
    """

    channels: int
    filters: int
    kernel: tuple[int, int] = (0, 0)
    plane: tuple[int, int] = (1, 1)
    stride: int = 1
    groups: int = 1

    @staticmethod
    def of(layer: Layer) -> Shape:
        """That of a layer with weights; its sizes tell its stride, which is not kept."""
        filters, channels, *kernel = layer.weights
        if not kernel:
            return Shape(channels, filters, plane=(math.prod(layer.input[:-1]), 1))
        batch, inputs, height, width = layer.input
        positions = layer.macs / (batch * math.prod(layer.weights))
        stride = max(1, round(math.sqrt(height * width / positions)))
        groups = inputs // channels
        return Shape(inputs, filters, (kernel[0], kernel[1]), (height, width), stride, groups)

    @property
    def operations(self) -> float:
        """Of the dense layer, two for each multiplication."""
        height, width = self.output
        cells = max(1, math.prod(self.kernel))
        return 2.0 * height * width * cells * self.channels * self.filters / self.groups

    @property
    def output(self) -> tuple[int, int]:
        """Height and width of the output, padded to cover the whole input."""
        height, width = (-(-size // self.stride) for size in self.plane)
        return height, width

    def __str__(self) -> str:
        parts = [f"{self.channels}-{self.filters}", "x".join(map(str, self.plane))]
        if self.kernel != (0, 0):
            parts += ["x".join(map(str, self.kernel)), f"s{self.stride}"]
        return " ".join(parts + [f"g{self.groups}"] * (self.groups > 1))

    def probe(self) -> Shape:
        """The small layer that stands for this one: as wide, but lower and with fewer channels.

        The width decides how full the vectors are, and the channels how long the loops.

        >>> str(Shape(512, 512, (3, 3), (28, 28)).probe())
        '128-128 28x28 3x3 s1'
        """
        small = self
        if self.groups == 1:
            small = replace(self, channels=_rounded(self.channels), filters=_rounded(self.filters))
        if small._is_large() and small.plane[0] > ROWS:
            small = replace(small, plane=(ROWS, small.plane[1]))
        channels, filters = small.channels, small.filters
        while small._is_large() and self.groups == 1 and max(channels, filters) > FEWEST_CHANNELS:
            if channels > filters:
                small = replace(small, channels=channels // 2)
            else:
                small = replace(small, filters=filters // 2)
            channels, filters = small.channels, small.filters
        return small

    def _is_large(self) -> bool:
        if self.kernel == (0, 0):
            return self.channels * self.filters > MOST_WEIGHTS
        return self.operations > MOST_OPERATIONS


def network(shape: Shape, scheme: Scheme) -> Module:
    """A network of one layer of this shape, pruned to a scheme; its weights are random.

    Raises:
        SchemeError: The scheme does not fit the shape.
    """
    linear = shape.kernel == (0, 0)
    size = (shape.filters, shape.channels // shape.groups, *(() if linear else shape.kernel))
    weight = np.random.default_rng(0).standard_normal(size, np.float32)
    if linear:
        inputs: tuple[int, ...] = (shape.plane[0], shape.channels)
        outputs: tuple[int, ...] = (shape.plane[0], shape.filters)
    else:
        inputs = (1, shape.channels, *shape.plane)
        outputs = (1, shape.filters, *shape.output)
    text = f"""
module attributes {{pattern.stage = "imported"}} {{
  pattern.weights @weight : {_tensor(size)}, #pattern.dense
  func.func @main(%x: {_tensor(inputs)} {{pattern.name = "x"}})
      -> ({_tensor(outputs)} {{pattern.name = "y"}}) {{
    %y = pattern.{"linear" if linear else "conv2d"} %x weights(@weight) {_attributes(shape)}
        : {_tensor(inputs)} -> {_tensor(outputs)}
    return %y : {_tensor(outputs)}
  }}
}}
"""
    specs = [TensorSpec("x", inputs)], [TensorSpec("y", outputs)]
    module = Module(text, {"weight": weight}, *specs)
    if isinstance(scheme, Dense):
        return module
    magnitude(module.weights, scheme, leave_alone=())
    return refresh(module)


def pruned(shape: Shape, scheme: Scheme) -> Module:
    """The probe of a shape; the shape itself where the probe is too small for the scheme's rate."""
    try:
        return network(shape.probe(), scheme)
    except SchemeError:
        return network(shape, scheme)


def sparser(scheme: Scheme, factor: float) -> Scheme:
    """The scheme with a rate so many times higher.

    Raises:
        SchemeError: It has no rate.

    >>> str(sparser(KernelPattern(8, 2), 4))
    'pattern:8+connectivity:8'
    """
    field = "connectivity" if isinstance(scheme, KernelPattern) else "rate"
    if not hasattr(scheme, field):
        raise SchemeError(f"{scheme} has no rate")
    return replace(scheme, **{field: getattr(scheme, field) * factor})


def _attributes(shape: Shape) -> str:
    if shape.kernel == (0, 0):
        return '{layer = "probe"}'
    padding = [
        max(0, (out - 1) * shape.stride + kernel - size)
        for out, kernel, size in zip(shape.output, shape.kernel, shape.plane, strict=True)
    ]
    before = [size // 2 for size in padding]
    after = [size - half for size, half in zip(padding, before, strict=True)]
    sides = ", ".join(map(str, [*before, *after]))
    return (
        f'{{layer = "probe", strides = array<i64: {shape.stride}, {shape.stride}>, '
        f"padding = array<i64: {sides}>, groups = {shape.groups} : i64}}"
    )


def _tensor(shape: tuple[int, ...]) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def _rounded(channels: int) -> int:
    """The nearest power of two; few channels stay what they are."""
    return channels if channels < FEWEST_CHANNELS else 1 << round(math.log2(channels))
