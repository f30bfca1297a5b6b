# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The meaning of every op of the pattern dialect, in NumPy and double precision.

Independent of the compiler: nothing here looks at layouts, schedules or packed weights. The
functions need no MLIR; only `run` does, to read the IR. Activations are NCHW.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pconv_mlir.errors import ModelError, ShapeError

if TYPE_CHECKING:
    from pconv_mlir.module import Module

Array = NDArray[np.float64]
Pair = Sequence[int]

_LINEAR_ROWS = 512  # rows of a matrix that are widened to float64 at a time


# ----------------------------------------------------------------------------------------------
# Windows
# ----------------------------------------------------------------------------------------------


def window_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Number of whole windows along an axis; `padding` is the sum of both sides."""
    return (size + padding - (kernel - 1) * dilation - 1) // stride + 1


def _taps(
    x: Array,
    kernel: Pair,
    strides: Pair,
    padding: Sequence[int],
    dilations: Pair,
    size: Pair,
    fill: float,
) -> Iterator[tuple[int, int, Array]]:
    """For every kernel cell (r, s) the inputs [N, C, *size] that it meets, `fill` outside of x."""
    top, left, bottom, right = padding
    height, width = x.shape[2:]
    reach = [
        (n - 1) * s + (k - 1) * d + 1
        for n, s, k, d in zip(size, strides, kernel, dilations, strict=True)
    ]
    # Rounding up lets windows reach beyond the padding.
    bottom, right = max(bottom, reach[0] - height - top), max(right, reach[1] - width - left)
    border = ((0, 0), (0, 0), (top, bottom), (left, right))
    x = np.pad(x, border, constant_values=fill) if any((top, left, bottom, right)) else x
    for r, s in itertools.product(range(kernel[0]), range(kernel[1])):
        y0, x0 = r * dilations[0], s * dilations[1]
        rows = slice(y0, y0 + (size[0] - 1) * strides[0] + 1, strides[0])
        columns = slice(x0, x0 + (size[1] - 1) * strides[1] + 1, strides[1])
        yield r, s, x[:, :, rows, columns]


# ----------------------------------------------------------------------------------------------
# Layers with weights
# ----------------------------------------------------------------------------------------------


def conv2d(
    x: Array,
    weights: NDArray[Any],
    bias: NDArray[Any] | None = None,
    *,
    residual: Array | None = None,
    strides: Pair = (1, 1),
    padding: Sequence[int] = (0, 0, 0, 0),
    dilations: Pair = (1, 1),
    groups: int = 1,
) -> Array:
    """Convolution of x [N, C, H, W] with weights [O, C / groups, KH, KW]; padding is t, l, b, r."""
    batch, channels, height, width = x.shape
    filters, depth, *kernel = weights.shape
    if channels != depth * groups or filters % groups:
        raise ShapeError(f"{channels} channels in {groups} groups do not fit {weights.shape}")
    top, left, bottom, right = padding
    size = (
        window_size(height, kernel[0], strides[0], top + bottom, dilations[0]),
        window_size(width, kernel[1], strides[1], left + right, dilations[1]),
    )
    w = weights.astype(np.float64).reshape(groups, filters // groups, depth, *kernel)
    out = np.zeros((batch, groups, filters // groups, size[0] * size[1]))
    for r, s, tap in _taps(x, kernel, strides, padding, dilations, size, 0.0):
        planes = tap.reshape(batch, groups, depth, -1)
        if depth == 1:  # depthwise: a product of a column and a row is no work for a matrix product
            out += w[:, :, :, r, s] * planes
        else:
            out += np.matmul(w[:, :, :, r, s], planes)
    out = out.reshape(batch, filters, *size)
    if bias is not None:
        out += bias.astype(np.float64)[:, None, None]
    return out if residual is None else out + residual


def linear(x: Array, weights: NDArray[Any], bias: NDArray[Any] | None = None) -> Array:
    """x [N, I] times weights [O, I] transposed, plus bias [O]."""
    out = np.empty((x.shape[0], weights.shape[0]))
    for begin in range(0, len(weights), _LINEAR_ROWS):
        rows = slice(begin, begin + _LINEAR_ROWS)
        out[:, rows] = x @ weights[rows].astype(np.float64).T
    return out if bias is None else out + bias.astype(np.float64)


def batch_norm(
    x: Array,
    scale: NDArray[Any],
    shift: NDArray[Any],
    mean: NDArray[Any],
    variance: NDArray[Any],
    epsilon: float,
) -> Array:
    """Normalise each channel (axis 1) with fixed statistics."""
    shape = (1, -1) + (1,) * (x.ndim - 2)
    factor = scale.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
    offset = shift.astype(np.float64) - mean.astype(np.float64) * factor
    return x * factor.reshape(shape) + offset.reshape(shape)


# ----------------------------------------------------------------------------------------------
# Layers without weights
# ----------------------------------------------------------------------------------------------


def activate(x: Array, function: str, alpha: float | None = None) -> Array:
    """Apply an activation function by its name in the dialect."""
    match function:
        case "identity":
            return x
        case "relu":
            return np.maximum(x, 0.0)
        case "relu6":
            return np.clip(x, 0.0, 6.0)
        case "leaky_relu":
            if alpha is None:
                raise ModelError("leaky_relu needs an alpha")
            return np.maximum(x, 0.0) + alpha * np.minimum(x, 0.0)
        case "sigmoid":
            return _sigmoid(x)
        case "silu":
            return x * _sigmoid(x)
        case "hardsigmoid":
            return np.clip(x + 3.0, 0.0, 6.0) / 6.0
        case "hardswish":
            return np.asarray(x * np.clip(x + 3.0, 0.0, 6.0) / 6.0)
    raise ModelError(f"unknown activation function {function!r}")


def _sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def max_pool2d(
    x: Array,
    kernel: Pair,
    *,
    strides: Pair = (1, 1),
    padding: Sequence[int] = (0, 0, 0, 0),
    dilations: Pair = (1, 1),
    size: Pair,
) -> Array:
    """Maximum over windows; `size` is that of the output, rounded down or up."""
    out = np.full((*x.shape[:2], *size), -np.inf)
    for _, _, tap in _taps(x, kernel, strides, padding, dilations, size, -np.inf):
        np.maximum(out, tap, out=out)
    return out


def avg_pool2d(
    x: Array,
    kernel: Pair,
    *,
    strides: Pair = (1, 1),
    padding: Sequence[int] = (0, 0, 0, 0),
    count_padding: bool = False,
    size: Pair,
) -> Array:
    """Mean over windows; the divisor counts cells of the padding only with `count_padding`."""
    out = np.zeros((*x.shape[:2], *size))
    for _, _, tap in _taps(x, kernel, strides, padding, (1, 1), size, 0.0):
        out += tap
    counts = []
    for axis in (0, 1):
        before, after = padding[axis], padding[axis + 2]
        start = np.arange(size[axis]) * strides[axis] - before
        low, high = (-before, after) if count_padding else (0, 0)
        stop = np.minimum(start + kernel[axis], x.shape[2 + axis] + high)
        counts.append(stop - np.maximum(start, low))
    mean: Array = out / (counts[0][:, None] * counts[1])
    return mean


def adaptive_avg_pool2d(x: Array, size: Pair) -> Array:
    """Mean over a grid of windows that covers the plane."""
    height, width = x.shape[2:]
    out = np.empty((*x.shape[:2], *size))
    for i, j in itertools.product(range(size[0]), range(size[1])):
        rows = slice(i * height // size[0], -(-(i + 1) * height // size[0]))
        columns = slice(j * width // size[1], -(-(j + 1) * width // size[1]))
        out[:, :, i, j] = x[:, :, rows, columns].mean(axis=(2, 3))
    return out


def softmax(x: Array, axis: int) -> Array:
    """exp(x - max) / sum along an axis."""
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def resize(x: Array, size: Pair, mode: str, *, align_corners: bool = False) -> Array:
    """A plane in another size, by `nearest` or `bilinear` interpolation."""
    for axis, new in zip((2, 3), size, strict=True):
        old = x.shape[axis]
        if mode == "nearest":
            x = x.take(np.arange(new) * old // new, axis=axis)
            continue
        if align_corners:
            at = np.arange(new) * ((old - 1) / (new - 1) if new > 1 else 0.0)
        else:
            at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(at).astype(np.int64)
        part = (at - low).reshape((-1, 1) if axis == 2 else (-1,))
        x = x.take(low, axis) * (1 - part) + x.take(np.minimum(low + 1, old - 1), axis) * part
    return x


# ----------------------------------------------------------------------------------------------
# Whole networks
# ----------------------------------------------------------------------------------------------


def run(module: Module, *inputs: ArrayLike) -> list[Array]:
    """Compute a network op by op: one float64 array per output.

    Works at every stage up to `planned`, since the plan on an op never changes what it means.

    Raises:
        ShapeError: An input does not have the shape that the network takes.
        ModelError: The IR is malformed, or has an op of another dialect.
    """
    from pconv_mlir.interpreter import interpret

    return interpret(module, [np.asarray(x, np.float64) for x in inputs])
