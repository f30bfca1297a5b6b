# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write a trained `torch.nn.Sequential` as ONNX, node by node, and count its zeros.

By hand, because the file then depends on nothing but the weights: node and weight names are those
of the torch module, and batch norm stays a node of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OPSET = 17


def onnx_node(name: str, layer: nn.Module, source: str) -> onnx.NodeProto:
    """One ONNX node for one layer; weights are named as the parameters of the torch module."""
    one: dict[type[nn.Module], tuple[str, dict[str, Any]]] = {
        nn.Conv2d: ("Conv", {"kernel_shape": [3, 3], "pads": [1] * 4, "strides": [1, 1]}),
        nn.BatchNorm2d: ("BatchNormalization", {"epsilon": getattr(layer, "eps", 0.0)}),
        nn.ReLU: ("Relu", {}),
        nn.MaxPool2d: ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        nn.AdaptiveAvgPool2d: ("GlobalAveragePool", {}),
        nn.Flatten: ("Flatten", {"axis": 1}),
        nn.Linear: ("Gemm", {"transB": 1}),
    }
    op, attributes = one[type(layer)]
    tensors = [f"{name}.{key}" for key in layer.state_dict() if key != "num_batches_tracked"]
    return helper.make_node(op, [source, *tensors], [f"{name}_out"], name=name, **attributes)


def to_onnx(net: nn.Sequential, name: str) -> onnx.ModelProto:
    """The network as ONNX with its weights inside; batch norm stays a node of its own."""
    nodes, value = [], "image"
    for layer_name, layer in net.named_children():
        nodes.append(onnx_node(layer_name, layer, value))
        value = nodes[-1].output[0]
    nodes[-1].output[0] = "scores"
    weights = [
        numpy_helper.from_array(np.ascontiguousarray(tensor.numpy()), key)
        for key, tensor in net.state_dict().items()
        if not key.endswith("num_batches_tracked")
    ]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 28, 28])
    scores = helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])
    graph = helper.make_graph(nodes, name, [image], [scores], weights)
    model = helper.make_model(
        graph,
        producer_name="pconv-mlir",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def layer_zeros(net: nn.Module) -> dict[str, dict[str, Any]]:
    """Shape, zeros and kernels kept of every convolution."""
    rows = {}
    for name, layer in net.named_modules():
        if isinstance(layer, nn.Conv2d):
            kept = (layer.weight.detach() != 0).numpy()
            rows[name] = {
                "shape": list(kept.shape),
                "zeros": round(1.0 - float(kept.mean()), 4),
                "kernels_kept": int(kept.any(axis=(2, 3)).sum()),
                "kernels": kept.shape[0] * kept.shape[1],
            }
    return rows
