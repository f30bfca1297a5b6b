# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The sparsity that the importer finds in the zeros of the weights."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from onnx_nets import network, node, normal

from pconv_mlir import models, prune
from pconv_mlir.importer import import_model

pytest.importorskip("torch_mlir")


def pruned(scheme: str) -> Any:
    """A module of one convolution of 16x8 kernels of 3x3."""
    weights = {"conv.weight": normal(16, 8, 3, 3)}
    if scheme != "dense":
        prune.magnitude(weights, scheme, leave_alone=())
    model = network([node("Conv", "x conv.weight", "y")], (1, 8, 5, 7), weights)
    return import_model(model), weights["conv.weight"]


def test_kernel_patterns_are_found() -> None:
    module, weight = pruned("pattern:8+connectivity:3.6")
    assert "#pattern.kernel<" in module.ir and "library<3x3, [[" in module.ir
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
