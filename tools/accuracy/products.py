# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The 3x3 convolution as one matrix product, for wide layers on small planes.

A plane of 4x4 or 2x2 leaves a direct convolution few pixels to use a weight for: it spends its time
on moving weights. Here every image of the batch shares in one product. The rows of `Neighbours` are
pixels, the nine around one beside each other; those of `Planes` are images, for where a plane is
2x2, more than half of the nine lie in the border.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


def neighbours(x: Tensor) -> Tensor:
    """[N, H, W, C] to [N H W, 9 C]: each pixel's surroundings, with a border of zeros."""
    n, h, w, c = x.shape
    padded = x.new_zeros(n, h + 2, w + 2, c)
    padded[:, 1:-1, 1:-1] = x
    rows = x.new_empty(n, h, w, 9, c)
    for cell in range(9):
        i, j = divmod(cell, 3)
        rows[..., cell, :] = padded[:, i : i + h, j : j + w]
    return rows.view(n * h * w, 9 * c)


class Neighbours(Function):  # type: ignore[misc]
    """The 3x3 convolution of [N, C, H, W] with a border of one zero; channels last in memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        rows, weight = neighbours(x.permute(0, 2, 3, 1)), weight.to(x.dtype)
        ctx.save_for_backward(rows, weight)
        ctx.plane = (x.shape[0], *x.shape[2:])
        return _as_images(rows @ _as_matrix(weight).t(), ctx.plane)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None]:
        rows, weight = ctx.saved_tensors
        k, c = weight.shape[:2]
        dy, dx, dw = dy.permute(0, 2, 3, 1).contiguous(), None, None
        if ctx.needs_input_grad[0]:  # the convolution of the gradient by the turned kernels
            turned = _as_matrix(weight.flip(2, 3).transpose(0, 1))
            dx = _as_images(neighbours(dy) @ turned.t(), ctx.plane)
        if ctx.needs_input_grad[1]:
            # With a copy of the transposed matrix the product takes two thirds of the time.
            product = dy.view(-1, k).t().contiguous() @ rows
            dw = product.view(k, 3, 3, c).permute(0, 3, 1, 2)
        return dx, dw


def _windows(kernels: Tensor, h: int, w: int) -> list[Tensor]:
    """For each output pixel of a plane of H x W, the part [K, H, W, C] of [K, 3, 3, C] it sees."""
    return [kernels[:, 1 - i : 1 - i + h, 1 - j : 1 - j + w] for i in range(h) for j in range(w)]


class Planes(Function):  # type: ignore[misc]
    """The 3x3 convolution of [N, C, H, W], of 2x2 at most, with a border of one zero."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        n, c, h, w = x.shape
        windows = _windows(weight.permute(0, 2, 3, 1).to(x.dtype), h, w)
        matrix = torch.cat([window.reshape(-1, h * w * c) for window in windows])
        rows = x.permute(0, 2, 3, 1).reshape(n, -1)
        ctx.save_for_backward(rows, matrix)
        ctx.shape, ctx.dtype = (n, h, w, c), weight.dtype
        return (rows @ matrix.t()).view(n, h, w, -1).permute(0, 3, 1, 2)

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, Tensor | None]:
        rows, matrix = ctx.saved_tensors
        (n, h, w, c), k = ctx.shape, dy.shape[1]
        dy, dx, dw = dy.permute(0, 2, 3, 1).reshape(n, -1), None, None
        if ctx.needs_input_grad[0]:
            dx = (dy @ matrix).view(ctx.shape).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            products = (dy.t() @ rows).view(h * w, k, h, w, c)
            sums = dy.new_zeros(k, 3, 3, c, dtype=ctx.dtype)
            for window, product in zip(_windows(sums, h, w), products, strict=True):
                window += product
            dw = sums.permute(0, 3, 1, 2)
        return dx, dw


def _as_matrix(weight: Tensor) -> Tensor:
    """[K, C, 3, 3] to [K, 9 C], in the order of `neighbours`."""
    return weight.permute(0, 2, 3, 1).reshape(weight.shape[0], -1)


def _as_images(rows: Tensor, plane: tuple[int, int, int]) -> Tensor:
    """[N H W, K] to [N, K, H, W]."""
    return rows.view(*plane, -1).permute(0, 3, 1, 2)
