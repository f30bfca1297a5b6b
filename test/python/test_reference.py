# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The NumPy reference against the formulas written out as loops, and against torch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pconv_mlir import reference
from pconv_mlir.errors import ModelError, ShapeError
from pconv_mlir.module import Module, TensorSpec

RNG = np.random.default_rng(7)


def normal(*shape: int) -> NDArray[np.float64]:
    return RNG.standard_normal(shape)


def loop_conv2d(
    x: Any, w: Any, strides: Any, padding: Any, dilations: Any, groups: int
) -> NDArray[Any]:
    """The sum in the description of `pattern.conv2d`, index by index."""
    n, _, height, width = x.shape
    filters, depth, kh, kw = w.shape
    top, left, bottom, right = padding
    oh = (height + top + bottom - (kh - 1) * dilations[0] - 1) // strides[0] + 1
    ow = (width + left + right - (kw - 1) * dilations[1] - 1) // strides[1] + 1
    out = np.zeros((n, filters, oh, ow))
    for b, o, y, c in np.ndindex(out.shape):
        group = o // (filters // groups)
        for i, r, s in np.ndindex(depth, kh, kw):
            row = y * strides[0] + r * dilations[0] - top
            column = c * strides[1] + s * dilations[1] - left
            if 0 <= row < height and 0 <= column < width:
                out[b, o, y, c] += w[o, i, r, s] * x[b, group * depth + i, row, column]
    return out


@pytest.mark.parametrize(
    ("channels", "filters", "kernel", "strides", "padding", "dilations", "groups"),
    [
        (3, 4, (3, 3), (1, 1), (1, 1, 1, 1), (1, 1), 1),
        (3, 4, (3, 3), (2, 1), (0, 2, 1, 0), (1, 1), 1),
        (4, 6, (3, 5), (1, 2), (1, 2, 1, 2), (1, 1), 2),
        (4, 4, (3, 3), (2, 2), (1, 1, 1, 1), (1, 1), 4),
        (2, 6, (3, 3), (1, 1), (2, 1, 2, 1), (2, 1), 2),
        (3, 2, (1, 1), (2, 2), (0, 0, 0, 0), (1, 1), 1),
        (2, 3, (2, 4), (1, 1), (0, 0, 0, 0), (1, 2), 1),
    ],
)
def test_conv2d_is_the_sum_of_its_description(
    channels: int,
    filters: int,
    kernel: Any,
    strides: Any,
    padding: Any,
    dilations: Any,
    groups: int,
) -> None:
    x, w, bias = (
        normal(2, channels, 7, 8),
        normal(filters, channels // groups, *kernel),
        normal(filters),
    )
    expected = loop_conv2d(x, w, strides, padding, dilations, groups)
    residual = normal(*expected.shape)
    got = reference.conv2d(
        x,
        w,
        bias,
        residual=residual,
        strides=strides,
        padding=padding,
        dilations=dilations,
        groups=groups,
    )
    np.testing.assert_allclose(got, expected + bias[:, None, None] + residual, atol=1e-12)


def test_conv2d_refuses_channels_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="3 channels"):
        reference.conv2d(normal(1, 3, 4, 4), normal(2, 4, 1, 1))


def loop_pool(
    x: Any, kernel: Any, strides: Any, padding: Any, dilations: Any, size: Any, reduce: Any
) -> NDArray[Any]:
    """Reduces the list of (inside, in the padding, value) of each window."""
    top, left, bottom, right = padding
    height, width = x.shape[2:]
    out = np.zeros((*x.shape[:2], *size))
    for n, c, i, j in np.ndindex(out.shape):
        cells = []
        for r, s in itertools.product(range(kernel[0]), range(kernel[1])):
            row = i * strides[0] + r * dilations[0] - top
            column = j * strides[1] + s * dilations[1] - left
            inside = 0 <= row < height and 0 <= column < width
            counted = row < height + bottom and column < width + right
            cells.append((inside, counted, x[n, c, row, column] if inside else 0.0))
        out[n, c, i, j] = reduce(cells)
    return out


