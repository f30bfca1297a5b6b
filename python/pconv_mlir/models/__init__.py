# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The built-in networks: real architectures with seeded random weights, as ONNX.

They need no torch and no download. Layers and parameters are called as in torchvision, so that
published weights fit; put them in with `replace_weights`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import ModelError, OptionError

if TYPE_CHECKING:
    import onnx

__all__ = ["build", "names", "replace_weights", "weights"]


def _builders() -> dict[str, Callable[[int, int], onnx.ModelProto]]:
    # Not at the top: a compiled network has to run where onnx is not installed.
    from pconv_mlir.models import efficientnet, mobilenet, resnet, vgg

    return {
        "vgg16": vgg.vgg16,
        "vgg16-conv": vgg.vgg16_conv,
        "resnet18": resnet.resnet18,
        "resnet50": resnet.resnet50,
        "mobilenet_v2": mobilenet.mobilenet_v2,
        "mobilenet_v3_large": mobilenet.mobilenet_v3_large,
        "efficientnet_b0": efficientnet.efficientnet_b0,
        "resnet20-cifar": resnet.resnet20_cifar,
        "vgg16-cifar": vgg.vgg16_cifar,
        "vgg-fashion": vgg.vgg_fashion,
    }


def names() -> list[str]:
    """Names of the built-in networks."""
    return list(_builders())


def build(name: str, batch: int = 1, seed: int = 0) -> onnx.ModelProto:
    """Make a built-in network with random weights: the same for the same seed.

    Raises:
        ModelError: No network has this name.
        OptionError: The batch size is not positive, or the seed negative.
    """
    builders = _builders()
    if name not in builders:
        raise ModelError(f"no built-in network is called {name!r}: there are {', '.join(builders)}")
    if batch < 1 or seed < 0:
        raise OptionError(f"expected batch >= 1 and seed >= 0, got batch {batch} and seed {seed}")
    return builders[name](batch, seed)


def weights(model: onnx.ModelProto) -> dict[str, NDArray[Any]]:
    """The initializers of an ONNX model by name, for example to prune them.

    They come in the order in which the nodes use them, unused ones last. Matrices are [out, in], as
    in torch: those that `MatMul` and `Gemm` hold as [in, out] are transposed, unless another node
    uses them in another way.
    """
    from onnx import numpy_helper

    transposed = _transposed(model.graph)
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    used = (name for node in model.graph.node for name in node.input if name in arrays)
    return {
        name: np.ascontiguousarray(arrays[name].T) if name in transposed else arrays[name]
        for name in dict.fromkeys([*used, *arrays])
    }


def replace_weights(model: onnx.ModelProto, weights: Mapping[str, NDArray[Any]]) -> None:
    """Overwrite initializers of an ONNX model, in place; matrices are [out, in], as in `weights`.

    Raises:
        ModelError: The model has no initializer of this name, shape and type.
    """
    from onnx import numpy_helper

    transposed = _transposed(model.graph)
    found = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, values in weights.items():
        turned = values.T if name in transposed else values
        new = numpy_helper.from_array(np.ascontiguousarray(turned), name)
        old = found.get(name)
        if old is None or (old.dims, old.data_type) != (new.dims, new.data_type):
            raise ModelError(
                f"the model has no {values.dtype} weight {name!r} of shape {values.shape}"
            )
        old.CopyFrom(new)


def _transposed(graph: onnx.GraphProto) -> set[str]:
    """The matrices that are [in, out] for every node that uses them."""
    uses: dict[str, set[bool]] = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            uses.setdefault(name, set()).add(place == 1 and _multiplies_by_in_out(node))
    matrices = (tensor.name for tensor in graph.initializer if len(tensor.dims) == 2)
    return {name for name in matrices if uses.get(name) == {True}}


def _multiplies_by_in_out(node: onnx.NodeProto) -> bool:
    """Whether the second input of a node is a matrix [in, out]."""
    if node.op_type == "Gemm":
        return all(attribute.name != "transB" or attribute.i == 0 for attribute in node.attribute)
    return bool(node.op_type == "MatMul")
