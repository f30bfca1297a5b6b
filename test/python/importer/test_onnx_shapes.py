# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX ops that move values: what is imported computes what the onnx package says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper
from onnx_nets import X, check, floats, ints, network, node, normal

from pconv_mlir import reference
from pconv_mlir.importer import import_model

pytest.importorskip("torch_mlir")

END = np.iinfo(np.int64).max
W = normal(4, 3, 3, 3)


def test_sum_and_concat() -> None:
    nodes = [
        node("Relu", "x", "r"),
        node("Sum", "x r x", "s"),
        node("Concat", "s x r", "y", axis=-3),
    ]
    check(network(nodes))


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_flatten(axis: int) -> None:
    check(network([node("Flatten", "x", "y", axis=axis)], outputs={"y": 2}))


@pytest.mark.parametrize("sizes", [(2, -1), (0, 0, 35), (-1, 5, 7, 3)])
def test_reshape(sizes: tuple[int, ...]) -> None:
    weights = {"s": ints(*sizes)}
    check(network([node("Reshape", "x s", "y")], weights=weights, outputs={"y": len(sizes)}))


def test_shape_arithmetic_is_computed() -> None:
    # What torch's older exporter makes of x.view(x.size(0), -1).
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "n"),
        node("Unsqueeze", "n first", "n1"),
        node("Constant", "", "rest", value=numpy_helper.from_array(ints(-1))),
        node("Concat", "n1 rest", "sizes", axis=0),
        node("Reshape", "x sizes", "y"),
    ]
    weights = {"zero": np.array(0, np.int64), "first": ints(0)}
    text = check(network(nodes, weights=weights, outputs={"y": 2}))
    assert text.count("pattern.reshape") == 1


def test_squeeze_unsqueeze_transpose() -> None:
    nodes = [
        node("GlobalAveragePool", "x", "a"),
        node("Squeeze", "a axes", "s"),
        node("Unsqueeze", "s axes", "u"),
        node("Transpose", "u", "t", perm=[0, 3, 2, 1]),
        node("Squeeze", "t", "y"),
    ]
    check(network(nodes, weights={"axes": ints(2, 3)}, outputs={"y": 2}))


def test_what_does_nothing_is_left_out() -> None:
    nodes = [
        node("Identity", "x", "i"),
        node("Dropout", "i", "d m"),
        node("Cast", "d", "c", to=1),
        node("Relu", "c", "r"),
        node("Sigmoid", "r", "unused"),
        node("Identity", "r", "y"),
    ]
    text = check(network(nodes))
    assert text.count("pattern.activate") == 1 and "sigmoid" not in text


RESIZES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"s": floats(1, 1, 2, 3)}, {"mode": "nearest"}),
    (
        {"s": floats(1, 1, 2, 2)},
        {
            "mode": "nearest",
            "coordinate_transformation_mode": "asymmetric",
            "nearest_mode": "floor",
        },
    ),
    ({"s": floats(1, 1, 2, 1.6)}, {"mode": "linear"}),
    ({"n": ints(2, 3, 10, 11)}, {"mode": "linear"}),
    (
        {"n": ints(2, 3, 9, 13)},
        {"mode": "linear", "coordinate_transformation_mode": "align_corners"},
    ),
    (
        {"n": ints(2, 3, 14, 10)},
        {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"},
    ),
]


@pytest.mark.parametrize(("constants", "attributes"), RESIZES)
def test_resize(constants: dict[str, Any], attributes: dict[str, Any]) -> None:
    inputs = "x - s" if "s" in constants else "x - - n"
    check(network([node("Resize", inputs, "y", **attributes)], weights=constants))


def test_upsample_of_an_old_operator_set() -> None:
    model = network([node("Upsample", "x s", "y")], weights={"s": floats(1, 1, 2, 3)}, opset=9)
    (got,) = reference.run(import_model(model), X)
    np.testing.assert_array_equal(got, X.repeat(2, 2).repeat(3, 3))


def test_every_second_row_and_column() -> None:
    weights = {"b": ints(0, 0), "e": ints(END, 7), "a": ints(3, 2), "s": ints(2, 3)}
    check(network([node("Slice", "x b e a s", "y")], weights=weights))


@pytest.mark.parametrize(
    "pads", [(0, 0, 1, 2, 0, 0, 0, 1), (0, 2, 0, 0, 0, 1, 0, 0), (0, 1, 2, 0, 0, 0, 1, 1)]
)
def test_padding_with_zeros(pads: tuple[int, ...]) -> None:
    check(network([node("Pad", "x p", "y")], weights={"p": ints(*pads)}))


def test_a_convolution_takes_the_padding_over() -> None:
    nodes = [node("Pad", "x p", "q"), node("Conv", "q w", "y", pads=[1, 1, 0, 0])]
    weights = {"p": ints(0, 0, 0, 1, 0, 0, 2, 1), "w": W}
    text = check(network(nodes, weights=weights))
    assert text.count("pattern.conv2d") == 1 and "array<i64: 1, 2, 2, 1>" in text