POOLS = [
    ((2, 2), (2, 2), (0, 0, 0, 0), (3, 4)),
    ((3, 2), (1, 2), (1, 0, 1, 1), (7, 5)),
    ((3, 3), (2, 2), (1, 1, 1, 1), (4, 5)),  # rounded up
    ((2, 2), (2, 2), (0, 0, 0, 0), (4, 5)),  # rounded up, windows reach beyond the padding
]


@pytest.mark.parametrize(("kernel", "strides", "padding", "size"), POOLS)
def test_max_pool2d(kernel: Any, strides: Any, padding: Any, size: Any) -> None:
    x = normal(2, 3, 7, 9) - 5.0  # negative: a border of zeros would win
    expected = loop_pool(
        x, kernel, strides, padding, (1, 1), size, lambda cells: max(v for i, _, v in cells if i)
    )
    got = reference.max_pool2d(x, kernel, strides=strides, padding=padding, size=size)
    np.testing.assert_array_equal(got, expected)


def test_max_pool2d_with_dilation() -> None:
    x = normal(1, 2, 7, 9)
    expected = loop_pool(
        x, (2, 3), (1, 1), (0, 0, 0, 0), (3, 2), (4, 5), lambda cells: max(v for _, _, v in cells)
    )
    got = reference.max_pool2d(x, (2, 3), dilations=(3, 2), size=(4, 5))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("count_padding", [False, True])
@pytest.mark.parametrize(("kernel", "strides", "padding", "size"), POOLS)
def test_avg_pool2d(
    kernel: Any, strides: Any, padding: Any, size: Any, count_padding: bool
) -> None:
    def mean(cells: Any) -> float:
        return sum(v for _, _, v in cells) / sum(c if count_padding else i for i, c, _ in cells)

    x = normal(2, 3, 7, 9)
    expected = loop_pool(x, kernel, strides, padding, (1, 1), size, mean)
    got = reference.avg_pool2d(
        x, kernel, strides=strides, padding=padding, count_padding=count_padding, size=size
    )
    np.testing.assert_allclose(got, expected, atol=1e-12)


