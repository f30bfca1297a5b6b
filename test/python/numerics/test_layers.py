# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every layer without a convolution kernel of its own, in all its forms, against the reference."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from nets import Net, Value, all_targets, check, ints

from pconv_mlir import reference

TARGETS = all_targets()
FUNCTIONS = ["relu", "relu6", "leaky_relu", "sigmoid", "silu", "hardswish", "hardsigmoid"]
# Images: batch, channels, rows, columns.
SHAPES = [
    (1, 1, 1, 1),
    (2, 3, 7, 14),
    (1, 17, 15, 7),
    (1, 3, 33, 56),
    (2, 64, 1, 15),
    (3, 1, 14, 1),
]

Build = Callable[[Net], list[Value]]
SINGLE: dict[str, Build] = {}  # networks of unconnected layers of one kind
JOINT: dict[str, Build] = {}  # networks whose layers have to agree with each other


def single(build: Build) -> Build:
    SINGLE[build.__name__] = build
    return build


def joint(build: Build) -> Build:
    JOINT[build.__name__] = build
    return build


# --- Layers with weights ----------------------------------------------------------------------


@single
def linear(net: Net) -> list[Value]:
    results = []
    for batch, inputs, outputs in [(1, 1, 1), (3, 17, 3), (1, 64, 33), (2, 7, 64), (1, 3, 150)]:
        weight = net.normal(outputs, inputs)
        x = net.input(batch, inputs)
        results.append(net.linear(x, weight))
        results.append(net.activate(net.linear(x, weight, bias=True), "silu"))
    pruned = np.where(net.normal(33, 17) < 0.5, 0, net.normal(33, 17))
    return [*results, net.linear(net.input(2, 17), pruned)]


def _batch_norm(net: Net, x: Value) -> Value:
    channels = x.shape[1]
    symbols = {key: net.weight(net.normal(channels)) for key in ("scale", "shift", "mean")}
    symbols["variance"] = net.weight(np.abs(net.normal(channels)) + 0.1)
    fields = ", ".join(f"{key} = {symbol}" for key, symbol in symbols.items())
    parameters = f"#pattern.batch_norm<{fields}, epsilon = 1.0e-3 : f64>"
    return net.layer("batch_norm", [x], x.shape, parameters=parameters)


@single
def batch_norm(net: Net) -> list[Value]:
    alone = [_batch_norm(net, net.input(*shape)) for shape in [*SHAPES, (3, 17)]]
    folded = net.conv(net.input(1, 3, 7, 9), net.normal(17, 3, 3, 3), padding=(1, 1, 1, 1))
    folded = net.activate(_batch_norm(net, folded), "relu")
    with_bias = net.conv(net.input(2, 3, 7, 9), net.normal(4, 3, 1, 1), bias=True)
    matrix = net.linear(net.input(2, 5), net.normal(7, 5), bias=True)
    return [*alone, folded, _batch_norm(net, with_bias), _batch_norm(net, matrix)]


# --- Pooling and resizing ---------------------------------------------------------------------


def _pools(net: Net, op: str, flags: dict[str, str]) -> list[Value]:
    results = []
    forms = [  # kernel, strides, padding
        ((2, 2), (2, 2), (0, 0, 0, 0)),
        ((3, 3), (2, 2), (1, 1, 1, 1)),
        ((3, 2), (1, 2), (1, 0, 0, 1)),
        ((5, 3), (3, 1), (2, 1, 1, 0)),
        ((1, 1), (2, 3), (0, 0, 0, 0)),
    ]
    for number, (shape, up) in enumerate(itertools.product(SHAPES[1:5], (False, True))):
        kernel, strides, padding = forms[number % len(forms)]
        if shape[2] + padding[0] + padding[2] < kernel[0]:
            kernel, padding = (1, kernel[1]), (0, padding[1], 0, padding[3])
        size = [
            _windows(shape[2 + i], kernel[i], strides[i], padding[i], padding[2 + i], up)
            for i in (0, 1)
        ]
        attributes = {"kernel": ints(*kernel), "strides": ints(*strides), "padding": ints(*padding)}
        shape_after = (*shape[:2], *size)
        results.append(net.layer(op, [net.input(*shape)], shape_after, **attributes, **flags))
    return results


