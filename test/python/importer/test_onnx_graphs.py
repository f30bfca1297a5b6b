# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX graphs: names, order, open sizes and weights of the imported network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_nets import X, check, network, node, normal

from pconv_mlir import compiler, models, reference
from pconv_mlir.importer import import_model
from pconv_mlir.importer.onnx_file import layer_name

pytest.importorskip("torch_mlir")

W = normal(4, 3, 3, 3)


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
