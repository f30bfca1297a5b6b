# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a network in the pattern dialect, layer by layer; both importers end here.

Shapes are computed here, from the formulas of the dialect. A layer that nobody uses in the end is
left out, so a method may replace an earlier layer by a better one: `x sigmoid(x)` by `silu`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import ir
from pconv_mlir.dialects import pattern
from pconv_mlir.errors import ModelError, WeightsError
from pconv_mlir.importer.graph import Constant, Graph, Shape, shape_of
from pconv_mlir.module import TensorSpec
from pconv_mlir.reference import window_size

Array = NDArray[Any]
Pair = Sequence[int]

_GATED = {"sigmoid": "silu", "hardsigmoid": "hardswish"}  # f(x) -> x f(x)


class Unsupported(Exception):
    """An op, or a form of it, that the dialect cannot say. The text says what, and what to do."""


class Emitter(Graph):
    """A network under construction.

    Args:
        inputs: What the network takes.
    """

    def __init__(self, inputs: Sequence[TensorSpec]) -> None:
        super().__init__(inputs)
        self._activated: dict[ir.Value, tuple[str, ir.Value]] = {}
        self._with_bias: dict[ir.Value, Callable[[Constant], ir.Value]] = {}
        self._bordered: dict[ir.Value, tuple[ir.Value, list[int]]] = {}

    # --- Layers with weights ---------------------------------------------------------------------

    def conv2d(
        self,
        x: ir.Value,
        weight: Constant,
        bias: Constant | None = None,
        *,
        strides: Pair = (1, 1),
        padding: Sequence[int] = (0, 0, 0, 0),
        dilations: Pair = (1, 1),
        groups: int = 1,
        layer: str,
    ) -> ir.Value:
        """Convolution; padding is top, left, bottom, right."""
        shape = _plane(x, "a convolution")
        if weight.values.ndim != 4:
            raise ModelError(f"weights of shape {weight.values.shape} are no filters", layer=layer)
        if x in self._bordered:
            x, border = self._bordered[x]
            shape = shape_of(x)
            padding = [a + b for a, b in zip(padding, border, strict=True)]
        _check_filters(weight, layer)
        filters, depth, *kernel = weight.values.shape
        if groups < 1 or shape[1] != depth * groups or filters % groups:
            raise ModelError(
                f"{shape[1]} channels and {groups} groups do not fit weights of shape "
                f"{weight.values.shape}",
                layer=layer,
            )
        size = _windows(shape, kernel, strides, padding, dilations, layer)
        options: dict[str, Any] = {
            "strides": list(strides),
            "padding": list(padding),
            "dilations": list(dilations),
            "groups": groups,
            "layer": layer,
        }
        return self._weighted(
            pattern.Conv2DOp, (shape[0], filters, *size), x, weight, bias, options
        )

    def linear(
        self, x: ir.Value, weight: Constant, bias: Constant | None = None, *, layer: str
    ) -> ir.Value:
        """Fully connected layer; weight is [O, I]."""
        shape = shape_of(x)
        if len(shape) != 2:
            raise Unsupported(f"a linear layer on rank {len(shape)}: flatten its input to rank 2")
        if weight.values.ndim != 2 or weight.values.shape[1] != shape[1]:
            raise ModelError(
                f"an input of shape {shape} does not fit weights of shape {weight.values.shape}",
                layer=layer,
            )
        _check_filters(weight, layer)
        shape = (shape[0], weight.values.shape[0])
        return self._weighted(pattern.LinearOp, shape, x, weight, bias, {"layer": layer})

    def _weighted(
        self,
        op: Any,
        shape: Shape,
        x: ir.Value,
        weight: Constant,
        bias: Constant | None,
        options: dict[str, Any],
    ) -> ir.Value:
        """A layer to which `add_constant` can add a bias later."""
        layer = options["layer"]
        if bias is not None and bias.values.size != shape[1]:
            raise ModelError(
                f"expected {shape[1]} biases, got shape {bias.values.shape}", layer=layer
            )
        symbols = {"weights": self.symbol(weight)}
        if bias is not None:
            symbols["bias"] = self.symbol(Constant(bias.name, bias.values.reshape(-1)))
        result = self.emit(op, shape, x, **symbols, **options)
        if bias is None:
            self._with_bias[result] = lambda bias: self._weighted(
                op, shape, x, weight, bias, options
            )
        return result

    def batch_norm(
        self,
        x: ir.Value,
        scale: Constant,
        shift: Constant,
        mean: Constant,
        variance: Constant,
        epsilon: float,
        *,
        layer: str,
    ) -> ir.Value:
        """Batch normalisation with fixed statistics."""
        shape = shape_of(x)
        if len(shape) not in (2, 4):
            raise Unsupported(f"batch normalisation of rank {len(shape)}: only 2 and 4 work")
        fields = {"scale": scale, "shift": shift, "mean": mean, "variance": variance}
        for name, constant in fields.items():
            if constant.values.shape != (shape[1],):
                raise ModelError(
                    f"expected a {name} per channel ({shape[1]}), got shape "
                    f"{constant.values.shape}",
                    layer=layer,
                )
        with self.context, ir.Location.unknown():
            symbols = {
                name: ir.FlatSymbolRefAttr.get(self.symbol(constant))
                for name, constant in fields.items()
            }
            text = ", ".join(f"{name} = {symbol}" for name, symbol in symbols.items())
            number = ir.FloatAttr.get_f64(epsilon)
            parameters = ir.Attribute.parse(f"#pattern.batch_norm<{text}, epsilon = {number}>")
        return self.emit(pattern.BatchNormOp, shape, x, parameters=parameters, layer=layer)

    def affine(self, x: ir.Value, scale: Array, shift: Array, *, layer: str) -> ir.Value:
        """`x scale + shift` per channel: a batch normalisation of mean 0 and variance 1."""
        channels = (shape_of(x)[1],)

        def constant(name: str, values: Array | float) -> Constant:
            array = np.ascontiguousarray(np.broadcast_to(values, channels), np.float32)
            return Constant(f"{layer}.{name}", array)

        return self.batch_norm(
            x,
            constant("scale", scale),
            constant("shift", shift),
            constant("mean", 0.0),
            constant("variance", 1.0),
            0.0,
            layer=layer,
        )

    def add_constant(self, x: ir.Value, constant: Constant, *, layer: str) -> ir.Value:
        """`x + constant`: the bias of the layer that makes x, where that has none."""
        values = self._per_channel(x, constant)
        if x in self._with_bias:
            values = np.ascontiguousarray(np.broadcast_to(values, shape_of(x)[1]), np.float32)
            return self._with_bias[x](Constant(constant.name, values))
        return self.affine(x, np.ones(()), values, layer=layer)

    def multiply_constant(self, x: ir.Value, constant: Constant, *, layer: str) -> ir.Value:
        """`x constant`."""
        return self.affine(x, self._per_channel(x, constant), np.zeros(()), layer=layer)

    def _per_channel(self, x: ir.Value, constant: Constant) -> Array:
        """The constant as a scalar or a vector over channels."""
        shape, values = shape_of(x), constant.values
        if values.size == 1:
            return values.reshape(())
        aligned = (1,) * (len(shape) - values.ndim) + values.shape
        if len(shape) not in (2, 4) or aligned != (1, shape[1], *[1] * (len(shape) - 2)):
            raise Unsupported(
                f"arithmetic of a tensor {shape} with a constant {values.shape}: the constant must "
                "be one number, or one per channel"
            )
        return values.reshape(-1)

    # --- Layers without weights ------------------------------------------------------------------

    def activate(
        self, x: ir.Value, function: str, alpha: float | None = None, *, layer: str
    ) -> ir.Value:
        """An activation function, by its name in the dialect."""
        with self.context, ir.Location.unknown():
            parameter = "" if alpha is None else f", alpha = {ir.FloatAttr.get_f32(alpha)}"
            activation = ir.Attribute.parse(f"#pattern.activation<{function}{parameter}>")
        result = self.emit(pattern.ActivateOp, shape_of(x), x, activation=activation, layer=layer)
        self._activated[result] = (function, x)
        return result

    def max_pool2d(
        self,
        x: ir.Value,
        kernel: Pair,
        *,
        strides: Pair,
        padding: Sequence[int] = (0, 0, 0, 0),
        dilations: Pair = (1, 1),
        ceil_mode: bool = False,
        layer: str,
    ) -> ir.Value:
        """Maximum over windows."""
        shape = _plane(x, "pooling")
        _check_pool_padding(kernel, padding, dilations)
        size = _windows(shape, kernel, strides, padding, dilations, layer, ceil_mode)
        return self.emit(
            pattern.MaxPool2DOp,
            (*shape[:2], *size),
            x,
            kernel=list(kernel),
            strides=list(strides),
            padding=list(padding),
            dilations=list(dilations),
            layer=layer,
        )

    def avg_pool2d(
        self,
        x: ir.Value,
        kernel: Pair,
        *,
        strides: Pair,
        padding: Sequence[int] = (0, 0, 0, 0),
        ceil_mode: bool = False,
        count_padding: bool = False,
        layer: str,
    ) -> ir.Value:
        """Mean over windows."""
        shape = _plane(x, "pooling")
        _check_pool_padding(kernel, padding, (1, 1))
        size = _windows(shape, kernel, strides, padding, (1, 1), layer, ceil_mode)
        return self.emit(
            pattern.AvgPool2DOp,
            (*shape[:2], *size),
            x,
            kernel=list(kernel),
            strides=list(strides),
            padding=list(padding),
            count_padding=count_padding and any(padding),
            layer=layer,
        )

    def adaptive_avg_pool2d(self, x: ir.Value, size: Pair, *, layer: str) -> ir.Value:
        """Mean over a grid of windows."""
        shape = _plane(x, "pooling")
        if tuple(size) == shape[2:]:
            return x
        return self.emit(pattern.AdaptiveAvgPool2DOp, (*shape[:2], *size), x, layer=layer)

    def global_avg_pool(self, x: ir.Value, *, keep_axes: bool, layer: str) -> ir.Value:
        """Mean over the plane."""
        x = self.adaptive_avg_pool2d(x, (1, 1), layer=layer)
        return x if keep_axes else self.reshape(x, shape_of(x)[:2], layer=layer)

    def add(self, x: ir.Value, y: ir.Value, *, layer: str) -> ir.Value:
        """`x + y`; one of them may be broadcast."""
        x, y = self._broadcast(x, y, layer)
        return self.emit(pattern.AddOp, shape_of(x), x, y, layer=layer)

    def mul(self, x: ir.Value, y: ir.Value, *, layer: str) -> ir.Value:
        """`x y`; one of them may be broadcast."""
        for gate, gated in ((x, y), (y, x)):
            function, source = self._activated.get(gate, ("", None))
            if function in _GATED and source == gated:
                return self.activate(gated, _GATED[function], layer=layer)
        x, y = self._broadcast(x, y, layer)
        return self.emit(pattern.MulOp, shape_of(x), x, y, layer=layer)

    def _broadcast(self, x: ir.Value, y: ir.Value, layer: str) -> tuple[ir.Value, ir.Value]:
        """Both with one rank, the larger first."""
        a, b = shape_of(x), shape_of(y)
        rank = max(len(a), len(b))
        a, b = ((1,) * (rank - len(shape)) + shape for shape in (a, b))
        if all(m in (n, 1) for n, m in zip(a, b, strict=True)):
            return self.reshape(x, a, layer=layer), self.reshape(y, b, layer=layer)
        if all(n in (m, 1) for n, m in zip(a, b, strict=True)):
            return self.reshape(y, b, layer=layer), self.reshape(x, a, layer=layer)
        raise Unsupported(f"arithmetic of tensors {a} and {b}: one must have the result's shape")

    def concat(self, xs: Sequence[ir.Value], axis: int, *, layer: str) -> ir.Value:
        """Tensors side by side."""
        shapes = [shape_of(x) for x in xs]
        axis = _axis(axis, len(shapes[0]), layer)
        rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        if len(rest) != 1:
            raise ModelError(f"tensors of shapes {shapes} do not fit side by side", layer=layer)
        total = sum(shape[axis] for shape in shapes)
        shape = (*shapes[0][:axis], total, *shapes[0][axis + 1 :])
        return self.emit(pattern.ConcatOp, shape, list(xs), axis=axis, layer=layer)

    def reshape(self, x: ir.Value, shape: Shape, *, layer: str) -> ir.Value:
        """The same elements under another shape; one size may be -1."""
        old = math.prod(shape_of(x))
        if shape.count(-1) == 1:
            rest = -math.prod(shape)
            shape = tuple(old // rest if rest and n == -1 else n for n in shape)
        if math.prod(shape) != old or any(n < 1 for n in shape):
            raise ModelError(f"cannot reshape {shape_of(x)} to {shape}", layer=layer)
        return x if shape == shape_of(x) else self.emit(pattern.ReshapeOp, shape, x, layer=layer)

    def flatten(self, x: ir.Value, begin: int, end: int, *, layer: str) -> ir.Value:
        """Axes begin to end (exclusive) as one."""
        shape = shape_of(x)
        shape = (*shape[:begin], math.prod(shape[begin:end]), *shape[end:])
        return self.reshape(x, shape, layer=layer)

    def softmax(self, x: ir.Value, axis: int, *, layer: str) -> ir.Value:
        """Softmax along an axis."""
        axis = _axis(axis, len(shape_of(x)), layer)
        return self.emit(pattern.SoftmaxOp, shape_of(x), x, axis=axis, layer=layer)

    def resize(
        self, x: ir.Value, size: Pair, mode: str, *, align_corners: bool = False, layer: str
    ) -> ir.Value:
        """A plane in another size, `nearest` or `bilinear`."""
        shape = _plane(x, "resizing")
        if any(n < 1 for n in size):
            raise ModelError(f"cannot resize a plane to {list(size)}", layer=layer)
        with self.context:
            kind = ir.Attribute.parse(f"#pattern.resize_mode<{mode}>")
        return self.emit(
            pattern.ResizeOp,
            (*shape[:2], *size),
            x,
            mode=kind,
            align_corners=align_corners,
            layer=layer,
        )

    def subsample(self, x: ir.Value, strides: Pair, *, layer: str) -> ir.Value:
        """Every n-th row and column, from the first: the maximum over windows of one cell."""
        return self.max_pool2d(x, (1, 1), strides=strides, layer=layer)

    def pad(
        self, x: ir.Value, channels: tuple[int, int], border: Sequence[int], *, layer: str
    ) -> ir.Value:
        """Zeros around: channels before and after; rows and columns top, left, bottom, right.

        A 1x1 convolution that copies channels. A convolution that follows takes the border over.
        """
        shape = _plane(x, "padding")
        if min(*channels, *border) < 0:
            raise Unsupported("padding by a negative number (cropping)")
        if any(channels):
            before, after = channels
            select = np.eye(before + shape[1] + after, shape[1], -before, np.float32)
            weight = Constant(f"{layer}.select", select[:, :, None, None])
            return self.conv2d(x, weight, padding=border, layer=layer)
        copy = np.ones((shape[1], 1, 1, 1), np.float32)
        weight = Constant(f"{layer}.copy", copy)
        y = self.conv2d(x, weight, padding=border, groups=shape[1], layer=layer)
        self._bordered[y] = (x, list(border))
        return y


def _check_filters(weight: Constant, layer: str) -> None:
    if not weight.values.size:
        raise WeightsError(
            f"zero filters left: the weight {weight.name!r} has the shape {weight.values.shape}",
            layer=layer,
        )


def _plane(x: ir.Value, what: str) -> Shape:
    shape = shape_of(x)
    if len(shape) != 4:
        raise Unsupported(f"{what} of rank {len(shape)}: only images [N, C, H, W] work")
    return shape


def _axis(axis: int, rank: int, layer: str) -> int:
    if not -rank <= axis < rank:
        raise ModelError(f"axis {axis} is outside of rank {rank}", layer=layer)
    return axis % rank


def _windows(
    shape: Shape,
    kernel: Pair,
    strides: Pair,
    padding: Sequence[int],
    dilations: Pair,
    layer: str,
    ceil_mode: bool = False,
) -> tuple[int, int]:
    """Rows and columns of the result."""
    if min(*kernel, *strides, *dilations) < 1 or min(padding) < 0:
        raise Unsupported(
            f"windows {list(kernel)} with strides {list(strides)}, dilations "
            f"{list(dilations)} and padding {list(padding)}"
        )
    size = []
    for axis in (0, 1):
        before, after, n = padding[axis], padding[axis + 2], shape[axis + 2]
        extra = strides[axis] - 1 if ceil_mode else 0
        windows = window_size(
            n + extra, kernel[axis], strides[axis], before + after, dilations[axis]
        )
        # Rounding up never adds a window that begins behind the plane.
        if ceil_mode and (windows - 1) * strides[axis] >= n + before:
            windows -= 1
        size.append(windows)
    if min(size) < 1:
        raise ModelError(
            f"windows {list(kernel)} do not fit into a plane {list(shape[2:])}", layer=layer
        )
    return size[0], size[1]


def _check_pool_padding(kernel: Pair, padding: Sequence[int], dilations: Pair) -> None:
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)] * 2
    if any(p < 0 or 2 * p > e for p, e in zip(padding, extent, strict=True)):
        raise Unsupported(f"pooling with padding {list(padding)} of windows {list(kernel)}")