def _windows(size: int, kernel: int, stride: int, before: int, after: int, up: bool) -> int:
    """Number of windows; rounded up, but none that starts behind the input."""
    rest = size + before + after - kernel
    number = (rest + (stride - 1) * up) // stride + 1
    return number - (up and (number - 1) * stride >= size + before)


@single
def max_pool(net: Net) -> list[Value]:
    dilated = net.layer(
        "max_pool2d",
        [net.input(1, 3, 14, 15)],
        (1, 3, 6, 13),
        kernel=ints(3, 2),
        strides=ints(2, 1),
        padding=ints(1, 0, 0, 0),
        dilations=ints(2, 2),
    )
    return [*_pools(net, "max_pool2d", {}), dilated]


@single
def average_pool(net: Net) -> list[Value]:
    return _pools(net, "avg_pool2d", {})


@single
def average_pool_with_padding(net: Net) -> list[Value]:
    return _pools(net, "avg_pool2d", {"count_padding": ""})


@single
def adaptive_average_pool(net: Net) -> list[Value]:
    sizes = [(1, 1), (2, 3), (7, 7), (1, 5), (9, 20)]
    pairs = [*zip(SHAPES, sizes, strict=False), (SHAPES[3], (1, 1)), (SHAPES[4], (1, 15))]
    return [
        net.layer("adaptive_avg_pool2d", [net.input(*shape)], (*shape[:2], *size))
        for shape, size in pairs
    ]


@single
def resize(net: Net) -> list[Value]:
    results = []
    sizes = [(2, 3), (14, 28), (7, 9), (1, 1), (3, 31), (28, 1)]
    for shape, size in zip(SHAPES, sizes, strict=True):
        x, after = net.input(*shape), (*shape[:2], *size)
        for mode in ("nearest", "bilinear"):
            attribute = f"#pattern.resize_mode<{mode}>"
            results.append(net.layer("resize", [x], after, mode=attribute))
        results.append(net.layer("resize", [x], after, mode=attribute, align_corners=""))
    return results


# --- Element by element -----------------------------------------------------------------------


def _stretch(net: Net, x: Value) -> Value:
    """x * 20: also values where an exponential function overflows or vanishes."""
    y = net.layer("add", [x, x], x.shape)
    for _ in range(4):
        y = net.layer("add", [y, y], y.shape)
    return y


@single
def activations(net: Net) -> list[Value]:
    results = []
    large = _stretch(net, net.input(2, 3, 5, 7))
    for number, function in enumerate(FUNCTIONS):
        shape = SHAPES[number % len(SHAPES)]
        results.append(net.activate(net.input(*shape[: 4 - number % 2 * 2]), function))
        results.append(net.activate(large, function))
    return results


@single
def activations_after_a_convolution(net: Net) -> list[Value]:
    x = net.input(1, 3, 7, 9)
    return [net.activate(net.conv(x, net.normal(3, 3, 1, 1)), each) for each in FUNCTIONS]


def _binary(net: Net, op: str) -> list[Value]:
    pairs = [
        *[(shape, shape) for shape in SHAPES],
        ((2, 3, 7, 14), (2, 3, 1, 1)),
        ((2, 3, 7, 14), (1, 3, 1, 1)),
        ((2, 3, 7, 14), (1, 1, 1, 1)),
        ((2, 3, 7, 14), (2, 1, 7, 14)),
        ((1, 3, 15, 7), (1, 3, 15, 1)),
        ((1, 3, 15, 7), (1, 1, 1, 7)),
        ((3, 17), (3, 17)),
        ((3, 17), (1, 17)),
        ((3, 17), (3, 1)),
    ]
    results = []
    for number, (left, right) in enumerate(pairs):
        y = net.layer(op, [net.input(*left), net.input(*right)], left)
        results.append(net.activate(y, FUNCTIONS[number % 7]) if number % 2 else y)
    x = net.input(1, 3, 7, 9)
    return [*results, net.layer(op, [x, x], x.shape)]


