# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX layers: what is imported computes what the onnx package says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx_nets import X, check, ints, network, node, normal

from pconv_mlir import reference
from pconv_mlir.importer import import_model

pytest.importorskip("torch_mlir")

W = normal(4, 3, 3, 3)
CONVS = {
    "plain": {},
    "padded": {"pads": [1, 2, 1, 2]},
    "asymmetric": {"pads": [0, 1, 2, 0], "strides": [2, 1]},
    "dilated": {"dilations": [2, 1], "pads": [2, 0, 2, 0]},
    "same_upper": {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
    "same_lower": {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
    "valid": {"auto_pad": "VALID"},
}


@pytest.mark.parametrize("attributes", CONVS.values(), ids=CONVS.keys())
def test_conv(attributes: Any) -> None:
    check(network([node("Conv", "x w b", "y", **attributes)], weights={"w": W, "b": normal(4)}))


@pytest.mark.parametrize(
    ("groups", "shape"), [(3, (6, 1, 3, 3)), (3, (3, 1, 1, 5)), (1, (2, 3, 1, 1))]
)
def test_conv_groups_and_kernel_sizes(groups: int, shape: tuple[int, ...]) -> None:
    check(network([node("Conv", "x w", "y", group=groups)], weights={"w": normal(*shape)}))


@pytest.mark.parametrize("trans", [0, 1])
@pytest.mark.parametrize("bias", [(6,), (1, 6), (1,), None])
def test_gemm(trans: int, bias: Any) -> None:
    weights = {"w": normal(6, 12) if trans else normal(12, 6)}
    if bias:
        weights["b"] = normal(*bias)
    gemm = node("Gemm", "x w b" if bias else "x w", "y", transB=trans, alpha=0.5, beta=2.0)
    check(network([gemm], (3, 12), weights, outputs={"y": 2}), normal(3, 12))


@pytest.mark.parametrize("swapped", [False, True])
def test_matmul_and_add_are_one_layer(swapped: bool) -> None:
    nodes = [
        node("MatMul", "x fc.weight", "m"),
        node("Add", "fc.bias m" if swapped else "m fc.bias", "y"),
    ]
    weights = {"fc.weight": normal(12, 6), "fc.bias": normal(6)}
    text = check(network(nodes, (3, 12), weights, outputs={"y": 2}), normal(3, 12))
    assert text.count("pattern.linear") == 1 and "pattern.add" not in text
    assert "bias(@fc.bias)" in text and 'layer = "fc"' in text


def test_a_result_that_is_used_before_its_bias_is_added_stays() -> None:
    nodes = [node("MatMul", "x w", "m"), node("Add", "m b", "a"), node("Mul", "m a", "y")]
    weights = {"w": normal(12, 6), "b": normal(6)}
    text = check(network(nodes, (3, 12), weights, outputs={"y": 2}), normal(3, 12))
    assert text.count("pattern.linear") == 2


@pytest.mark.parametrize("rank", [2, 4])
def test_batch_norm(rank: int) -> None:
    shape = (2, 3, 7, 5)[:rank]
    statistics = {"s": normal(3), "b": normal(3), "m": normal(3), "v": normal(3) ** 2}
    bn = node("BatchNormalization", "x s b m v", "y", epsilon=0.125)
    text = check(network([bn], shape, statistics, outputs={"y": rank}), normal(*shape))
    assert "epsilon = 1.250000e-01" in text


ACTIVATIONS = {
    "Relu": ({}, "relu"),
    "LeakyRelu": ({"alpha": 0.2}, "leaky_relu, alpha"),
    "Sigmoid": ({}, "sigmoid"),
    "HardSigmoid": ({"alpha": 1 / 6, "beta": 0.5}, "hardsigmoid"),
    "HardSwish": ({}, "hardswish"),
}


@pytest.mark.parametrize("op", ACTIVATIONS)
def test_activation(op: str) -> None:
    attributes, function = ACTIVATIONS[op]
    text = check(network([node(op, "x", "y", **attributes)]), 4 * X)
    assert f"#pattern.activation<{function}" in text


def test_swish_of_a_new_operator_set() -> None:
    text = check(network([node("Swish", "x", "y")], opset=24))
    assert "#pattern.activation<silu>" in text


@pytest.mark.parametrize("gate", ["Sigmoid", "HardSigmoid"])
@pytest.mark.parametrize("order", ["x g", "g x"])
def test_a_gate_on_its_own_input_is_one_activation(gate: str, order: str) -> None:
    attributes = {"alpha": 1 / 6} if gate == "HardSigmoid" else {}
    nodes = [node(gate, "x", "g", **attributes), node("Mul", order, "y")]
    text = check(network(nodes), 4 * X)
    function = {"Sigmoid": "silu", "HardSigmoid": "hardswish"}[gate]
    assert f"<{function}>" in text and "pattern.mul" not in text and text.count("activate") == 1


@pytest.mark.parametrize(("high", "function"), [(6.0, "relu6"), (np.inf, "relu")])
def test_clip(high: float, function: str) -> None:
    weights = {"low": np.float32(0), "high": np.float32(high)}
    assert f"<{function}>" in check(
        network([node("Clip", "x low high", "y")], weights=weights), 9 * X
    )


def test_clip_with_attributes_of_an_old_operator_set() -> None:
    check(network([node("Clip", "x", "y", min=0.0, max=6.0)], opset=6), 9 * X)


POOLS = [
    {"kernel_shape": [2, 3]},
    {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]},
    {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1},
    {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"},
]


@pytest.mark.parametrize("attributes", POOLS)
def test_max_pool(attributes: Any) -> None:
    check(network([node("MaxPool", "x", "y", **attributes)]), X - 5)


def test_max_pool_with_dilation() -> None:
    check(network([node("MaxPool", "x", "y", kernel_shape=[3, 2], dilations=[2, 3])]), X - 5)


@pytest.mark.parametrize("count", [0, 1])
@pytest.mark.parametrize("attributes", POOLS)
def test_average_pool(attributes: Any, count: int) -> None:
    pool = node("AveragePool", "x", "y", **attributes, count_include_pad=count)
    check(network([pool], opset=19))


@pytest.mark.parametrize("op", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pool(op: str) -> None:
    check(network([node(op, "x", "y")]))


@pytest.mark.parametrize("keep", [0, 1])
def test_mean_over_the_plane(keep: int) -> None:
    outputs = {"y": 4 if keep else 2}
    mean = node("ReduceMean", "x", "y", axes=[-1, 2], keepdims=keep)
    check(network([mean], outputs=outputs))
    mean = node("ReduceMean", "x a", "y", keepdims=keep)
    check(network([mean], weights={"a": ints(2, 3)}, opset=18, outputs=outputs))


@pytest.mark.parametrize("op", ["Add", "Mul"])
@pytest.mark.parametrize("shape", [(2, 3, 7, 5), (2, 3, 1, 1), (1, 1, 7, 5), (5,)])
@pytest.mark.parametrize("swapped", [False, True])
def test_two_operands(op: str, shape: tuple[int, ...], swapped: bool) -> None:
    model = network([node(op, "z x" if swapped else "x z", "y")], inputs={"z": shape})
    check(model, X, normal(*shape, seed=1))


@pytest.mark.parametrize("op", ["Add", "Sub", "Mul", "Div"])
@pytest.mark.parametrize("shape", [(), (1,), (3, 1, 1), (1, 3, 1, 1)])
def test_arithmetic_with_a_constant(op: str, shape: tuple[int, ...]) -> None:
    constant = normal(*shape) + 3
    text = check(network([node(op, "x c", "y")], weights={"c": constant}))
    assert text.count("pattern.batch_norm %") == 1


def test_a_constant_added_to_a_convolution_is_its_bias() -> None:
    nodes = [node("Conv", "x w", "c"), node("Add", "c b", "y")]
    text = check(network(nodes, weights={"w": W, "b": normal(1, 4, 1, 1)}))
    assert "bias(@b)" in text and "pattern.batch_norm %" not in text


def test_a_hard_swish_in_parts() -> None:
    nodes = [
        node("Add", "x three", "a"),
        node("Clip", "a zero six", "c"),
        node("Mul", "x c", "m"),
        node("Div", "m six", "y"),
    ]
    weights = {"three": np.float32(3), "zero": np.float32(0), "six": np.float32(6)}
    check(network(nodes, weights=weights), 4 * X)


@pytest.mark.parametrize(("opset", "axis"), [(17, 1), (17, -1), (11, 1), (11, 3)])
def test_softmax(opset: int, axis: int) -> None:
    module = import_model(network([node("Softmax", "x", "y", axis=axis)], opset=opset))
    flat = X.reshape(2, -1) if opset < 13 and axis == 1 else X
    expected = reference.softmax(flat.astype(np.float64), axis).reshape(X.shape)
    np.testing.assert_allclose(reference.run(module, X)[0], expected)
