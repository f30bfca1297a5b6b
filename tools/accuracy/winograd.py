# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The 3x3 convolution by Winograd's algorithm, for wide layers in float32.

Winograd's minimal filtering as matrix products (Lavin & Gray 2015, "Fast Algorithms for
Convolutional Neural Networks", section 4): a tile of 4x4 outputs takes 36 multiplications for each
pair of channels where the direct convolution takes 144. Results differ from torch's by rounding,
about 1e-5 of the largest value. torch.compile makes loops of the transforms, so a C++ compiler is
needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

Matrix = Sequence[Sequence[float]]

# By the side of an output tile, the section's matrices: of the input, the weights and the output.
INPUT: dict[int, Matrix] = {
    2: ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
    4: (
        (4, 0, -5, 0, 1, 0),
        (0, -4, -4, 1, 1, 0),
        (0, 4, -4, -1, 1, 0),
        (0, -2, -1, 2, 1, 0),
        (0, 2, -1, -2, 1, 0),
        (0, 4, 0, -5, 0, 1),
    ),
}
WEIGHT: dict[int, Matrix] = {
    2: ((1, 0, 0), (1 / 2, 1 / 2, 1 / 2), (1 / 2, -1 / 2, 1 / 2), (0, 0, 1)),
    4: (
        (1 / 4, 0, 0),
        (-1 / 6, -1 / 6, -1 / 6),
        (-1 / 6, 1 / 6, -1 / 6),
        (1 / 24, 1 / 12, 1 / 6),
        (1 / 24, -1 / 12, 1 / 6),
        (0, 0, 1),
    ),
}
OUTPUT: dict[int, Matrix] = {
    2: ((1, 1, 1, 0), (0, 1, -1, -1)),
    4: ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)),
}

CACHE = 1 << 20  # numbers of a transformed chunk of images: 4 MiB
ROWS = 512  # of a matrix product at least: with fewer, packing the weights takes the time


def _transposed(matrix: Matrix) -> Matrix:
    return tuple(zip(*matrix, strict=True))


def _times(matrix: Matrix, items: Sequence[Tensor]) -> list[Tensor]:
    """A small matrix times a vector of tensors, without the zeros."""
    return [
        sum(c * x for c, x in zip(row, items, strict=True) if c)  # type: ignore[misc]
        for row in matrix
    ]


def _both_sides(matrix: Matrix, square: Sequence[Sequence[Tensor]]) -> list[list[Tensor]]:
    """M X Mᵀ for a square X of tensors."""
    columns = [_times(matrix, column) for column in zip(*square, strict=True)]
    return [_times(matrix, row) for row in zip(*columns, strict=True)]


def _inputs(x: Tensor, tile: int) -> Tensor:
    """Padded images [N, H, W, C] to [points, tiles, C]: overlapping tiles, transformed."""
    down, across = (x.shape[1] - 2) // tile, (x.shape[2] - 2) // tile
    square = [
        [
            x[:, i : i + tile * (down - 1) + 1 : tile, j : j + tile * (across - 1) + 1 : tile]
            for j in range(tile + 2)
        ]
        for i in range(tile + 2)
    ]
    return _points(_both_sides(INPUT[tile], square)).flatten(1, 3)


def _outputs(m: Tensor, tile: int) -> Tensor:
    """[points, tiles, K] to [outputs of a tile, tiles, K]."""
    return _points(_both_sides(OUTPUT[tile], _square(m, tile + 2)))


def _gradients(dy: Tensor, tile: int) -> Tensor:
    """[N, H, W, K] to [points, tiles, K]: the transpose of `_outputs`."""
    square = [[dy[:, i::tile, j::tile] for j in range(tile)] for i in range(tile)]
    return _points(_both_sides(_transposed(OUTPUT[tile]), square)).flatten(1, 3)


def _weights(weight: Tensor, tile: int) -> Tensor:
    """[K, C, 3, 3] to [points, K, C]."""
    square = [[weight[:, :, i, j] for j in range(3)] for i in range(3)]
    return _points(_both_sides(WEIGHT[tile], square))


