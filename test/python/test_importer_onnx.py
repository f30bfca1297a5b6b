# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX models: the imported network computes what the onnx package says, and keeps its names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnx_nets import evaluate, network, node, normal

from pconv_mlir import compiler, models, prune, reference
from pconv_mlir.importer import import_model
from pconv_mlir.importer.onnx_file import layer_name

pytest.importorskip("torch_mlir")

X = normal(2, 3, 7, 5)
END = np.iinfo(np.int64).max


def ints(*values: int) -> Any:
    return np.array(values, np.int64)


def floats(*values: float) -> Any:
    return np.array(values, np.float32)


def check(model: onnx.ModelProto, *inputs: Any) -> str:
    """The IR of the network, once its results are right."""
    inputs = inputs or (X,)
    module = import_model(model)
    expected = evaluate(model, *inputs)
    got = reference.run(module, *inputs)
    for a, b, spec in zip(got, expected, module.outputs, strict=True):
        assert a.shape == b.shape == spec.shape
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    return module.ir


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


@pytest.mark.parametrize(("opset", "axis"), [(17, 1), (17, -1), (11, 1), (11, 3)])
def test_softmax(opset: int, axis: int) -> None:
    module = import_model(network([node("Softmax", "x", "y", axis=axis)], opset=opset))
    flat = X.reshape(2, -1) if opset < 13 and axis == 1 else X
    expected = reference.softmax(flat.astype(np.float64), axis).reshape(X.shape)
    np.testing.assert_allclose(reference.run(module, X)[0], expected)


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


def test_folded_weights() -> None:
    # Exporters of other frameworks transpose and scale weights in the graph.
    nodes = [
        node("Transpose", "hwio", "oihw", perm=[3, 2, 0, 1]),
        node("Mul", "oihw factor", "w"),
        node("Identity", "b0", "b"),
        node("Conv", "x w b", "y"),
    ]
    weights = {"hwio": normal(3, 2, 3, 4), "factor": np.float32(0.5), "b0": normal(4)}
    text = check(network(nodes, weights=weights))
    assert "@w " in text and "@b " in text and "hwio" not in text


NAMES = ("bñ.scale", 'b"shift"', "b\\mean", "b variance")


def test_names_are_any_text() -> None:
    nodes = [
        node("Conv", "x w", "a"),
        helper.make_node("BatchNormalization", ["a", *NAMES], ["y"], name='b "ñ" \\'),
    ]
    weights = dict(zip(NAMES, (normal(4), normal(4), normal(4), normal(4) ** 2), strict=True))
    module = import_model(network(nodes, weights={"w": normal(4, 3, 3, 3), **weights}))
    x = normal(2, 3, 7, 5)
    (wanted,) = reference.run(module, x)
    np.testing.assert_allclose(compiler.compile(module)(x), wanted, rtol=1e-4, atol=1e-4)


def test_one_weight_used_in_two_ways() -> None:
    nodes = [node("MatMul", "x w", "a"), node("Gemm", "a w", "y", transB=1)]
    module = import_model(network(nodes, (3, 6), {"w": normal(6, 6)}, outputs={"y": 2}))
    assert sorted(module.weights) == ["w", "w.2"]
    check(network(nodes, (3, 6), {"w": normal(6, 6)}, outputs={"y": 2}), normal(3, 6))


def test_several_inputs_and_outputs_keep_their_names_and_order() -> None:
    nodes = [node("Relu", "z", "b"), node("Add", "x b", "a")]
    model = network(nodes, inputs={"z": (2, 3, 7, 5)}, outputs={"b": 4, "a": 4})
    module = import_model(model)
    assert [spec.name for spec in module.inputs] == ["x", "z"]
    assert [(spec.name, spec.shape) for spec in module.outputs] == [
        ("b", (2, 3, 7, 5)),
        ("a", (2, 3, 7, 5)),
    ]
    for name in ("x", "z", "b", "a"):
        assert f'pattern.name = "{name}"' in module.ir
    check(model, X, normal(2, 3, 7, 5, seed=1))


