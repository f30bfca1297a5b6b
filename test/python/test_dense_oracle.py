# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every op means the same to `convert-pattern-to-linalg`, lowered by upstream and run, as to NumPy.

So does what `convert-linalg-to-pattern` finds again, and what the compiler makes of a network.
"""

from __future__ import annotations

import re

import dense
import numpy as np
import pytest
from numpy.typing import NDArray

import pconv_mlir as pconv
from pconv_mlir import passes, reference
from pconv_mlir.module import Module, TensorSpec

Shape = tuple[int, ...]
TOLERANCE = 2e-5  # relative to the largest number of the output


def tensor(shape: Shape) -> str:
    return f"tensor<{'x'.join(map(str, shape))}xf32>"


def shapes(text: str) -> list[Shape]:
    """The shapes of the tensor types in a text."""
    found = re.findall(r"tensor<((?:\d+x)+)f32>", text)
    return [tuple(int(size) for size in sizes.rstrip("x").split("x")) for sizes in found]


def network(op: str, weights: dict[str, Shape], recipes: str = "") -> Module:
    """A network of one op, which takes %0, %1, ..., with random weights.

    `recipes` are further lines of the module, for weights that are made from others.
    """
    *inputs, output = shapes(op)
    arguments = ", ".join(f"%{i}: {tensor(shape)}" for i, shape in enumerate(inputs))
    lines = [
        'module attributes {pattern.stage = "imported"} {',
        *(f"pattern.weights @{name} : {tensor(s)}, #pattern.dense" for name, s in weights.items()),
        recipes,
        f"func.func @main({arguments}) -> {tensor(output)} {{",
        f"  %y = {op}",
        f"  return %y : {tensor(output)}",
        "}}",
    ]
    return with_weights("\n".join(lines))


def with_weights(text: str) -> Module:
    """A network with random weights for every symbol that has values of its own."""
    rng = np.random.default_rng(0)
    weights = {}
    for name, line in re.findall(r"pattern\.weights @(\w+) : (.*)", text):
        if "batch_norm" not in line:
            low, high = (0.5, 2) if name == "v" else (-2, 2)  # a variance is positive
            weights[name] = np.asarray(rng.uniform(low, high, shapes(line)[0]), np.float32)
    head = next(line for line in text.splitlines() if "func.func" in line)
    inputs, output = (shapes(part) for part in head.split("->"))
    specs = [TensorSpec(f"x{i}", shape) for i, shape in enumerate(inputs)]
    return Module(text, weights, specs, [TensorSpec("y", output[0])])


def random_inputs(module: Module, seed: int = 1) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return [np.asarray(3 * rng.standard_normal(s.shape), np.float32) for s in module.inputs]


def check(module: Module) -> None:
    """Compares the dense meaning with the reference."""
    inputs = random_inputs(module)
    for got, want in zip(dense.run(module, *inputs), reference.run(module, *inputs), strict=True):
        assert_close(got, want)


def assert_close(got: NDArray[np.float32], want: NDArray[np.float64]) -> None:
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= TOLERANCE * max(1, np.abs(want).max())


def conv(
    x: Shape,
    weights: Shape,
    strides: tuple[int, int] = (1, 1),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    dilations: tuple[int, int] = (1, 1),
    groups: int = 1,
    more: str = "",
) -> str:
    size = [
        reference.window_size(
            x[2 + i], weights[2 + i], strides[i], padding[i] + padding[2 + i], dilations[i]
        )
        for i in (0, 1)
    ]
    attributes = (
        f"strides = array<i64: {strides[0]}, {strides[1]}>, "
        f"padding = array<i64: {', '.join(map(str, padding))}>, "
        f"dilations = array<i64: {dilations[0]}, {dilations[1]}>, groups = {groups} : i64"
    )
    out = (x[0], weights[0], *size)
    return f"pattern.conv2d %0 weights(@w) {{{attributes}{more}}} : {tensor(x)} -> {tensor(out)}"


@pytest.mark.parametrize(
    ("x", "weights"),
    [
        ((1, 1, 1, 1), (1, 1, 1, 1)),
        ((1, 3, 7, 5), (4, 3, 3, 3)),
        ((2, 17, 15, 14), (3, 17, 3, 3)),
        ((1, 3, 33, 21), (5, 3, 7, 7)),
        ((1, 64, 14, 9), (17, 64, 1, 1)),
        ((1, 4, 9, 13), (6, 4, 1, 5)),
    ],
)
@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (2, 1)])
@pytest.mark.parametrize("padding", [(0, 0, 0, 0), (1, 1, 1, 1), (0, 2, 1, 0)])
def test_conv2d(
    x: Shape, weights: Shape, strides: tuple[int, int], padding: tuple[int, int, int, int]
) -> None:
    check(network(conv(x, weights, strides, padding), {"w": weights}))


def test_conv2d_of_a_large_plane() -> None:
    x, weights = (1, 17, 56, 33), (8, 17, 3, 3)
    check(network(conv(x, weights, padding=(1, 1, 1, 1)), {"w": weights}))


def test_conv2d_with_dilations() -> None:
    x, weights = (1, 3, 15, 11), (4, 3, 3, 2)
    check(network(conv(x, weights, (1, 2), (2, 0, 2, 3), (2, 3)), {"w": weights}))


@pytest.mark.parametrize(("groups", "filters"), [(2, 6), (4, 4), (4, 12)])
def test_conv2d_with_groups(groups: int, filters: int) -> None:
    weights = (filters, 4 // groups, 3, 2)
    op = conv((2, 4, 7, 9), weights, (2, 1), (1, 0, 1, 1), groups=groups)
    check(network(op, {"w": weights}))


def test_conv2d_with_all_that_follows() -> None:
    op = (
        "pattern.conv2d %1 weights(@w) bias(@b) residual(%0 : tensor<1x5x6x9xf32>) "
        "{padding = array<i64: 1, 0, 1, 2>, activation = #pattern.activation<relu>, "
        "pool = #pattern.pool<average, kernel = [2, 3], strides = [2, 2]>} "
        ": tensor<1x3x6x9xf32> -> tensor<1x5x3x4xf32>"
    )
    check(network(op, {"w": (5, 3, 3, 3), "b": (5,)}))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
def test_linear(bias: bool, batch: int) -> None:
    op = f"pattern.linear %0 weights(@w) {'bias(@b) ' * bias}: {tensor((batch, 17))} -> "
    check(network(op + tensor((batch, 5)), {"w": (5, 17)} | ({"b": (5,)} if bias else {})))


NORM = "scale = @s, shift = @t, mean = @m, variance = @v, epsilon = 1.0e-3 : f64"


@pytest.mark.parametrize("x", [(2, 4, 5, 7), (3, 4)])
def test_batch_norm(x: Shape) -> None:
    op = f"pattern.batch_norm %0 {{parameters = #pattern.batch_norm<{NORM}>}} : "
    parameters = dict.fromkeys("stmv", (4,))
    check(network(op + f"{tensor(x)} -> {tensor(x)}", parameters))


@pytest.mark.parametrize("bias", [False, True])
def test_folded_weights_are_computed(bias: bool) -> None:
    """Against the reference of what was folded: the convolution, and the normalisation after it."""
    x, weights = (1, 3, 7, 5), (4, 3, 3, 3)
    parameters = {"w": weights, **dict.fromkeys("stmv", (4,))} | ({"b": (4,)} if bias else {})
    recipes = (
        f"pattern.weights @fw : {tensor(weights)}, #pattern.dense source(@w) batch_norm(<{NORM}>)\n"
        f"pattern.weights @fb : {tensor((4,))}, #pattern.dense {'source(@b) ' * bias}"
        f"batch_norm(<{NORM}>)"
    )
    op = conv(x, weights).replace("weights(@w)", "weights(@fw) bias(@fb)")
    module = network(op, parameters, recipes)
    [image] = random_inputs(module)
    values = module.weights
    plain = reference.conv2d(image.astype(np.float64), values["w"], values.get("b"))
    want = reference.batch_norm(plain, *(values[name] for name in "stmv"), 1e-3)
    [got] = dense.run(module, image)
    assert_close(got, want)


ACTIVATIONS = ["identity", "relu", "relu6", "leaky_relu, alpha = 0.3 : f32", "sigmoid", "silu"]
ACTIVATIONS += ["hardswish", "hardsigmoid"]


@pytest.mark.parametrize("function", ACTIVATIONS)
def test_activate(function: str) -> None:
    x = tensor((2, 3, 7, 5))
    op = f"pattern.activate %0 {{activation = #pattern.activation<{function}>}} : {x} -> {x}"
    check(network(op, {}))


@pytest.mark.parametrize("kind", ["add", "mul"])
@pytest.mark.parametrize("rhs", [(2, 3, 7, 5), (2, 3, 1, 1), (1, 1, 7, 1)])
def test_add_and_mul(kind: str, rhs: Shape) -> None:
    x = tensor((2, 3, 7, 5))
    op = f"pattern.{kind} %0, %1 {{activation = #pattern.activation<relu>}} : {x}, {tensor(rhs)}"
    check(network(f"{op} -> {x}", {}))


POOLS = [  # input, output, kernel, strides, padding
    ((1, 3, 6, 8), (1, 3, 3, 4), (2, 2), (2, 2), (0, 0, 0, 0)),
    ((2, 3, 15, 14), (2, 3, 8, 13), (3, 2), (2, 1), (1, 0, 1, 0)),
    ((1, 2, 33, 7), (1, 2, 16, 7), (3, 3), (2, 1), (0, 1, 0, 1)),
    ((1, 2, 6, 9), (1, 2, 3, 5), (3, 3), (2, 2), (0, 1, 0, 1)),  # rows rounded up
    ((1, 1, 1, 1), (1, 1, 1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
]


@pytest.mark.parametrize(("x", "out", "kernel", "strides", "padding"), POOLS)
@pytest.mark.parametrize("kind", ["max_pool2d", "avg_pool2d", "avg_pool2d count_padding"])
def test_pooling(
    x: Shape, out: Shape, kernel: Shape, strides: Shape, padding: Shape, kind: str
) -> None:
    name, _, flag = kind.partition(" ")
    numbers = {"kernel": kernel, "strides": strides, "padding": padding}
    attributes = [f"{key} = array<i64: {', '.join(map(str, n))}>" for key, n in numbers.items()]
    text = ", ".join(attributes + [flag] * bool(flag))
    check(network(f"pattern.{name} %0 {{{text}}} : {tensor(x)} -> {tensor(out)}", {}))


def test_max_pooling_with_dilations() -> None:
    op = "pattern.max_pool2d %0 {kernel = array<i64: 3, 2>, dilations = array<i64: 2, 3>} : "
    check(network(op + "tensor<1x2x9x8xf32> -> tensor<1x2x5x5xf32>", {}))


@pytest.mark.parametrize(
    ("x", "out"),
    [
        ((2, 3, 6, 8), (2, 3, 1, 1)),
        ((1, 3, 6, 8), (1, 3, 3, 2)),
        ((1, 3, 7, 5), (1, 3, 3, 4)),
        ((1, 3, 2, 3), (1, 3, 7, 7)),
    ],
)
def test_adaptive_pooling(x: Shape, out: Shape) -> None:
    check(network(f"pattern.adaptive_avg_pool2d %0 : {tensor(x)} -> {tensor(out)}", {}))


def test_adaptive_pooling_reads_its_windows_only() -> None:
    """A NaN stays in the windows that hold it."""
    module = network(
        "pattern.adaptive_avg_pool2d %0 : tensor<1x1x5x7xf32> -> tensor<1x1x3x3xf32>", {}
    )
    [image] = random_inputs(module)
    image[0, 0, 0, 6] = np.nan
    [got] = dense.run(module, image)
    assert np.isnan(got[0, 0]).tolist() == [[False, False, True], [False] * 3, [False] * 3]


@pytest.mark.parametrize("mode", ["nearest", "bilinear", "bilinear align_corners"])
@pytest.mark.parametrize("size", [(6, 8), (7, 5), (2, 9), (1, 1)])
def test_resize(mode: str, size: tuple[int, int]) -> None:
    name, _, flag = mode.partition(" ")
    text = ", ".join([f"mode = #pattern.resize_mode<{name}>"] + [flag] * bool(flag))
    out = tensor((1, 2, *size))
    check(network(f"pattern.resize %0 {{{text}}} : tensor<1x2x3x4xf32> -> {out}", {}))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_softmax(axis: int) -> None:
    x = tensor((2, 5, 3))
    check(network(f"pattern.softmax %0 {{axis = {axis} : i64}} : {x} -> {x}", {}))


def test_concat() -> None:
    types = "tensor<1x4x5x7xf32>, tensor<1x1x5x7xf32>, tensor<1x2x5x7xf32> -> tensor<1x7x5x7xf32>"
    check(network(f"pattern.concat %0, %1, %2 {{axis = 1 : i64}} : {types}", {}))


@pytest.mark.parametrize("out", [(1, 24), (24,), (4, 6), (2, 1, 3, 4)])
def test_reshape(out: Shape) -> None:
    check(network(f"pattern.reshape %0 : tensor<1x4x2x3xf32> -> {tensor(out)}", {}))


def test_what_is_found_again_means_the_same() -> None:
    """Every layer that the way back knows, in one network."""
    text = """
    module attributes {pattern.stage = "imported"} {
    pattern.weights @w : tensor<6x2x3x3xf32>, #pattern.dense
    pattern.weights @b : tensor<6xf32>, #pattern.dense
    pattern.weights @s : tensor<6xf32>, #pattern.dense
    pattern.weights @t : tensor<6xf32>, #pattern.dense
    pattern.weights @m : tensor<6xf32>, #pattern.dense
    pattern.weights @v : tensor<6xf32>, #pattern.dense
    pattern.weights @fc : tensor<5x18xf32>, #pattern.dense
    func.func @main(%0: tensor<1x4x9x8xf32>, %1: tensor<1x6x9x1xf32>) -> tensor<1x5xf32> {
      %2 = pattern.conv2d %0 weights(@w) bias(@b)
          {groups = 2 : i64, padding = array<i64: 1, 1, 1, 1>,
          activation = #pattern.activation<hardswish>}
          : tensor<1x4x9x8xf32> -> tensor<1x6x9x8xf32>
      %3 = pattern.batch_norm %2 {parameters = #pattern.batch_norm<scale = @s, shift = @t,
          mean = @m, variance = @v, epsilon = 0.125 : f64>}
          : tensor<1x6x9x8xf32> -> tensor<1x6x9x8xf32>
      %4 = pattern.mul %3, %1 : tensor<1x6x9x8xf32>, tensor<1x6x9x1xf32> -> tensor<1x6x9x8xf32>
      %5 = pattern.max_pool2d %4 {kernel = array<i64: 3, 2>, padding = array<i64: 1, 0, 1, 0>}
          : tensor<1x6x9x8xf32> -> tensor<1x6x9x7xf32>
      %6 = pattern.avg_pool2d %5 {kernel = array<i64: 3, 7>, strides = array<i64: 3, 1>}
          : tensor<1x6x9x7xf32> -> tensor<1x6x3x1xf32>
      %7 = pattern.reshape %6 : tensor<1x6x3x1xf32> -> tensor<1x18xf32>
      %8 = pattern.linear %7 weights(@fc) {activation = #pattern.activation<sigmoid>}
          : tensor<1x18xf32> -> tensor<1x5xf32>
      return %8 : tensor<1x5xf32>
    }}"""
    module = with_weights(text)
    inputs = random_inputs(module)
    back = passes.convert_from_linalg(passes.convert_to_linalg(module))
    assert "linalg." not in back.ir
    [got], [want] = reference.run(back, *inputs), reference.run(module, *inputs)
    assert np.abs(got - want).max() <= 1e-12


LIBRARY = [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7], [4, 5, 7, 8]]


def kernel_patterns(filters: int, channels: int) -> tuple[str, NDArray[np.float32]]:
    """A scheme with random kernel patterns and removed kernels as text, and its mask."""
    kernels = np.random.default_rng(filters * channels).integers(0, 5, (filters, channels))
    mask = np.zeros((filters, channels, 9), np.float32)
    for number, cells in enumerate(LIBRARY, start=1):
        for cell in cells:
            mask[..., cell] += kernels == number
    scheme = f"#pattern.kernel<#pattern.library<3x3, {LIBRARY}>>, kernels = dense<"
    return f"{scheme}{kernels.tolist()}> : tensor<{filters}x{channels}xi8>", mask


def pruned_network() -> Module:
    """Pruned convolutions with all that passes fold into them, a shortcut, and a classifier."""
    schemes = {"a": kernel_patterns(6, 3), "b": kernel_patterns(6, 6), "c": kernel_patterns(5, 6)}
    text = f"""
    module attributes {{pattern.stage = "imported"}} {{
    pattern.weights @a : tensor<6x3x3x3xf32>, {schemes["a"][0]}
    pattern.weights @b : tensor<6x6x3x3xf32>, {schemes["b"][0]}
    pattern.weights @c : tensor<5x6x3x3xf32>, {schemes["c"][0]}
    pattern.weights @s : tensor<6xf32>, #pattern.dense
    pattern.weights @t : tensor<6xf32>, #pattern.dense
    pattern.weights @m : tensor<6xf32>, #pattern.dense
    pattern.weights @v : tensor<6xf32>, #pattern.dense
    pattern.weights @fc : tensor<4x5xf32>, #pattern.dense
    pattern.weights @bias : tensor<4xf32>, #pattern.dense
    func.func @main(%0: tensor<1x3x11x14xf32>) -> tensor<1x4xf32> {{
      %1 = pattern.conv2d %0 weights(@a) {{padding = array<i64: 1, 1, 1, 1>}}
          : tensor<1x3x11x14xf32> -> tensor<1x6x11x14xf32>
      %2 = pattern.batch_norm %1 {{parameters = #pattern.batch_norm<{NORM}>}}
          : tensor<1x6x11x14xf32> -> tensor<1x6x11x14xf32>
      %3 = pattern.activate %2 {{activation = #pattern.activation<relu>}}
          : tensor<1x6x11x14xf32> -> tensor<1x6x11x14xf32>
      %4 = pattern.conv2d %3 weights(@b) {{padding = array<i64: 1, 1, 1, 1>}}
          : tensor<1x6x11x14xf32> -> tensor<1x6x11x14xf32>
      %5 = pattern.add %4, %3
          : tensor<1x6x11x14xf32>, tensor<1x6x11x14xf32> -> tensor<1x6x11x14xf32>
      %6 = pattern.activate %5 {{activation = #pattern.activation<hardswish>}}
          : tensor<1x6x11x14xf32> -> tensor<1x6x11x14xf32>
      %7 = pattern.max_pool2d %6 {{kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>}}
          : tensor<1x6x11x14xf32> -> tensor<1x6x5x7xf32>
      %8 = pattern.conv2d %7 weights(@c)
          {{padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>}}
          : tensor<1x6x5x7xf32> -> tensor<1x5x3x4xf32>
      %9 = pattern.adaptive_avg_pool2d %8 : tensor<1x5x3x4xf32> -> tensor<1x5x1x1xf32>
      %10 = pattern.reshape %9 : tensor<1x5x1x1xf32> -> tensor<1x5xf32>
      %11 = pattern.linear %10 weights(@fc) bias(@bias) : tensor<1x5xf32> -> tensor<1x4xf32>
      return %11 : tensor<1x4xf32>
    }}}}"""
    module = with_weights(text)
    for name, (_, mask) in schemes.items():
        module.weights[name] *= mask.reshape(module.weights[name].shape)
    return module


@pytest.mark.parametrize("stage", ["imported", "fused", "reordered"])
def test_passes_keep_the_dense_meaning(stage: str) -> None:
    module = pruned_network()
    [image] = random_inputs(module)
    [want] = reference.run(module, image)
    [got] = dense.run(pconv.lower(module, stop_after=stage), image)
    assert_close(got, want)


def test_compiled_code_computes_the_dense_meaning() -> None:
    module = pruned_network()
    [image] = random_inputs(module)
    [want] = dense.run(module, image)
    assert_close(pconv.compile(module, num_threads=2)(image), want.astype(np.float64))