@single
def add(net: Net) -> list[Value]:
    return _binary(net, "add")


@single
def mul(net: Net) -> list[Value]:
    return _binary(net, "mul")


@single
def large_kernels(net: Net) -> list[Value]:
    """More cells than are unrolled, on whole planes and on such that are dealt out by strides."""
    x = net.input(1, 3, 21, 24)
    weight = net.normal(5, 3, 17, 16) / 16
    return [
        net.conv(x, weight, padding=(3, 2, 1, 4), strides=strides, bias=True)
        for strides in ((1, 1), (2, 3))
    ]


@single
def concat(net: Net) -> list[Value]:
    results = []
    for axis in range(4):
        shapes = [[2, 3, 7, 5] for _ in range(3)]
        for shape, size in zip(shapes, (1, 4, 2), strict=True):
            shape[axis] = size
        results.append(_concat(net, [net.input(*shape) for shape in shapes], axis))
    results += [_concat(net, [net.input(3, 17), net.input(3, 4)], 1)]
    results += [_concat(net, [net.input(1, 17), net.input(3, 17)], 0)]
    x = net.input(1, 3, 15, 33)
    return [*results, _concat(net, [x, x], 1), _concat(net, [x], 2)]


def _concat(net: Net, parts: list[Value], axis: int) -> Value:
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    return net.layer("concat", parts, shape, axis=f"{axis} : i64")


@single
def softmax(net: Net) -> list[Value]:
    results = []
    for axis, shape in enumerate([(2, 3, 7, 14), (1, 17, 3, 5), (2, 3, 15, 7), (1, 1, 2, 33)]):
        results.append(net.layer("softmax", [net.input(*shape)], shape, axis=f"{axis} : i64"))
    for axis, shape in enumerate([(3, 5), (2, 150)]):
        x = _stretch(net, net.input(*shape))
        results.append(net.layer("softmax", [x], shape, axis=f"{axis} : i64"))
    return results


# --- Layers together --------------------------------------------------------------------------


def _pruned(net: Net, filters: int, channels: int, size: int = 3) -> np.ndarray:
    """Two kernel patterns, and no kernel in half of the places."""
    weight = net.normal(filters, channels, size, size)
    keep = np.zeros((2, size, size), np.bool_)
    keep[0, :2, :2], keep[1, -2:, -1] = True, True
    chosen = keep[net.rng.integers(2, size=(filters, channels))]
    chosen &= (net.rng.random((filters, channels)) < 0.5)[..., None, None]
    chosen[0, 0] = True
    return weight * chosen / np.float32(np.sqrt(channels * 2))


@joint
def planes_of_one_value(net: Net) -> list[Value]:
    """One tensor is read with different borders and strides, in halves of it, and returned."""
    x = net.activate(net.conv(net.input(1, 3, 14, 15), net.normal(17, 3, 1, 1)), "relu")
    wide = net.conv(x, _pruned(net, 5, 17, 5), padding=(2, 2, 2, 2))
    near = net.conv(x, _pruned(net, 5, 17), padding=(1, 1, 1, 1))
    none = net.conv(x, _pruned(net, 5, 17), padding=(0, 0, 0, 0))
    half = net.conv(x, _pruned(net, 5, 17), padding=(1, 1, 1, 1), strides=(2, 2))
    thin = net.conv(x, net.normal(5, 17, 1, 1), strides=(2, 1))
    both = net.layer("add", [wide, near], wide.shape)
    return [x, both, near, none, half, thin]


