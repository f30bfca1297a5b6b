# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The built-in networks."""

from __future__ import annotations

import math

import numpy as np
import onnx
import pytest
from onnx_nets import evaluate, network, node, normal

from pconv_mlir import models, prune
from pconv_mlir.errors import ModelError, OptionError
from pconv_mlir.models.builder import NetworkBuilder

# Published sizes: torchvision's model pages; He et al. 2015, table 6, to the parameter (0.27 M).
# vgg16-cifar: VGG-16's convolutions without biases, two numbers a channel of batch norm, 512x10.
PARAMETERS = {
    "vgg16": 138_357_544,
    "vgg16-conv": 14_714_688,
    "resnet18": 11_689_512,
    "resnet50": 25_557_032,
    "mobilenet_v2": 3_504_872,
    "mobilenet_v3_large": 5_483_032,
    "efficientnet_b0": 5_288_548,
    "resnet20-cifar": 269_722,
    "vgg16-cifar": 14_724_042,
    "vgg-fashion": 278_890,
}
SOME_NAMES = {
    "vgg16-conv": ["features.0.weight", "features.28.bias"],
    "resnet18": ["conv1.weight", "layer4.1.bn2.running_var", "layer2.0.downsample.0.weight"],
    "resnet50": ["layer1.0.conv3.weight", "layer1.0.downsample.1.bias", "fc.weight"],
    "mobilenet_v2": ["features.1.conv.0.0.weight", "features.17.conv.3.running_mean"],
    "mobilenet_v3_large": ["features.4.block.2.fc1.bias", "classifier.3.weight"],
    "efficientnet_b0": ["features.2.0.block.2.fc2.weight", "features.8.1.running_mean"],
    "resnet20-cifar": ["layer3.2.bn2.weight", "linear.bias"],
    "vgg16-cifar": ["features.0.weight", "features.41.running_var", "classifier.bias"],
    "vgg-fashion": ["conv1_1.weight", "bn3_2.running_mean", "fc.bias"],
}


def test_every_network_is_listed() -> None:
    assert set(models.names()) == set(PARAMETERS)


# The whole of VGG-16 is half a gigabyte; its convolutions are checked as vgg16-conv.
@pytest.mark.parametrize("name", sorted(set(PARAMETERS) - {"vgg16"}))
def test_size_names_and_validity(name: str) -> None:
    model = models.build(name)
    onnx.checker.check_model(model, full_check=True)
    weights = models.weights(model)
    parameters = [
        values
        for key, values in weights.items()
        if key.endswith((".weight", ".bias")) and values.dtype == np.float32
    ]
    assert sum(values.size for values in parameters) == PARAMETERS[name]
    assert set(SOME_NAMES[name]) <= set(weights)


def test_vgg16_has_its_published_size(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes: dict[str, tuple[int, ...]] = {}

    def remember(self: NetworkBuilder, name: str, shape: tuple[int, ...], *_: float) -> str:
        shapes[name] = shape
        return name

    monkeypatch.setattr(NetworkBuilder, "_weight", remember)
    monkeypatch.setattr(NetworkBuilder, "_uniform", remember)
    models.build("vgg16")
    assert sum(math.prod(shape) for shape in shapes.values()) == PARAMETERS["vgg16"]
    assert shapes["classifier.0.weight"] == (4096, 25088)


def test_the_seed_decides_the_weights() -> None:
    first, same, other = (
        models.weights(models.build("resnet20-cifar", seed=seed)) for seed in (1, 1, 2)
    )
    for name, values in first.items():
        np.testing.assert_array_equal(values, same[name])
    assert (first["conv1.weight"] != other["conv1.weight"]).any()


def test_batch_reaches_the_output() -> None:
    graph = models.build("resnet20-cifar", batch=5).graph
    for value, shape in ((graph.input[0], [5, 3, 32, 32]), (graph.output[0], [5, 10])):
        assert [d.dim_value for d in value.type.tensor_type.shape.dim] == shape


def test_replace_weights() -> None:
    model = models.build("resnet20-cifar")
    new = np.full((16, 3, 3, 3), 0.5, np.float32)
    models.replace_weights(model, {"conv1.weight": new})
    np.testing.assert_array_equal(models.weights(model)["conv1.weight"], new)


def test_weights_come_in_the_order_of_their_use() -> None:
    nodes = [node("Conv", "x first", "a"), node("Conv", "a second", "y")]
    kernels = {name: np.ones((4, 4, 3, 3), np.float32) for name in ("spare", "second", "first")}
    model = network(nodes, (1, 4, 7, 7), kernels)
    weights = models.weights(model)
    assert list(weights) == ["first", "second", "spare"]
    assert prune.magnitude(weights, "pattern:4").layers[0].note == "first convolution"


def test_matrices_are_out_by_in() -> None:
    nodes = [
        node("MatMul", "x m", "a"),
        node("Gemm", "a g", "b"),
        node("Gemm", "b t", "c", transB=1),
        node("MatMul", "c both", "d"),
        node("Gemm", "d both", "y", transB=1),
    ]
    shapes = {"m": (6, 8), "g": (8, 12), "t": (4, 12), "both": (4, 4)}
    model = network(nodes, (2, 6), {k: normal(*v) for k, v in shapes.items()}, outputs={"y": 2})
    weights = models.weights(model)
    found = {name: values.shape for name, values in weights.items()}
    assert found == {"m": (8, 6), "g": (12, 8), "t": (4, 12), "both": (4, 4)}
    np.testing.assert_array_equal(weights["both"], normal(4, 4))
    x, expected = normal(2, 6), evaluate(model, normal(2, 6))
    models.replace_weights(model, weights)
    np.testing.assert_array_equal(evaluate(model, x), expected)
    prune.magnitude(weights, "filter@2", leave_alone=())  # whole rows [out, in] go
    models.replace_weights(model, weights)
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in model.graph.initializer}
    assert [int((~stored["m"].any(axis=axis)).sum()) for axis in (0, 1)] == [4, 0]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("conv2.weight", np.zeros((16, 3, 3, 3), np.float32)),
        ("conv1.weight", np.zeros((16, 3, 3), np.float32)),
        ("conv1.weight", np.zeros((16, 3, 3, 3))),
    ],
)
def test_replace_weights_refuses_what_does_not_fit(name: str, values: np.ndarray) -> None:
    with pytest.raises(ModelError, match=name):
        models.replace_weights(models.build("resnet20-cifar"), {name: values})


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelError, match=r"vgg11.*resnet20-cifar"):
        models.build("vgg11")


@pytest.mark.parametrize(("batch", "seed"), [(0, 0), (1, -1)])
def test_bad_numbers_are_refused(batch: int, seed: int) -> None:
    with pytest.raises(OptionError):
        models.build("resnet18", batch, seed)
