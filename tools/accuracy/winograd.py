# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The 3x3 convolution by Winograd's algorithm, for wide layers.

Winograd's minimal filtering as matrix products (Lavin & Gray 2015, "Fast Algorithms for
Convolutional Neural Networks", section 4): a tile of 4x4 outputs takes 36 multiplications for each
pair of channels where the direct convolution takes 144. Results differ from torch's by rounding:
in float32 about 1e-5 of the largest value, in bfloat16 1.5 % in the mean. torch.compile makes loops
of the transforms, so a C++ compiler is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import prod, sqrt
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

Matrix = Sequence[Sequence[float]]

TILE = 4  # the side of a tile of outputs
TAPS = 3
SIDE = TILE + TAPS - 1  # of a tile of inputs

# Where the polynomials are evaluated, beside infinity. With the integers of the paper, 0, 1, -1, 2
# and -2, errors in bfloat16 are twice as large.
POINTS = (0.0, sqrt(1 / 2), -sqrt(1 / 2), sqrt(2), -sqrt(2))


def _expanded(roots: Sequence[float]) -> list[float]:
    """The coefficients of the monic polynomial with these roots, the constant first."""
    coefficients = [1.0]
    for root in roots:
        shifted, scaled = [0.0, *coefficients], [*(-root * c for c in coefficients), 0.0]
        coefficients = [a + b for a, b in zip(shifted, scaled, strict=True)]
    return [0.0 if abs(c) < 1e-12 else c for c in coefficients]


def _powers(point: float, count: int) -> list[float]:
    return [point**i for i in range(count)]


def _without(point: float) -> list[float]:
    return [other for other in POINTS if other != point]


def _scale(point: float) -> float:
    return prod(point - other for other in _without(point))


# The section's matrices, by the construction of Toom and Cook; the last row is infinity's.
INPUT: Matrix = [*([*_expanded(_without(p)), 0.0] for p in POINTS), _expanded(POINTS)]
WEIGHT: Matrix = [*([c / _scale(p) for c in _powers(p, TAPS)] for p in POINTS), [0.0, 0.0, 1.0]]
OUTPUT: Matrix = list(
    zip(*(_powers(p, TILE) for p in POINTS), [0.0] * (TILE - 1) + [1.0], strict=True)
)

CACHE = 1 << 19  # numbers of a transformed chunk of images
ROWS = 512  # of a matrix product at least: with fewer, packing the weights takes the time


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _times(matrix: Matrix, items: Sequence[Tensor]) -> list[Tensor]:
    """A small matrix times a vector of tensors, without the zeros."""
    return [
        sum(c * x for c, x in zip(row, items, strict=True) if c)  # type: ignore[misc]
        for row in matrix
    ]


def _both_sides(
    matrix: Matrix, square: Sequence[Sequence[Tensor]], dtype: torch.dtype
) -> list[Tensor]:
    """M X Mᵀ for a square X of tensors, row by row, of a type; its sums are float32 at least."""
    wide = [[x.to(_wide(x.dtype)) for x in row] for row in square]
    columns = [_times(matrix, column) for column in zip(*wide, strict=True)]
    rows = [_times(matrix, row) for row in zip(*columns, strict=True)]
    return [x.to(dtype) for row in rows for x in row]


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


def _inputs(x: Tensor) -> Tensor:
    """Padded images [N, H, W, C] to [points, tiles, C]: overlapping tiles, transformed."""
    down, across = x.shape[1] - SIDE + 1, x.shape[2] - SIDE + 1
    square = [
        [x[:, i : i + down : TILE, j : j + across : TILE] for j in range(SIDE)] for i in range(SIDE)
    ]
    return torch.stack(_both_sides(INPUT, square, x.dtype)).flatten(1, 3)


def _outputs(m: Tensor) -> Tensor:
    """[points, tiles, K] to [outputs of a tile, tiles, K]."""
    return torch.stack(_both_sides(OUTPUT, _square(m), m.dtype))


def _gradients(dy: Tensor) -> Tensor:
    """[N, H, W, K] to [points, tiles, K]: the transpose of `_outputs`."""
    square = [[dy[:, i::TILE, j::TILE] for j in range(TILE)] for i in range(TILE)]
    return torch.stack(_both_sides(_transposed(OUTPUT), square, dy.dtype)).flatten(1, 3)


