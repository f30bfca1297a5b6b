# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the compiler decided about every layer, read from the IR for `explain`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import ir
from ..manifest import Layer
from ..reference import window_size

#: A convolution whose weights wear kernel patterns may run dense all the same.
_NOT_WORTH_IT = "runs dense: too few zeros for the sparse loop to pay"


def describe(
    module: ir.Module, weights: Mapping[str, NDArray[np.float32]], notes: Mapping[str, str]
) -> tuple[Layer, ...]:
    """The layers of a placed network, in the order in which they run.

    Args:
        module: The network, at the stage `placed`.
        weights: Values by symbol.
        notes: Remarks of the importer by layer.
    """
    return _Describer(module, weights, notes).layers()


class _Describer:
    def __init__(
        self, module: ir.Module, weights: Mapping[str, NDArray[Any]], notes: Mapping[str, str]
    ) -> None:
        self.weights, self.notes = weights, notes
        self.symbols: dict[str, Any] = {}
        self.main: Any = None
        for op in module.body.operations:
            if op.operation.name in ("pattern.weights", "pattern.packed"):
                self.symbols[op.attributes["sym_name"].value] = op
            elif op.operation.name == "func.func" and op.attributes["sym_name"].value == "main":
                self.main = op

    def layers(self) -> tuple[Layer, ...]:
        block = self.main.regions[0].blocks[0]
        return tuple(
            self.layer(op) for op in block.operations if op.operation.name.startswith("pattern.")
        )

    def layer(self, op: Any) -> Layer:
        attributes = op.operation.attributes
        name = attributes["layer"].value if "layer" in attributes else ""
        fields: dict[str, Any] = {
            "name": name,
            "kind": op.operation.name.removeprefix("pattern."),
            "input": tuple(op.operation.operands[0].type.shape),
            "output": tuple(op.operation.results[0].type.shape),
            "reason": self.notes.get(name, ""),
        }
        if "weights" in attributes:
            fields |= self.weight_fields(attributes, fields)
        return Layer(**fields)

    def weight_fields(self, attributes: Any, fields: dict[str, Any]) -> dict[str, Any]:
        symbol = self.symbols[attributes["weights"].value]
        shape = tuple(symbol.attributes["type"].value.shape)
        kept = int(np.count_nonzero(self.values(symbol)))
        repeats = fields["input"][0] * _plane(attributes, fields["input"], shape)
        found = {
            "weights": shape,
            "zeros": math.prod(shape) - kept,
            "macs": math.prod(shape) * repeats,
            "kept_macs": kept * repeats,
            "scheme": "dense",
        }
        scheme = str(symbol.attributes["scheme"])
        if "kernels" in symbol.attributes:
            found |= _kernel_fields(scheme, symbol.attributes["kernels"])
            dense = "schedule" in attributes and "output_stationary" in str(attributes["schedule"])
            if dense and not fields["reason"]:
                found["reason"] = _NOT_WORTH_IT
        else:
            found["scheme"] = _other_scheme(scheme)
        if "loads" in attributes:
            found["loads"] = _loads(str(attributes["loads"]))
        if "packed" in attributes:
            packed = self.symbols[attributes["packed"].value].attributes
            for key in ("index_bytes", "csr_bytes"):
                if key in packed:
                    found[key] = packed[key].value
        return found

    def values(self, symbol: Any) -> NDArray[Any]:
        """The values that a weight is made from; folding a batch norm into them adds no zeros."""
        while "source" in symbol.attributes:
            symbol = self.symbols[symbol.attributes["source"].value]
        return self.weights[symbol.attributes["sym_name"].value]


def _plane(attributes: Any, shape: tuple[int, ...], weights: tuple[int, ...]) -> int:
    """How often every weight is used for one image: the size of the plane before pooling."""
    if len(weights) != 4:
        return 1
    strides, padding, dilations = (
        list(attributes[name]) for name in ("strides", "padding", "dilations")
    )
    return math.prod(
        window_size(
            shape[2 + axis],
            weights[2 + axis],
            strides[axis],
            padding[axis] + padding[axis + 2],
            dilations[axis],
        )
        for axis in (0, 1)
    )


def _kernel_fields(scheme: str, kernels: Any) -> dict[str, Any]:
    masks = np.asarray(ir.DenseIntElementsAttr(kernels))
    kept = int(np.count_nonzero(masks))
    text = f"pattern:{scheme.count('[') - 1}"  # a list of lists of cells
    if 0 < kept < masks.size:
        text += f"+connectivity:{masks.size / kept:.3g}"
    return {"scheme": text, "kernels": masks.size, "kept_kernels": kept}


def _other_scheme(scheme: str) -> str:
    """
    >>> _other_scheme("#pattern.block_punched<filters = 8, channels = 4>")
    'block-punched:8x4'
    """
    name = re.sub(r"#pattern\.|<.*", "", scheme).replace("_", "-")
    numbers = re.findall(r"= (\d+)", scheme)
    return f"{name}:{'x'.join(numbers)}" if numbers else name


def _loads(plan: str) -> str:
    """
    >>> _loads("#pattern.loads<scope = run, taps = [0, 0, 0, 1], uses = [[0, 1], [1]]>")
    'run: 2 loads for 3 uses'
    """
    scope = re.search(r"scope = (\w+)", plan)
    taps, _, uses = plan.partition("uses")
    loads = len(re.findall(r"-?\d+", taps)) // 2
    used = len(re.findall(r"\d+", uses))
    return f"{scope[1] if scope else '?'}: {loads} loads for {used} uses"