def test_local_functions_are_expanded() -> None:
    body = helper.make_function(
        "mine",
        "twice",
        ["v"],
        ["w"],
        [helper.make_node("Relu", ["v"], ["r"]), helper.make_node("Add", ["r", "v"], ["w"])],
        [helper.make_opsetid("", 17)],
    )
    model = network([helper.make_node("twice", ["x"], ["y"], domain="mine")])
    model.functions.append(body)
    model.opset_import.append(helper.make_opsetid("mine", 1))
    check(model)


def test_an_open_batch_size_is_one_unless_an_example_says_more() -> None:
    model = network([node("Conv", "x w", "y")], ("N", 3, 7, 5), {"w": W})
    module = import_model(model)
    assert module.inputs[0].shape == (1, 3, 7, 5) and "batch" in module.notes["x"]
    assert import_model(model, (normal(4, 3, 7, 5),)).outputs[0].shape == (4, 4, 5, 3)


def test_open_sizes_come_from_the_example() -> None:
    model = network([node("Conv", "x w", "y")], ("N", 3, "H", "W"), {"w": W})
    assert import_model(model, normal(2, 3, 9, 5)).outputs[0].shape == (2, 4, 7, 3)


def test_weights_are_not_copied() -> None:
    module = import_model(network([node("Conv", "x w", "y")], weights={"w": W}))
    weight = module.weights["w"]
    assert weight.dtype == np.float32 and weight.flags.c_contiguous and not weight.flags.owndata
    np.testing.assert_array_equal(weight, W)


def test_symbols_that_are_no_identifiers() -> None:
    nodes = [node("Conv", 'x w=1 "b"', "c"), node("Relu", "c", "y", name='the "last" one')]
    module = import_model(network(nodes, weights={"w=1": W, '"b"': normal(4)}))
    assert set(module.weights) == {"w=1", '"b"'}
    reference.run(module, X)


def test_a_weight_called_main() -> None:
    check(network([node("Conv", "x main", "y")], weights={"main": W}))


def test_the_model_stays_as_it_is() -> None:
    model = network([node("Conv", "x w", "c"), node("Identity", "c", "y")], weights={"w": W})
    before = model.SerializeToString()
    import_model(model)
    assert model.SerializeToString() == before


@pytest.mark.parametrize(
    ("inputs", "name", "expected"),
    [
        ("x features.0.weight features.0.bias", "Conv_3", "features.0"),
        ("x layer1.0.bn1.weight b m v", "", "layer1.0.bn1"),
        ("x onnx::Conv_12", "/layer1/layer1.0/conv1/Conv", "layer1.0.conv1"),
        ("x", "/features/features.1/Relu", "features.1"),
        ("x", "/f/f.1/block/block.0/block.0.2/Relu", "f.1.block.0.2"),
        ("x", "/Flatten", "Flatten"),
        ("x", "relu", "relu"),
        ("x", "", "y"),
    ],
)
def test_layer_name(inputs: str, name: str, expected: str) -> None:
    assert layer_name(helper.make_node("Op", inputs.split(), ["y"], name)) == expected


def test_layer_name_from_the_scopes_of_an_exporter() -> None:
    relu = helper.make_node("Relu", ["x"], ["y"], "node_relu_1")
    entry = relu.metadata_props.add(key="pkg.torch.onnx.name_scopes")
    entry.value = "['', 'layer1', 'layer1.0.act', 'relu_1']"
    assert layer_name(relu) == "layer1.0.act"
    entry.value = "__import__('os')"
    assert layer_name(relu) == "node_relu_1"


def test_a_file_with_external_weights(tmp_path: Path) -> None:
    model = network([node("Conv", "x w", "y")], weights={"w": W})
    path = tmp_path / "net.onnx"
    onnx.save(model, path, save_as_external_data=True, location="net.data", size_threshold=0)
    np.testing.assert_array_equal(import_model(path).weights["w"], W)


# --- The sparsity that is found ---------------------------------------------------------------