def test_adaptive_avg_pool2d() -> None:
    x = normal(2, 3, 7, 5)
    expected = np.empty((2, 3, 3, 4))
    for i, j in np.ndindex(3, 4):
        rows = [r for r in range(7) if (i * 7) // 3 <= r < math.ceil((i + 1) * 7 / 3)]
        columns = [c for c in range(5) if (j * 5) // 4 <= c < math.ceil((j + 1) * 5 / 4)]
        expected[:, :, i, j] = x[:, :, rows][:, :, :, columns].mean((2, 3))
    np.testing.assert_allclose(reference.adaptive_avg_pool2d(x, (3, 4)), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("function", "alpha", "formula"),
    [
        ("identity", None, lambda v: v),
        ("relu", None, lambda v: max(v, 0)),
        ("relu6", None, lambda v: min(max(v, 0), 6)),
        ("leaky_relu", 0.1, lambda v: v if v > 0 else 0.1 * v),
        ("sigmoid", None, lambda v: 1 / (1 + math.exp(-v))),
        ("silu", None, lambda v: v / (1 + math.exp(-v))),
        ("hardsigmoid", None, lambda v: min(max(v / 6 + 0.5, 0), 1)),
        ("hardswish", None, lambda v: v * min(max(v / 6 + 0.5, 0), 1)),
    ],
)
def test_activations(function: str, alpha: float | None, formula: Callable[[float], float]) -> None:
    x = np.array([-700.0, -7.0, -3.0, -1.5, -0.1, 0.0, 0.1, 2.0, 3.0, 6.0, 7.0, 700.0])
    expected = [formula(v) for v in x]
    np.testing.assert_allclose(reference.activate(x, function, alpha), expected, atol=1e-15)


def test_an_unknown_activation_is_an_error() -> None:
    with pytest.raises(ModelError, match="gelu"):
        reference.activate(normal(3), "gelu")


def test_linear_over_more_rows_than_are_widened_at_a_time() -> None:
    x, w, b = normal(2, 5), normal(1100, 5), normal(1100)
    np.testing.assert_allclose(
        reference.linear(x, w, b), np.einsum("ni,oi->no", x, w) + b, atol=1e-12
    )


def test_softmax_of_large_numbers() -> None:
    got = reference.softmax(np.array([[1000.0, 1001.0], [-1000.0, -1000.0]]), 1)
    e = 1 / (1 + math.exp(1))
    np.testing.assert_allclose(got, [[e, 1 - e], [0.5, 0.5]])


@pytest.mark.parametrize("size", [(14, 10), (3, 13), (7, 1)])
@pytest.mark.parametrize(
    ("mode", "align_corners"), [("nearest", False), ("bilinear", False), ("bilinear", True)]
)
def test_resize_as_torch(size: Any, mode: str, align_corners: bool) -> None:
    torch = pytest.importorskip("torch")
    x = normal(2, 3, 7, 5)
    options = {} if mode == "nearest" else {"align_corners": align_corners}
    expected = torch.nn.functional.interpolate(torch.from_numpy(x), size, mode=mode, **options)
    got = reference.resize(x, size, mode, align_corners=align_corners)
    np.testing.assert_allclose(got, expected.numpy(), atol=1e-12)


def test_layers_as_torch() -> None:
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    x = normal(2, 4, 9, 7)
    t = torch.from_numpy(x)
    w = normal(6, 2, 3, 3)
    np.testing.assert_allclose(
        reference.conv2d(x, w, strides=(2, 1), padding=(1, 2, 1, 2), dilations=(1, 2), groups=2),
        functional.conv2d(
            t, torch.from_numpy(w), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2
        ),
        atol=1e-12,
    )
    scale, shift, mean, variance = normal(4), normal(4), normal(4), normal(4) ** 2
    np.testing.assert_allclose(
        reference.batch_norm(x, scale, shift, mean, variance, 1e-3),
        functional.batch_norm(
            t, *(torch.from_numpy(v) for v in (mean, variance, scale, shift)), eps=1e-3
        ),
        atol=1e-12,
    )
    np.testing.assert_allclose(
        reference.avg_pool2d(
            x, (3, 3), strides=(2, 2), padding=(1, 1, 1, 1), count_padding=True, size=(5, 4)
        ),
        functional.avg_pool2d(t, 3, 2, 1, ceil_mode=True),
        atol=1e-12,
    )


FUSED = """
module attributes {pattern.stage = "fused"} {
  pattern.weights @"a conv" : tensor<4x3x3x3xf32>, #pattern.dense
  pattern.weights @bias : tensor<4xf32>, #pattern.dense
  pattern.weights @scale : tensor<4xf32>, #pattern.dense
  pattern.weights @shift : tensor<4xf32>, #pattern.dense
  pattern.weights @mean : tensor<4xf32>, #pattern.dense
  pattern.weights @"bn \\"var\\"" : tensor<4xf32>, #pattern.dense
  pattern.weights @"a conv.folded" : tensor<4x3x3x3xf32>, #pattern.dense source(@"a conv")
      batch_norm(#pattern.batch_norm<scale = @scale, shift = @shift, mean = @mean,
                                     variance = @"bn \\"var\\"", epsilon = 0.5 : f64>)
  pattern.weights @bias.folded : tensor<4xf32>, #pattern.dense source(@bias)
      batch_norm(#pattern.batch_norm<scale = @scale, shift = @shift, mean = @mean,
                                     variance = @"bn \\"var\\"", epsilon = 0.5 : f64>)
  func.func @main(%x: tensor<1x3x5x7xf32>, %r: tensor<1x4x5x7xf32>) -> tensor<1x4x2x3xf32> {
    %y = pattern.conv2d %x weights(@"a conv.folded") bias(@bias.folded)
        residual(%r : tensor<1x4x5x7xf32>)
        {padding = array<i64: 1, 1, 1, 1>,
         activation = #pattern.activation<leaky_relu, alpha = 0.25 : f32>,
         pool = #pattern.pool<max, kernel = [2, 3], strides = [2, 2]>}
        : tensor<1x3x5x7xf32> -> tensor<1x4x2x3xf32>
    return %y : tensor<1x4x2x3xf32>
  }
}
"""
PLAIN = """
module attributes {pattern.stage = "imported"} {
  pattern.weights @"a conv" : tensor<4x3x3x3xf32>, #pattern.dense
  pattern.weights @bias : tensor<4xf32>, #pattern.dense
  pattern.weights @scale : tensor<4xf32>, #pattern.dense
  pattern.weights @shift : tensor<4xf32>, #pattern.dense
  pattern.weights @mean : tensor<4xf32>, #pattern.dense
  pattern.weights @"bn \\"var\\"" : tensor<4xf32>, #pattern.dense
  func.func @main(%x: tensor<1x3x5x7xf32>, %r: tensor<1x4x5x7xf32>) -> tensor<1x4x2x3xf32> {
    %0 = pattern.conv2d %x weights(@"a conv") bias(@bias) {padding = array<i64: 1, 1, 1, 1>}
        : tensor<1x3x5x7xf32> -> tensor<1x4x5x7xf32>
    %1 = pattern.batch_norm %0 {parameters = #pattern.batch_norm<scale = @scale, shift = @shift,
        mean = @mean, variance = @"bn \\"var\\"", epsilon = 0.5 : f64>}
        : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %2 = pattern.add %1, %r : tensor<1x4x5x7xf32>, tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %3 = pattern.activate %2 {activation = #pattern.activation<leaky_relu, alpha = 0.25 : f32>}
        : tensor<1x4x5x7xf32> -> tensor<1x4x5x7xf32>
    %4 = pattern.max_pool2d %3 {kernel = array<i64: 2, 3>, strides = array<i64: 2, 2>}
        : tensor<1x4x5x7xf32> -> tensor<1x4x2x3xf32>
    return %4 : tensor<1x4x2x3xf32>
  }
}
"""


def small_module(text: str) -> Module:
    rng = np.random.default_rng(3)
    vectors = ("bias", "scale", "shift", "mean", 'bn "var"')
    shapes = {"a conv": (4, 3, 3, 3)} | dict.fromkeys(vectors, (4,))
    return Module(
        text,
        {name: rng.uniform(0.5, 1.5, shape).astype(np.float32) for name, shape in shapes.items()},
        [TensorSpec("x", (1, 3, 5, 7)), TensorSpec("r", (1, 4, 5, 7))],
        [TensorSpec("y", (1, 4, 2, 3))],
    )


def test_run_gives_a_fused_layer_the_meaning_of_its_parts() -> None:
    inputs = normal(1, 3, 5, 7), 10 * normal(1, 4, 5, 7)
    (fused,) = reference.run(small_module(FUSED), *inputs)
    (plain,) = reference.run(small_module(PLAIN), *inputs)
    assert fused.dtype == np.float64 and (fused < 0).any() and (fused > 0).any()
    np.testing.assert_allclose(fused, plain, rtol=1e-12)


def test_run_refuses_another_shape() -> None:
    with pytest.raises(ShapeError, match=r"\(1, 3, 5, 7\)"):
        reference.run(small_module(PLAIN), normal(1, 3, 5, 6), normal(1, 4, 5, 7))


def test_run_refuses_malformed_ir() -> None:
    with pytest.raises(ModelError, match="malformed"):
        reference.run(Module("module {", {}, [], []))
