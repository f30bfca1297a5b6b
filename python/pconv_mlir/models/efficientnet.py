# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""EfficientNet-B0 (Tan and Le 2019, table 1)."""

from __future__ import annotations

import onnx

from pconv_mlir.models.builder import NetworkBuilder

# Expansion, kernel, stride of the first, output channels, repeats.
_B0 = (
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


def efficientnet_b0(batch: int, seed: int) -> onnx.ModelProto:
    """5.3 M parameters, 1000 classes."""
    net = NetworkBuilder((batch, 3, 224, 224), seed)

    def norm(x: str, name: str, filters: int, kernel: int, stride: int = 1, groups: int = 1) -> str:
        x = net.conv(x, f"{name}.0", filters, kernel, stride=stride, groups=groups)
        return net.batch_norm(x, f"{name}.1")

    def squeeze_excite(x: str, name: str, squeezed: int) -> str:
        y = net.global_avg_pool(x, f"{name}.avgpool")
        y = net.silu(net.conv(y, f"{name}.fc1", squeezed, 1, bias=True), f"{name}.activation")
        y = net.conv(y, f"{name}.fc2", net.channels(x), 1, bias=True)
        return net.mul(x, net.sigmoid(y, f"{name}.scale_activation"), name)

    def block(x: str, prefix: str, expansion: int, kernel: int, stride: int, filters: int) -> str:
        channels = net.channels(x)
        y, index, hidden = x, 0, expansion * channels
        if expansion != 1:
            y, index = net.silu(norm(y, f"{prefix}.0", hidden, 1), f"{prefix}.0.2"), 1
        name = f"{prefix}.{index}"
        y = net.silu(norm(y, name, hidden, kernel, stride, groups=hidden), f"{name}.2")
        y = squeeze_excite(y, f"{prefix}.{index + 1}", max(1, channels // 4))
        y = norm(y, f"{prefix}.{index + 2}", filters, 1)
        return net.add(y, x, f"{prefix}.add") if stride == 1 and channels == filters else y

    x = net.silu(norm(net.input, "features.0", 32, 3, 2), "features.0.2")
    for stage, (expansion, kernel, first, filters, repeats) in enumerate(_B0, 1):
        for repeat in range(repeats):
            prefix = f"features.{stage}.{repeat}.block"
            x = block(x, prefix, expansion, kernel, 1 if repeat else first, filters)
    last = f"features.{len(_B0) + 1}"
    x = net.silu(norm(x, last, 1280, 1), f"{last}.2")
    x = net.flatten(net.global_avg_pool(x, "avgpool"))
    return net.model(net.linear(x, "classifier.1", 1000), "efficientnet_b0")
