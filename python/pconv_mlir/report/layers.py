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
            masks = np.asarray(ir.DenseIntElementsAttr(symbol.attributes["kernels"]))
            found |= _kernel_fields(scheme, masks)
            if "loads" in attributes:
                found["loads"] = _loads_saved(attributes, masks)
            else:
                found["reason"] = _NOT_WORTH_IT
        else:
            found["scheme"] = _other_scheme(scheme)
            found["reason"] = self.notes.get(fields["name"], "")
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


def _kernel_fields(scheme: str, masks: NDArray[np.int8]) -> dict[str, Any]:
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


def _loads_saved(attributes: Any, masks: NDArray[np.int8]) -> str:
    """The load plan in words: where an input vector is shared, and the share of loads it saves.

    Args:
        attributes: Of a convolution with a schedule and a load plan.
        masks: Kernel patterns [filters, channels], 0 where the kernel was removed.
    """
    plan, schedule = str(attributes["loads"]), str(attributes["schedule"])
    uses = re.findall(r"\[([^\[\]]+)\]", plan.partition("uses")[2])
    cells = np.array([0, *(len(pattern.split(",")) for pattern in uses)])
    if "scope = run" in plan:
        # Kernels of one pattern, channel and block of filters form a run.
        stored = masks[list(attributes["filter_order"])] if "filter_order" in attributes else masks
        filter_, channel = np.nonzero(stored)
        pattern = stored[filter_, channel]
        block = filter_ // _number(schedule, "filter_block")
        runs = np.unique(np.stack([block, channel, pattern]), axis=1)
        alone = int(cells[pattern].sum())
        saved = alone - int(cells[runs[2]].sum())
        return f"run: {saved / max(alone, 1):.0%} saved"  # a layer may have lost all its kernels
    rows, pairs = _number(schedule, "rows"), _number(plan, "pairs")
    return f"kernel: {pairs * (rows - 1) / (cells.max() * rows):.0%} saved"


def _number(text: str, name: str) -> int:
    """
    >>> _number("#pattern.schedule<rows = 6, vectors = 2>", "vectors")
    2
    """
    found = re.search(rf"\b{name} = (\d+)", text)
    return int(found[1]) if found else 0
