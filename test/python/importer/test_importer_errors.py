# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models that cannot be imported: one typed error each, that says where and what to do."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_nets import network, node, normal

from pconv_mlir.errors import (
    DependencyError,
    ModelError,
    PConvError,
    ShapeError,
    UnsupportedOpError,
    WeightsError,
)
from pconv_mlir.importer import import_model
from pconv_mlir.module import Module

pytest.importorskip("torch_mlir")

W = normal(4, 3, 3, 3)


def conv_net(weight: Any = W, **attributes: Any) -> onnx.ModelProto:
    return network([node("Conv", "x w", "y", name="the conv", **attributes)], weights={"w": weight})


# --- Ops --------------------------------------------------------------------------------------


def test_an_unknown_op_is_named_with_its_layer_and_advice() -> None:
    with pytest.raises(UnsupportedOpError, match=r"'block.act'.*Erf.*replace") as caught:
        import_model(network([node("Erf", "x", "y", name="block.act")]))
    assert caught.value.layer == "block.act"


def test_all_unsupported_ops_come_in_one_error() -> None:
    nodes = [
        node("Erf", "x", "a", name="first"),
        node("Relu", "a", "b"),
        node("Erf", "b", "c", name="second"),
        node("Clip", "x low", "d", name="third"),
        node("LRN", "d", "f", name="fourth", size=3),
        node("HardSigmoid", "f", "e", name="fifth"),
        node("Add", "c e", "y"),
    ]
    with pytest.raises(UnsupportedOpError) as caught:
        import_model(network(nodes, weights={"low": np.float32(-1)}))
    text = str(caught.value)
    assert "first, second" in text
    assert "clipping to -1 .. inf" in text and "LRN" in text and "HardSigmoid" in text
    assert text.count("Erf") == 1 and "\n" not in text


def test_an_op_of_another_domain() -> None:
    model = network([helper.make_node("Magic", ["x"], ["y"], "trick", domain="my.ops", n=[1])])
    model.opset_import.append(helper.make_opsetid("my.ops", 1))
    with pytest.raises(UnsupportedOpError, match=r"'trick'.*Magic"):
        import_model(model)


def test_control_flow() -> None:
    branch = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["r"])],
        "branch",
        [],
        [helper.make_tensor_value_info("r", TensorProto.FLOAT, [2, 3, 7, 5])],
    )
    choose = node("If", "c", "y", name="choice", then_branch=branch, else_branch=branch)
    with pytest.raises(UnsupportedOpError, match=r"'choice'.*If"):
        import_model(network([choose], weights={"c": np.array(True)}))


UNSUPPORTED_FORMS: dict[str, tuple[list[onnx.NodeProto], dict[str, Any], str]] = {
    "clip": ([node("Clip", "x lo hi", "y")], {"lo": -1.0, "hi": 1.0}, "only 0 .. 6"),
    "hard sigmoid": ([node("HardSigmoid", "x", "y")], {}, "alpha = 0.2"),
    "transpose": ([node("Transpose", "x", "y", perm=[0, 2, 3, 1])], {}, "N, C, H, W"),
    "gemm": ([node("Gemm", "x x", "y", transA=1)], {}, "transA = 1"),
    "weights": ([node("Conv", "x x", "y")], {}, "must be a constant"),
    "mean": ([node("ReduceMean", "x", "y", axes=[1])], {}, "only over rows and columns"),
    "crop": ([node("Slice", "x b e", "y")], {"b": [0, 1], "e": [2, 2]}, "a slice 1:2:1 of axis 1"),
    "pad": ([node("Pad", "x p", "y", mode="reflect")], {"p": [0] * 8}, "mode = reflect"),
    "fill": ([node("Pad", "x p v", "y")], {"p": [0, 0, 1, 0] * 2, "v": 1.0}, "another value"),
    "constants": ([node("Relu", "c", "r"), node("Add", "x r", "y")], {"c": 1.0}, "a constant in"),
    "per row": ([node("Mul", "x c", "y")], {"c": normal(7, 1)}, "one per channel"),
    "cubic": ([node("Resize", "x - s", "y", mode="cubic")], {"s": [1.0, 1, 2, 2]}, "cubic"),
    "nearest": (
        [node("Resize", "x - s", "y", nearest_mode="ceil")],
        {"s": [1.0, 1, 2, 2]},
        "floor",
    ),
    "batch": ([node("Resize", "x - s", "y")], {"s": [2.0, 1, 1, 1]}, "of the batch"),
    "cast": ([node("Cast", "x", "c", to=10), node("Cast", "c", "y", to=1)], {}, "to = 10"),
    "matrices": ([node("MatMul", "x w", "y")], {"w": normal(5, 4)}, "flatten its input"),
}