def pruned(scheme: str) -> Any:
    """A module of one convolution of 16x8 kernels of 3x3."""
    weights = {"conv.weight": normal(16, 8, 3, 3)}
    if scheme != "dense":
        prune.magnitude(weights, scheme, leave_alone=())
    model = network([node("Conv", "x conv.weight", "y")], (1, 8, 5, 7), weights)
    return import_model(model), weights["conv.weight"]


def test_kernel_patterns_are_found() -> None:
    module, weight = pruned("pattern:8+connectivity:3.6")
    assert "#pattern.kernel<#pattern.library<3x3, [[" in module.ir
    assert "tensor<16x8xi8>" in module.ir
    assert module.notes["conv"].startswith("kernel: 8 kernel patterns")
    np.testing.assert_array_equal(module.weights["conv.weight"], weight)


def test_the_masks_are_the_zeros() -> None:
    from pconv_mlir import ir
    from pconv_mlir.dialects import pattern

    module, weight = pruned("pattern:4+connectivity:2")
    with ir.Context():
        (op,) = (op for op in ir.Module.parse(module.ir).body if isinstance(op, pattern.WeightsOp))
        kernels = np.array(ir.DenseIntElementsAttr(op.kernels)).reshape(16, 8)
        library = str(op.scheme).split("library<3x3, ")[1].rstrip(">")
    cells = [[], *json.loads(library)]
    mask = np.zeros((16, 8, 9), bool)
    for o, i in np.ndindex(16, 8):
        mask[o, i, cells[kernels[o, i]]] = True
    np.testing.assert_array_equal(mask.reshape(weight.shape), weight != 0)


def test_no_structure_is_unstructured() -> None:
    module, _ = pruned("unstructured@3")
    assert "#pattern.unstructured" in module.ir and "distinct" in module.notes["conv"]


def test_no_zeros_is_dense() -> None:
    module, _ = pruned("dense")
    assert "#pattern.dense" in module.ir
    assert module.notes["conv"] == "dense: no weight is zero"


def test_a_pruned_matrix_is_unstructured() -> None:
    weight = normal(6, 12) * (normal(6, 12, seed=1) > 0)
    module = import_model(
        network([node("Gemm", "x w", "y", transB=1)], (3, 12), {"w": weight}, outputs={"y": 2})
    )
    assert "tensor<6x12xf32>, #pattern.unstructured" in module.ir


def test_a_module_of_ours_is_looked_at_again() -> None:
    module = import_model(models.build("resnet20-cifar"))
    assert "layer3.2.conv2.weight : tensor<64x64x3x3xf32>, #pattern.dense" in module.ir
    prune.magnitude(module.weights, "pattern:8+connectivity:2")
    again = import_model(module)
    assert "layer3.2.conv2.weight : tensor<64x64x3x3xf32>, #pattern.kernel" in again.ir
    assert again.notes["layer3.2.conv2"].startswith("kernel") and again.weights is module.weights
    assert import_model(again).ir == again.ir


# --- Whole networks ---------------------------------------------------------------------------


def test_a_whole_network_with_two_images() -> None:
    model = models.build("resnet20-cifar", batch=2)
    text = check(model, normal(2, 3, 32, 32))
    assert 'layer = "layer3.2.relu_1"' in text


@pytest.mark.parametrize("name", ["mobilenet_v3_large", "efficientnet_b0"])
def test_gates_of_real_networks_become_activations(name: str) -> None:
    text = import_model(models.build(name)).ir
    # A squeeze-and-excite block multiplies; everything else is an activation.
    blocks = {"mobilenet_v3_large": 8, "efficientnet_b0": 16}[name]
    assert text.count("= pattern.mul ") == blocks
    assert "tensor<1x1000xf32>" in text


def test_no_torch_is_needed() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pconv_mlir import models\n"
        "from pconv_mlir.importer import import_model\n"
        "print(import_model(models.build('resnet20-cifar')).outputs[0].shape)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False
    )
    assert result.stdout.strip() == "(1, 10)", result.stderr
