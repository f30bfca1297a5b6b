# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small ONNX networks for the tests of the importer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from pconv_mlir import reference
from pconv_mlir.importer import import_model


def node(op: str, inputs: str, output: str, name: str = "", **attributes: Any) -> onnx.NodeProto:
    """A node; inputs are separated by blanks, and `-` stands for one that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, output.split(), name or f"the_{op.lower()}", **attributes)


def network(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str] | None = (2, 3, 7, 5),
    weights: Mapping[str, Any] | None = None,
    *,
    opset: int = 17,
    outputs: Mapping[str, int] | None = None,
    inputs: Mapping[str, Sequence[int]] | None = None,
) -> onnx.ModelProto:
    """A network from `x` to `y`.

    Args:
        nodes: Its layers.
        shape: Of `x`; a text leaves a size open.
        weights: Initializers.
        opset: Version of the operator set.
        outputs: Results and their ranks, where there is not just a `y` of rank 4.
        inputs: More inputs.
    """
    takes = {"x": shape, **(inputs or {})}
    gives = {"y": 4} if outputs is None else outputs
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in takes.items()],
        [helper.make_tensor_value_info(k, TensorProto.FLOAT, [None] * v) for k, v in gives.items()],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def normal(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    """Seeded normal numbers."""
    return np.random.default_rng([seed, *shape]).standard_normal(shape, np.float32)


def evaluate(model: onnx.ModelProto, *inputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """What the network gives according to the onnx package."""
    feeds = {value.name: x for value, x in zip(model.graph.input, inputs, strict=True)}
    results: list[NDArray[np.float32]] = ReferenceEvaluator(model).run(None, feeds)
    return results


X = normal(2, 3, 7, 5)


def ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def floats(*values: float) -> NDArray[np.float32]:
    return np.array(values, np.float32)


def check(model: onnx.ModelProto, *inputs: Any) -> str:
    """The IR of the imported network, once its results are right."""
    inputs = inputs or (X,)
    module = import_model(model)
    expected = evaluate(model, *inputs)
    got = reference.run(module, *inputs)
    for a, b, spec in zip(got, expected, module.outputs, strict=True):
        assert a.shape == b.shape == spec.shape
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    return module.ir
