# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`pconv` with other 3x3 convolutions for wide layers, which a CPU trains faster.

python tools/accuracy/convolutions.py prune vgg16-cifar ...

In float32 winograd.py's, which need a C++ compiler; in bfloat16, on small planes, products.py's.
docs/Rationale.md has the times.
"""

from __future__ import annotations

import sys

import torch
from products import Product
from torch import Tensor, nn
from winograd import Winograd

from pconv_mlir.cli import main

CHANNELS = 64  # of a layer at least: with fewer, the transforms take what the products save
SMALL = 4  # the side of a plane at most, in bfloat16: on 8x8 nothing is gained


def gains(layer: nn.Conv2d, x: Tensor) -> bool:
    """Whether a layer is one that computes faster in another way."""
    form = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups)
    plain = form == ((3, 3), (1, 1), (1, 1), (1, 1), 1) and layer.padding_mode == "zeros"
    wide = min(layer.in_channels, layer.out_channels) >= CHANNELS
    # Evaluation has other shapes, which would be compiled for one use.
    here = x.device.type == "cpu" and x.dim() == 4 and not torch.is_inference_mode_enabled()
    return plain and wide and here and layer.bias is None


def install() -> None:
    """Every layer that gains by it computes in another way from now on."""
    direct = nn.Conv2d._conv_forward
    torch._dynamo.config.recompile_limit = 100  # one for each shape

    def forward(layer: nn.Conv2d, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if not gains(layer, x):
            return direct(layer, x, weight, bias)
        if x.dtype == torch.float32:
            return Winograd.apply(x, weight, 4 if min(x.shape[2:]) > 2 else 2)
        if x.dtype == torch.bfloat16 and max(x.shape[2:]) <= SMALL:
            return Product.apply(x, weight.to(x.dtype))
        return direct(layer, x, weight, bias)

    nn.Conv2d._conv_forward = forward


if __name__ == "__main__":
    install()
    sys.exit(main())
