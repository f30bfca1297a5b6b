# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A network between two stages of the compiler: the plan as IR text, the bytes as NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TensorSpec:
    """What a network takes or gives.

    Args:
        name: Name in the user's model.
        shape: Static shape, NCHW for images.
        dtype: NumPy name of the element type.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"


@dataclass
class Module:
    """A network and its weights.

    Args:
        ir: A `builtin.module` in the pattern dialect; its attribute `pattern.stage` names the
            stage. Weights are symbols in it, without values.
        weights: Values of the weights, float32 and C-contiguous, by symbol name.
        inputs: One spec per argument of `@main`.
        outputs: One spec per result of `@main`.
        notes: What the user should know about a layer, by its name: for example why it is dense.
    """

    ir: str
    weights: dict[str, NDArray[np.float32]]
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    notes: dict[str, str] = field(default_factory=dict)
