# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Residual networks (He et al. 2015): table 1 for ImageNet, section 4.2 for CIFAR-10."""

from __future__ import annotations

import onnx

from pconv_mlir.models.builder import NetworkBuilder


def _conv_norm(
    net: NetworkBuilder, x: str, prefix: str, number: int, filters: int, kernel: int, stride: int
) -> str:
    x = net.conv(x, f"{prefix}.conv{number}", filters, kernel, stride=stride)
    return net.batch_norm(x, f"{prefix}.bn{number}")


def _projection(net: NetworkBuilder, x: str, prefix: str, filters: int, stride: int) -> str:
    """The shortcut: x itself where the shape stays."""
    if stride == 1 and net.channels(x) == filters:
        return x
    x = net.conv(x, f"{prefix}.downsample.0", filters, 1, stride=stride)
    return net.batch_norm(x, f"{prefix}.downsample.1")


def _basic(net: NetworkBuilder, x: str, prefix: str, width: int, stride: int) -> str:
    y = net.relu(_conv_norm(net, x, prefix, 1, width, 3, stride), f"{prefix}.relu")
    y = _conv_norm(net, y, prefix, 2, width, 3, 1)
    y = net.add(y, _projection(net, x, prefix, width, stride), f"{prefix}.add")
    return net.relu(y, f"{prefix}.relu_1")


def _bottleneck(net: NetworkBuilder, x: str, prefix: str, width: int, stride: int) -> str:
    # The stride is on the 3x3 convolution, as in torchvision (called v1.5), not on the first 1x1.
    y = net.relu(_conv_norm(net, x, prefix, 1, width, 1, 1), f"{prefix}.relu")
    y = net.relu(_conv_norm(net, y, prefix, 2, width, 3, stride), f"{prefix}.relu_1")
    y = _conv_norm(net, y, prefix, 3, 4 * width, 1, 1)
    y = net.add(y, _projection(net, x, prefix, 4 * width, stride), f"{prefix}.add")
    return net.relu(y, f"{prefix}.relu_2")


def _imagenet(name: str, blocks: tuple[int, ...], batch: int, seed: int) -> onnx.ModelProto:
    block = _basic if name == "resnet18" else _bottleneck
    net = NetworkBuilder((batch, 3, 224, 224), seed)
    x = net.batch_norm(net.conv(net.input, "conv1", 64, 7, stride=2), "bn1")
    x = net.max_pool(net.relu(x, "relu"), "maxpool", 3, 2, 1)
    for stage, count in enumerate(blocks, 1):
        for index in range(count):
            stride = 2 if stage > 1 and index == 0 else 1
            x = block(net, x, f"layer{stage}.{index}", 32 << stage, stride)
    x = net.flatten(net.global_avg_pool(x, "avgpool"))
    return net.model(net.linear(x, "fc", 1000), name)


def resnet18(batch: int, seed: int) -> onnx.ModelProto:
    """11.7 M parameters, 1000 classes."""
    return _imagenet("resnet18", (2, 2, 2, 2), batch, seed)


def resnet50(batch: int, seed: int) -> onnx.ModelProto:
    """25.6 M parameters, 1000 classes."""
    return _imagenet("resnet50", (3, 4, 6, 3), batch, seed)


def resnet20_cifar(batch: int, seed: int) -> onnx.ModelProto:
    """0.27 M parameters, 10 classes, 32x32 inputs; shortcuts without parameters (option A)."""
    net = NetworkBuilder((batch, 3, 32, 32), seed)
    x = net.relu(net.batch_norm(net.conv(net.input, "conv1", 16, 3), "bn1"), "relu")
    for stage, width in enumerate((16, 32, 64), 1):
        for index in range(3):
            prefix = f"layer{stage}.{index}"
            stride = 2 if stage > 1 and index == 0 else 1
            y = net.relu(_conv_norm(net, x, prefix, 1, width, 3, stride), f"{prefix}.relu")
            y = _conv_norm(net, y, prefix, 2, width, 3, 1)
            if stride == 2:
                x = net.subsample_and_widen(x, f"{prefix}.shortcut", width)
            x = net.relu(net.add(y, x, f"{prefix}.add"), f"{prefix}.relu_1")
    x = net.flatten(net.global_avg_pool(x, "avgpool"))
    return net.model(net.linear(x, "linear", 10), "resnet20-cifar")
