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
    """The initializers of an ONNX model by name, for example to prune them."""
    from onnx import numpy_helper

    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def replace_weights(model: onnx.ModelProto, weights: Mapping[str, NDArray[Any]]) -> None:
    """Overwrite initializers of an ONNX model, in place.

    Raises:
        ModelError: The model has no initializer of this name, shape and type.
    """
    from onnx import numpy_helper

    found = {tensor.name: tensor for tensor in model.graph.initializer}
    for name, values in weights.items():
        new = numpy_helper.from_array(np.ascontiguousarray(values), name)
        old = found.get(name)
        if old is None or (old.dims, old.data_type) != (new.dims, new.data_type):
            raise ModelError(
                f"the model has no {values.dtype} weight {name!r} of shape {values.shape}"
            )
        old.CopyFrom(new)