@pytest.mark.parametrize("case", UNSUPPORTED_FORMS)
def test_a_form_that_is_not_supported_says_why(case: str) -> None:
    nodes, constants, message = UNSUPPORTED_FORMS[case]
    weights = {
        key: np.asarray(value, np.float32 if np.asarray(value).dtype.kind == "f" else np.int64)
        for key, value in constants.items()
    }
    with pytest.raises(UnsupportedOpError, match=message):
        import_model(network(nodes, weights=weights))


def test_a_result_larger_than_both_operands() -> None:
    nodes = [node("GlobalAveragePool", "x", "g"), node("Add", "g z", "y")]
    with pytest.raises(UnsupportedOpError, match="one must have the result's shape"):
        import_model(network(nodes, inputs={"z": (1, 1, 7, 5)}))


def test_indices_of_a_pooling() -> None:
    pool = node("MaxPool", "x", "y i", kernel_shape=[2, 2])
    model = network([pool], outputs={"y": 4, "i": 4})
    model.graph.output[1].type.tensor_type.elem_type = TensorProto.INT64
    with pytest.raises(UnsupportedOpError, match="indices"):
        import_model(model)


def test_one_dimensional_convolution() -> None:
    model = network([node("Conv", "x w", "y")], (1, 3, 9), {"w": normal(4, 3, 3)}, outputs={"y": 3})
    with pytest.raises(UnsupportedOpError, match=r"only images \[N, C, H, W\]"):
        import_model(model)


# --- Weights ----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_weight_that_is_no_number(value: float) -> None:
    weight = W.copy()
    weight[1, 2, 0, 1] = value
    with pytest.raises(WeightsError, match="layer 'the conv'.*'w'.*NaN or infinity"):
        import_model(conv_net(weight))


def test_a_statistic_that_is_no_number() -> None:
    bn = node("BatchNormalization", "x s s s v", "y", name="norm")
    model = network([bn], weights={"s": normal(3), "v": np.array([1, np.nan, 1], np.float32)})
    with pytest.raises(WeightsError, match="'norm'.*'v'"):
        import_model(model)


def test_no_filters_left() -> None:
    with pytest.raises(WeightsError, match="'the conv': zero filters left"):
        import_model(conv_net(np.zeros_like(W)))


def test_a_whole_filter_of_zeros_is_fine() -> None:
    weight = W.copy()
    weight[1] = 0
    assert import_model(conv_net(weight)).weights["w"][1].any() == np.False_


def test_a_layer_without_filters() -> None:
    with pytest.raises(PConvError, match="zero filters left"):
        import_model(conv_net(np.zeros((0, 3, 3, 3), np.float32)))


def test_weights_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match="3 channels"):
        import_model(conv_net(normal(4, 2, 3, 3)))


def test_a_module_of_ours_with_a_weight_of_another_shape() -> None:
    module = import_model(conv_net())
    module.weights["w"] = module.weights["w"][:2]
    with pytest.raises(WeightsError, match=r"'w'.*\(4, 3, 3, 3\).*\(2, 3, 3, 3\)"):
        import_model(module)
    del module.weights["w"]
    with pytest.raises(WeightsError, match="'w' is missing"):
        import_model(module)


def test_a_module_of_ours_at_a_later_stage() -> None:
    module = import_model(conv_net())
    later = Module(module.ir.replace("imported", "fused"), module.weights, [], [])
    with pytest.raises(ModelError, match="'imported', got 'fused'"):
        import_model(later)


# --- Inputs -----------------------------------------------------------------------------------


@pytest.mark.parametrize("element", [TensorProto.FLOAT16, TensorProto.INT64])
def test_an_input_of_another_type(element: int) -> None:
    model = conv_net()
    model.graph.input[0].type.tensor_type.elem_type = element
    with pytest.raises(ModelError, match=r"'x' is (float16|int64).*single precision"):
        import_model(model)


def test_an_open_plane_without_an_example() -> None:
    model = network([node("Conv", "x w", "y")], ("N", 3, "H", 5), {"w": W})
    with pytest.raises(ModelError, match="'x'.*give example inputs"):
        import_model(model)


