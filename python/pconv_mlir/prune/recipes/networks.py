# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The demo networks as torch modules, with the parameter names that `models.build` gives."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn
from torch.nn import functional

# Filters of each convolution; 0 is a 2x2 max pooling.
VGG16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
FASHION_BLOCKS = ((32,), (64, 64), (128, 128))

Network = TypeVar("Network", bound=nn.Module)


class BasicBlock(nn.Module):  # type: ignore[misc]
    """Two 3x3 convolutions and a shortcut without parameters ("option A")."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride = stride
        self.side = (width - channels) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.stride == 2:
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.side, self.side))
        return functional.relu(x + y)


class ResNet20(nn.Module):  # type: ignore[misc]
    """The CIFAR ResNet of He et al. 2015, section 4.2, with n = 3: 0.27 M parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = _stage(16, 16, 1)
        self.layer2 = _stage(16, 32, 2)
        self.layer3 = _stage(32, 64, 2)
        self.linear = nn.Linear(64, 10)
        _he(self)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def _stage(channels: int, width: int, stride: int) -> nn.Sequential:
    rest = [BasicBlock(width, width, 1) for _ in range(2)]
    return nn.Sequential(BasicBlock(channels, width, stride), *rest)


def vgg16_cifar() -> nn.Sequential:
    """VGG-16 with batch norm and one linear layer, for 32x32 images: 14.7 M parameters."""
    features, channels = nn.Sequential(), 3
    for width in VGG16:
        if width:
            features.append(nn.Conv2d(channels, width, 3, padding=1, bias=False))
            features.append(nn.BatchNorm2d(width))
            features.append(nn.ReLU(inplace=True))
            channels = width
        else:
            features.append(nn.MaxPool2d(2))
    net = nn.Sequential()
    net.add_module("features", features)
    net.add_module("flatten", nn.Flatten())
    net.add_module("classifier", nn.Linear(512, 10))
    return _he(net)


def vgg_fashion() -> nn.Sequential:
    """Five 3x3 convolutions with batch norm and one linear layer, for 28x28 grey images."""
    net, channels = nn.Sequential(), 1
    for b, block in enumerate(FASHION_BLOCKS, 1):
        for c, width in enumerate(block, 1):
            net.add_module(f"conv{b}_{c}", nn.Conv2d(channels, width, 3, padding=1, bias=False))
            net.add_module(f"bn{b}_{c}", nn.BatchNorm2d(width))
            net.add_module(f"relu{b}_{c}", nn.ReLU(inplace=True))
            channels = width
        last = b == len(FASHION_BLOCKS)
        net.add_module(f"pool{b}", nn.AdaptiveAvgPool2d(1) if last else nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    net.add_module("fc", nn.Linear(channels, 10))
    return _he(net)


def _he(net: Network) -> Network:
    """Random weights of variance 2 / inputs (He et al. 2015, Delving Deep into Rectifiers, 2.2).

    Torch's have a sixth of that. Batch norm hides it from the outputs, not from training: a step of
    the same rate turns small weights further.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return net