@joint
def reshapes(net: Net) -> list[Value]:
    x = net.input(2, 3, 7, 8)
    y = net.conv(x, _pruned(net, 6, 3), padding=(1, 1, 1, 1))
    flat = net.layer("reshape", [y], (2, 6 * 7 * 8))
    z = net.linear(flat, net.normal(4 * 5 * 3, 6 * 7 * 8) / np.float32(18))
    z = net.layer("reshape", [z], (2, 4, 5, 3))
    folded = net.layer("reshape", [y], (2, 3, 14, 8))
    again = net.layer("reshape", [flat], (4, 3, 7, 8))
    return [
        net.conv(z, _pruned(net, 3, 4), padding=(1, 1, 1, 1)),
        net.conv(folded, _pruned(net, 4, 3), padding=(0, 1, 1, 0)),
        again,
    ]


@joint
def hourglass(net: Net) -> list[Value]:
    """Down, up, and the early planes beside the late ones."""
    x = net.input(1, 3, 22, 26)
    a = net.activate(net.conv(x, net.normal(8, 3, 3, 3) / 5, padding=(1, 1, 1, 1)), "relu")
    down = net.layer("max_pool2d", [a], (1, 8, 11, 13), kernel=ints(2, 2), strides=ints(2, 2))
    b = net.activate(net.conv(down, _pruned(net, 16, 8), padding=(1, 1, 1, 1)), "silu")
    c = net.conv(b, _pruned(net, 16, 16), strides=(2, 2), padding=(1, 1, 1, 1))
    mean = net.layer("adaptive_avg_pool2d", [c], (1, 16, 1, 1))
    gate = net.activate(net.conv(mean, net.normal(16, 16, 1, 1) / 4, bias=True), "hardsigmoid")
    c = net.layer("mul", [c, gate], c.shape)
    up = net.layer("resize", [c], (1, 16, 22, 26), mode="#pattern.resize_mode<bilinear>")
    joined = _concat(net, [up, a], 1)
    y = net.conv(joined, _pruned(net, 8, 24), padding=(1, 1, 1, 1), bias=True)
    return [net.activate(net.layer("add", [y, a], y.shape), "relu")]


@joint
def depthwise_blocks(net: Net) -> list[Value]:
    """Inverted residuals, as in MobileNet."""
    x = net.input(2, 17, 15, 14)
    for stride in (1, 2):
        y = net.activate(net.conv(x, net.normal(34, 17, 1, 1) / 4, bias=True), "relu6")
        deep, pad = net.normal(34, 1, 5, 5) / 5, (2, 2, 2, 2)
        y = net.conv(y, deep, groups=34, padding=pad, strides=(stride, stride), bias=True)
        y = net.conv(net.activate(y, "hardswish"), net.normal(17, 34, 1, 1) / 6)
        x = net.layer("add", [y, x], x.shape) if stride == 1 else y
    return [x]


# --- The tests --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SINGLE)
def test_layers_of_one_kind(name: str) -> None:
    net = Net()
    check(net.module(*SINGLE[name](net)), TARGETS["avx512"])


@pytest.mark.parametrize("name", ["linear", "batch_norm", "activations", "add", "softmax"])
@pytest.mark.parametrize("target", ["sse"])  # narrow, and without a fused multiply-add
def test_layers_of_one_kind_that_compute(name: str, target: str) -> None:
    net = Net()
    check(net.module(*SINGLE[name](net)), TARGETS[target])


@pytest.mark.parametrize("target", ["avx2", "neon"])  # few registers and many
@pytest.mark.parametrize("name", JOINT)
def test_layers_together(name: str, target: str, workshop: Path) -> None:
    net = Net()
    check(net.module(*JOINT[name](net)), TARGETS[target], workshop)


@pytest.mark.parametrize(("lanes", "registers"), [(2, 4), (64, 32)])
def test_machines_that_nobody_has(lanes: int, registers: int, workshop: Path) -> None:
    net = Net()
    machine = TARGETS["host"].override(lanes=lanes, registers=registers)
    check(net.module(*hourglass(net)), machine, workshop)


def test_the_pools_round_as_the_reference_does() -> None:
    """The sizes above are those of the formula."""
    assert _windows(7, 3, 2, 1, 1, False) == reference.window_size(7, 3, 2, 2, 1) == 4
    assert _windows(15, 2, 2, 0, 0, True) == 8
    assert _windows(3, 1, 3, 0, 0, True) == 1