def test_examples_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"\[2, 3, 7, 5\].*\[2, 3, 7, 6\]"):
        import_model(conv_net(), (normal(2, 3, 7, 6),))
    with pytest.raises(ShapeError, match="1 inputs, got 2"):
        import_model(conv_net(), (normal(2, 3, 7, 5), normal(1)))


@pytest.mark.parametrize("model", [5, None, b"net.onnx"])
def test_no_model_at_all(model: Any) -> None:
    with pytest.raises(ModelError, match="expected an .onnx file"):
        import_model(model)


# --- Files ------------------------------------------------------------------------------------


def test_a_missing_file(tmp_path: Path) -> None:
    for path in (tmp_path / "net.onnx", tmp_path):
        with pytest.raises(ModelError, match="there is no file"):
            import_model(path)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x00" * 100, b"PK\x03\x04"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        import_model(path)


def test_damaged_files_never_do_worse_than_a_typed_error(tmp_path: Path) -> None:
    weights = {"w": W, "s": normal(4), "v": normal(4) ** 2, "n": np.array([0, -1], np.int64)}
    nodes = [
        node("Conv", "x w", "c", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "c s s s v", "b"),
        node("MaxPool", "b", "p", kernel_shape=[2, 2]),
        node("Reshape", "p n", "y"),
    ]
    whole = network(nodes, weights=weights, outputs={"y": 2}).SerializeToString()
    rng, path = random.Random(0), tmp_path / "net.onnx"
    refused = accepted = 0
    for round_ in range(200):
        data = bytearray(whole)
        if round_ % 4 == 0:
            data = data[: rng.randrange(len(data))]
        else:
            for _ in range(3):
                data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        try:
            import_model(path)
        except PConvError as error:
            refused += "\n" not in str(error)
        else:
            accepted += 1
    assert refused > 100
    assert refused + accepted == 200


def test_a_weight_that_is_shorter_than_its_shape() -> None:
    model = conv_net()
    model.graph.initializer[0].raw_data = b"\x00" * 40
    with pytest.raises(ModelError, match="'w' is malformed"):
        import_model(model)


@pytest.mark.parametrize("dims", [[-1, 3, 3, 3], [1 << 62, 1 << 62, 4, 4]])
def test_a_weight_of_an_impossible_shape(dims: list[int]) -> None:
    model = conv_net()
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend(dims)
    with pytest.raises(ModelError, match="'w'"):
        import_model(model)


def test_external_weights_without_a_path() -> None:
    model = conv_net()
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "net.data")
    with pytest.raises(ModelError, match="pass the path"):
        import_model(model)


def test_constants_that_would_fill_the_memory() -> None:
    """A column and a row make a square, that and a stack of numbers a cube."""
    nodes = [
        node("Add", "column row", "square"),
        node("Add", "square stack", "cube"),
        node("Add", "x cube", "y"),
    ]
    shapes = {"column": (3000, 1), "row": (1, 3000), "stack": (3000, 1, 1)}
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    tracemalloc.start()
    with pytest.raises(PConvError):
        import_model(network(nodes, (1,), weights, outputs={"y": 3}))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 64 << 20


def test_external_weights_outside_of_the_folder(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(W.tobytes())
    model = conv_net()
    tensor = model.graph.initializer[0]
    onnx.external_data_helper.set_external_data(tensor, "../secret")
    tensor.ClearField("raw_data")
    path = tmp_path / "folder" / "net.onnx"
    path.parent.mkdir()
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="'w' is malformed"):
        import_model(path)


def test_sparse_initializers() -> None:
    model = conv_net()
    values = numpy_helper.from_array(np.ones(1, np.float32), "v")
    indices = numpy_helper.from_array(np.zeros(1, np.int64), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    with pytest.raises(ModelError, match="dense tensors"):
        import_model(model)


def test_an_output_that_is_constant() -> None:
    model = network([node("Identity", "c", "y")], weights={"c": normal(1, 2, 3, 4)})
    with pytest.raises(ModelError):
        import_model(model)


def test_a_network_without_a_layer() -> None:
    with pytest.raises(ModelError, match="no layer"):
        import_model(network([node("Identity", "x", "y")]))


def test_nodes_out_of_order() -> None:
    with pytest.raises(ModelError, match="malformed"):
        import_model(network([node("Relu", "a", "y"), node("Relu", "x", "a")]))


def test_missing_torch_mlir(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch_mlir.extras", None)
    with pytest.raises(DependencyError, match=r"pip install 'pconv-mlir\[onnx\]'"):
        import_model(conv_net())
