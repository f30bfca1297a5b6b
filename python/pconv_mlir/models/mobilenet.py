# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""MobileNet-V2 (Sandler et al. 2018, table 2) and V3-Large (Howard et al. 2019, table 1)."""

from __future__ import annotations

import onnx

from pconv_mlir.models.builder import NetworkBuilder

# Expansion, output channels, repeats, stride of the first.
_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# Kernel, expanded channels, output channels, squeeze and excite, activation, stride.
_V3_LARGE = (
    (3, 16, 16, False, "relu", 1),
    (3, 64, 24, False, "relu", 2),
    (3, 72, 24, False, "relu", 1),
    (5, 72, 40, True, "relu", 2),
    (5, 120, 40, True, "relu", 1),
    (5, 120, 40, True, "relu", 1),
    (3, 240, 80, False, "hardswish", 2),
    (3, 200, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 184, 80, False, "hardswish", 1),
    (3, 480, 112, True, "hardswish", 1),
    (3, 672, 112, True, "hardswish", 1),
    (5, 672, 160, True, "hardswish", 2),
    (5, 960, 160, True, "hardswish", 1),
    (5, 960, 160, True, "hardswish", 1),
)


def _rounded(channels: int) -> int:
    """The multiple of 8 nearest to `channels`, but not below 90 % of it."""
    rounded = max(8, (channels + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * channels else rounded + 8


def mobilenet_v2(batch: int, seed: int) -> onnx.ModelProto:
    """3.5 M parameters, 1000 classes."""
    net = NetworkBuilder((batch, 3, 224, 224), seed)

    def layer(
        x: str, name: str, filters: int, kernel: int, stride: int = 1, groups: int = 1
    ) -> str:
        x = net.conv(x, f"{name}.0", filters, kernel, stride=stride, groups=groups)
        return net.relu6(net.batch_norm(x, f"{name}.1"), f"{name}.2")

    def block(x: str, prefix: str, expansion: int, filters: int, stride: int) -> str:
        y, index, hidden = x, 0, expansion * net.channels(x)
        if expansion != 1:
            y, index = layer(y, f"{prefix}.conv.0", hidden, 1), 1
        y = layer(y, f"{prefix}.conv.{index}", hidden, 3, stride, groups=hidden)
        y = net.conv(y, f"{prefix}.conv.{index + 1}", filters, 1)
        y = net.batch_norm(y, f"{prefix}.conv.{index + 2}")
        same = stride == 1 and net.channels(x) == filters
        return net.add(x, y, f"{prefix}.add") if same else y

    x, index = layer(net.input, "features.0", 32, 3, 2), 1
    for expansion, filters, repeats, first in _V2:
        for repeat in range(repeats):
            x = block(x, f"features.{index}", expansion, filters, 1 if repeat else first)
            index += 1
    x = layer(x, f"features.{index}", 1280, 1)
    x = net.flatten(net.global_avg_pool(x, "avgpool"))
    return net.model(net.linear(x, "classifier.1", 1000), "mobilenet_v2")


def mobilenet_v3_large(batch: int, seed: int) -> onnx.ModelProto:
    """5.5 M parameters, 1000 classes."""
    net = NetworkBuilder((batch, 3, 224, 224), seed)
    activations = {"relu": net.relu, "hardswish": net.hardswish}

    def norm(x: str, name: str, filters: int, kernel: int, stride: int = 1, groups: int = 1) -> str:
        x = net.conv(x, f"{name}.0", filters, kernel, stride=stride, groups=groups)
        return net.batch_norm(x, f"{name}.1", epsilon=1e-3)

    def squeeze_excite(x: str, name: str) -> str:
        channels = net.channels(x)
        y = net.global_avg_pool(x, f"{name}.avgpool")
        y = net.conv(y, f"{name}.fc1", _rounded(channels // 4), 1, bias=True)
        y = net.conv(net.relu(y, f"{name}.activation"), f"{name}.fc2", channels, 1, bias=True)
        return net.mul(x, net.hardsigmoid(y, f"{name}.scale_activation"), name)

    def block(
        x: str, prefix: str, kernel: int, hidden: int, filters: int, se: bool, act: str, stride: int
    ) -> str:
        activate = activations[act]
        y, index = x, 0
        if hidden != net.channels(x):
            y, index = activate(norm(y, f"{prefix}.0", hidden, 1), f"{prefix}.0.2"), 1
        name = f"{prefix}.{index}"
        y = activate(norm(y, name, hidden, kernel, stride, groups=hidden), f"{name}.2")
        if se:
            index += 1
            y = squeeze_excite(y, f"{prefix}.{index}")
        y = norm(y, f"{prefix}.{index + 1}", filters, 1)
        same = stride == 1 and net.channels(x) == filters
        return net.add(y, x, f"{prefix}.add") if same else y

    x = net.hardswish(norm(net.input, "features.0", 16, 3, 2), "features.0.2")
    for index, row in enumerate(_V3_LARGE, 1):
        x = block(x, f"features.{index}.block", *row)
    last = f"features.{len(_V3_LARGE) + 1}"
    x = net.hardswish(norm(x, last, 960, 1), f"{last}.2")
    x = net.flatten(net.global_avg_pool(x, "avgpool"))
    x = net.hardswish(net.linear(x, "classifier.0", 1280), "classifier.1")
    return net.model(net.linear(x, "classifier.3", 1000), "mobilenet_v3_large")
