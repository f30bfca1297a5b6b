# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""VGG-16 (Simonyan and Zisserman 2014, table 1, configuration D) and networks of its style."""

from __future__ import annotations

import onnx

from pconv_mlir.models.builder import NetworkBuilder

# Filters of each convolution; 0 is a 2x2 max pooling.
_LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)

_FASHION_BLOCKS = ((32,), (64, 64), (128, 128))
_KINDS = ("conv", "bn", "relu")


def _features(net: NetworkBuilder) -> str:
    x, index = net.input, 0
    for filters in _LAYERS:
        if filters:
            x = net.conv(x, f"features.{index}", filters, 3, bias=True)
            x = net.relu(x, f"features.{index + 1}")
            index += 2
        else:
            x = net.max_pool(x, f"features.{index}", 2, 2)
            index += 1
    return x


def vgg16(batch: int, seed: int) -> onnx.ModelProto:
    """The whole network: 138 M parameters, 1000 classes."""
    net = NetworkBuilder((batch, 3, 224, 224), seed)
    x = net.flatten(_features(net))
    for index in (0, 3):
        x = net.relu(net.linear(x, f"classifier.{index}", 4096), f"classifier.{index + 1}")
    return net.model(net.linear(x, "classifier.6", 1000), "vgg16")


def vgg16_conv(batch: int, seed: int) -> onnx.ModelProto:
    """The 13 convolutions with their activations and poolings."""
    net = NetworkBuilder((batch, 3, 224, 224), seed)
    return net.model(_features(net), "vgg16-conv")


def vgg16_cifar(batch: int, seed: int) -> onnx.ModelProto:
    """14.7 M parameters, 10 classes, 32x32 inputs; batch norm and a single linear layer."""
    net = NetworkBuilder((batch, 3, 32, 32), seed)
    x, index = net.input, 0
    for filters in _LAYERS:
        if filters:
            x = _conv_norm(net, x, [f"features.{index + i}" for i in range(3)], filters)
            index += 3
        else:
            x = net.max_pool(x, f"features.{index}", 2, 2)
            index += 1
    return net.model(net.linear(net.flatten(x), "classifier", 10), "vgg16-cifar")


def vgg_fashion(batch: int, seed: int) -> onnx.ModelProto:
    """0.28 M parameters, 10 classes, 28x28 grey inputs: the network of the demo."""
    net = NetworkBuilder((batch, 1, 28, 28), seed)
    x = net.input
    for number, block in enumerate(_FASHION_BLOCKS, 1):
        if number > 1:
            x = net.max_pool(x, f"pool{number - 1}", 2, 2)
        for index, filters in enumerate(block, 1):
            x = _conv_norm(net, x, [f"{kind}{number}_{index}" for kind in _KINDS], filters)
    x = net.flatten(net.global_avg_pool(x, f"pool{len(_FASHION_BLOCKS)}"))
    return net.model(net.linear(x, "fc", 10), "vgg-fashion")


def _conv_norm(net: NetworkBuilder, x: str, names: list[str], filters: int) -> str:
    conv, norm, relu = names
    return net.relu(net.batch_norm(net.conv(x, conv, filters, 3), norm), relu)
