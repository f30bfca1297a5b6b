# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""VGG-16 (Simonyan and Zisserman 2014, table 1, configuration D)."""

from __future__ import annotations

import onnx

from pconv_mlir.models.builder import NetworkBuilder

# Filters of each convolution; 0 is a 2x2 max pooling.
_LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)


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