def _weights(weight: Tensor, dtype: torch.dtype, turned: bool) -> Tensor:
    """[K, C, 3, 3], turned by half a circle or not, to [points, K, C] of a type."""
    cells = range(TAPS)[::-1] if turned else range(TAPS)
    square = [[weight[:, :, i, j] for j in cells] for i in cells]
    return torch.stack(_both_sides(WEIGHT, square, dtype))


def _weight_gradients(du: Tensor) -> Tensor:
    """[points, K, C] to [K, C, 3, 3], channels last: the transpose of `_weights`."""
    cells = _both_sides(_transposed(WEIGHT), _square(du), _wide(du.dtype))
    return torch.stack(cells, 1).unflatten(1, (TAPS, TAPS)).permute(0, 3, 1, 2)


def _square(points: Tensor) -> list[list[Tensor]]:
    return [list(row) for row in points.view(SIDE, SIDE, *points.shape[1:])]


inputs, outputs, gradients, weights, weight_gradients = (
    torch.compile(function, dynamic=False)
    for function in (_inputs, _outputs, _gradients, _weights, _weight_gradients)
)


@cache
def _frame(shape: torch.Size, dtype: torch.dtype, border: int) -> Tensor:
    """Zeros with room for images in whole tiles and a border; kept, for clearing takes time."""
    n, h, w, c = shape
    return torch.zeros(n, h + -h % TILE + 2 * border, w + -w % TILE + 2 * border, c, dtype=dtype)


def _padded(x: Tensor, border: int) -> Tensor:
    """[N, H, W, C] with a border of zeros, and whole tiles; until the next call of its kind."""
    h, w = x.shape[1:3]
    frame = _frame(x.shape, x.dtype, border)
    frame[:, border : border + h, border : border + w] = x
    return frame


def _chunks(x: Tensor) -> list[slice]:
    """Images of [N, H, W, C] whose transformed tiles fit into the cache together."""
    n, h, w, c = x.shape
    tiles = -(-h // TILE) * -(-w // TILE)
    images = max(1, CACHE // (tiles * c * SIDE**2), ROWS // tiles)
    return [slice(i, i + images) for i in range(0, n, images)]


def _convolved(x: Tensor, u: Tensor) -> Tensor:
    """The convolution of [N, H, W, C] by transformed weights [points, C, K]."""
    n, h, w, _ = x.shape
    down, across, k = -(-h // TILE), -(-w // TILE), u.shape[2]
    y = x.new_empty(n, down, TILE, across, TILE, k)
    for part in _chunks(x):
        m = outputs(torch.bmm(inputs(_padded(x[part], 1)), u))
        y[part] = m.view(TILE, TILE, -1, down, across, k).permute(2, 3, 0, 4, 1, 5)
    # Layers behind take another way through tensors with gaps, a slow one.
    return y.view(n, down * TILE, across * TILE, k)[:, :h, :w].contiguous()


class Winograd(Function):  # type: ignore[misc]
    """The 3x3 convolution of [N, C, H, W] with a border of one zero; channels last in memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        u = weights(weight.detach(), x.dtype, False).transpose(1, 2)
        return _convolved(_channels_last(x), u).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, weight = (tensor.detach() for tensor in ctx.saved_tensors)
        dy, dx, dw = _channels_last(dy), None, None
        if ctx.needs_input_grad[0]:
            dx = _convolved(dy, weights(weight, dy.dtype, True)).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            dw = _weight_gradient(_channels_last(x), dy)
        return dx, dw


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).contiguous()


def _weight_gradient(x: Tensor, dy: Tensor) -> Tensor:
    """[N, H, W, C] and [N, H, W, K] to [K, C, 3, 3]."""
    du = None
    for part in _chunks(x):
        dm = gradients(_padded(dy[part], 0)).transpose(1, 2)
        product = torch.bmm(dm, inputs(_padded(x[part], 1)))
        du = product if du is None else du.to(_wide(du.dtype)).add_(product)
    return weight_gradients(du)