def _weight_gradients(du: Tensor, tile: int) -> Tensor:
    """[points, C, K] to [9, C, K]: the transpose of `_weights`."""
    return _points(_both_sides(_transposed(WEIGHT[tile]), _square(du, tile + 2)))


def _square(points: Tensor, side: int) -> list[list[Tensor]]:
    return [list(row) for row in points.view(side, side, *points.shape[1:])]


def _points(square: list[list[Tensor]]) -> Tensor:
    return torch.stack([x for row in square for x in row])


inputs, outputs, gradients, weights, weight_gradients = (
    torch.compile(function, dynamic=False)
    for function in (_inputs, _outputs, _gradients, _weights, _weight_gradients)
)


@cache
def _frame(shape: torch.Size, dtype: torch.dtype, tile: int, border: int) -> Tensor:
    """Zeros with room for images in whole tiles and a border; kept, for clearing takes time."""
    n, h, w, c = shape
    return torch.zeros(n, h + -h % tile + 2 * border, w + -w % tile + 2 * border, c, dtype=dtype)


def _padded(x: Tensor, tile: int, border: int) -> Tensor:
    """[N, H, W, C] with a border of zeros, and whole tiles; until the next call of its kind."""
    h, w = x.shape[1:3]
    frame = _frame(x.shape, x.dtype, tile, border)
    frame[:, border : border + h, border : border + w] = x
    return frame


def _chunks(x: Tensor, tile: int) -> list[slice]:
    """Images of [N, H, W, C] whose transformed tiles fit into the cache together."""
    n, h, w, c = x.shape
    tiles = -(-h // tile) * -(-w // tile)
    images = max(1, CACHE // (tiles * c * (tile + 2) ** 2), ROWS // tiles)
    return [slice(i, i + images) for i in range(0, n, images)]


def _convolved(x: Tensor, u: Tensor, tile: int) -> Tensor:
    """The convolution of [N, H, W, C] by transformed weights [points, C, K]."""
    n, h, w, _ = x.shape
    down, across, k = -(-h // tile), -(-w // tile), u.shape[2]
    y = x.new_empty(n, down, tile, across, tile, k)
    for part in _chunks(x, tile):
        m = outputs(torch.bmm(inputs(_padded(x[part], tile, 1), tile), u), tile)
        y[part] = m.view(tile, tile, -1, down, across, k).permute(2, 3, 0, 4, 1, 5)
    # Layers behind take another way through tensors with gaps, a slow one.
    return y.view(n, down * tile, across * tile, k)[:, :h, :w].contiguous()


class Winograd(Function):  # type: ignore[misc]
    """The 3x3 convolution of [N, C, H, W] with a border of one zero; channels last in memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, tile: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.tile = tile
        u = weights(weight.detach(), tile).transpose(1, 2)
        y = _convolved(_channels_last(x), u, tile)
        return y.permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = (tensor.detach() for tensor in ctx.saved_tensors)
        dy, dx, dw = _channels_last(dy), None, None
        if ctx.needs_input_grad[0]:
            turned = weights(weight.flip(2, 3), ctx.tile)
            dx = _convolved(dy, turned, ctx.tile).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            dw = _weight_gradient(_channels_last(x), dy, ctx.tile)
        return dx, dw, None


def _channels_last(x: Tensor) -> Tensor:
    return x.permute(0, 2, 3, 1).contiguous()


def _weight_gradient(x: Tensor, dy: Tensor, tile: int) -> Tensor:
    """[N, H, W, C] and [N, H, W, K] to [K, C, 3, 3]."""
    du = x.new_empty((tile + 2) ** 2, x.shape[3], dy.shape[3])
    for part in _chunks(x, tile):
        v = inputs(_padded(x[part], tile, 1), tile).transpose(1, 2)
        dm = gradients(_padded(dy[part], tile, 0), tile)
        du.baddbmm_(v, dm, beta=0 if part.start == 0 else 1)
    return weight_gradients(du, tile).view(3, 3, *du.shape[1:]).permute(3, 2, 0, 1)
