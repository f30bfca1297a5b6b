# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`pconv` with other 3x3 convolutions for wide layers, which a CPU trains faster.

python tools/accuracy/convolutions.py prune vgg16-cifar ...

Those of products.py on small planes, of winograd.py, which need a C++ compiler, on others. A
processor with matrix instructions for bfloat16 (AMX) keeps torch's on large planes, which are fast
there. docs/Rationale.md has the times.
"""

from __future__ import annotations

import sys

import torch
from products import Neighbours, Planes
from torch import Tensor, nn
from torch.autograd import Function
from winograd import Winograd

from pconv_mlir.cli import main

CHANNELS = 64  # of a layer at least: with fewer, the transforms take what the products save
TINY = 2  # the side of a plane at most, for a product of whole planes
SMALL = 4  # for a product of neighbours, with matrix instructions: on 8x8 nothing is gained


def gains(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether a layer is one that computes faster in another way."""
    form = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups)
    plain = form == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and layer.padding_mode == "zeros"
    wide = min(layer.in_channels, layer.out_channels) >= CHANNELS
    # Evaluation has other shapes, which would be compiled for one use.
    here = x.device.type == "cpu" and x.dim() == 4 and not torch.is_inference_mode_enabled()
    return plain and wide and here and layer.bias is None


def faster(x: Tensor) -> type[Function] | None:
    """The way in which a layer that gains computes; None: torch's."""
    if x.dtype not in (torch.float32, torch.bfloat16):
        return None
    side = max(x.shape[2:])
    if side <= TINY:
        return Planes
    if x.dtype == torch.float32 or not torch.cpu._is_amx_tile_supported():
        return Winograd
    return Neighbours if side <= SMALL else None


def install() -> None:
    """Every layer that gains by it computes in another way from now on."""
    direct = nn.Conv2d._conv_forward
    torch._dynamo.config.recompile_limit = 100  # one for each shape

    def forward(layer: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not gains(layer, x):
            return direct(layer, x, weight, bias)
        if torch.is_autocast_enabled("cpu"):
            x = x.to(torch.get_autocast_dtype("cpu"))
        if (way := faster(x)) is None:
            return direct(layer, x, weight, bias)
        with torch.autocast("cpu", enabled=False):  # else all is compiled for both states
            return way.apply(x, weight)

    nn.Conv2d._conv_forward = forward


if __name__ == "__main__":
    install()
    sys.exit(main())
