# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weights in, packed arrays out: follows the `pattern.packed` ops of a compiled network.

The compiler plans the order (pass `pattern-pack-weights`), this module moves the numbers. It also
folds batch normalisations, as the recipes on the `pattern.weights` ops say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from . import ir
from .attributes import read_batch_norm
from .errors import CompileError, WeightsError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]


class WeightResolver:
    """Looks up weights by symbol, and computes the ones that a folding recipe describes.

    Args:
        module: The network, at any stage that still has its `pattern.weights` ops.
        weights: Values by parameter name, float32.
    """

    def __init__(self, module: ir.Module, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self._values = weights
        self._ops = {
            ir.StringAttr(op.attributes["sym_name"]).value: op
            for op in module.body.operations
            if op.operation.name == "pattern.weights"
        }

    def __getitem__(self, symbol: str) -> FloatArray:
        """The values of a weight symbol.

        Raises:
            WeightsError: if the network has no value for it, or one of another shape.
        """
        op = self._ops.get(symbol)
        if op is not None and "batch_norm" in op.attributes:
            return self._fold(op)
        if symbol not in self._values:
            raise WeightsError("no values were given for this weight", layer=symbol)
        values = np.asarray(self._values[symbol], dtype=np.float32)
        if op is not None and values.shape != (shape := _shape(op)):
            raise WeightsError(f"expected shape {shape}, got {values.shape}", layer=symbol)
        return values

    def batch_norm(
        self, recipe: ir.Attribute
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Scale and shift per channel of a `#pattern.batch_norm`, in float64."""
        parameters = read_batch_norm(recipe)
        scale, shift, mean, variance = (
            self[symbol].astype(np.float64) for symbol in parameters.symbols
        )
        scale = scale / np.sqrt(variance + parameters.epsilon)
        return scale, shift - mean * scale

    def _fold(self, op: Any) -> FloatArray:
        scale, shift = self.batch_norm(op.attributes["batch_norm"])
        source = None
        if "source" in op.attributes:
            source = self[ir.FlatSymbolRefAttr(op.attributes["source"]).value].astype(np.float64)
        shape = _shape(op)
        if len(shape) == 1:  # the bias
            folded = shift if source is None else source * scale + shift
        else:
            assert source is not None  # the verifier of pattern.weights sees to it
            folded = source * scale.reshape(-1, *[1] * (len(shape) - 1))
        return folded.astype(np.float32)


def _numbers(op: Any, name: str) -> IntArray:
    return np.array(ir.DenseIntElementsAttr(op.attributes[name]), np.int32)


def _integer(op: Any, name: str) -> int:
    return int(ir.IntegerAttr(op.attributes[name]).value)


def _shape(op: Any) -> tuple[int, ...]:
    return tuple(ir.RankedTensorType(ir.TypeAttr(op.attributes["type"]).value).shape)


def pack(module: ir.Module, weights: Mapping[str, npt.NDArray[Any]]) -> tuple[FloatArray, IntArray]:
    """Packs all weights of a network into the two arrays that its code reads.

    Args:
        module: The network at stage `packed` or `placed`.
        weights: Values by parameter name; shapes as in the `pattern.weights` ops.

    Returns:
        The float32 values and the int32 index numbers.

    Raises:
        WeightsError: if a weight has no values, or values of another shape.
        CompileError: if the network is at another stage, its packed weights lie outside of the
            arrays, or those do not fit into memory.
    """
    resolver = WeightResolver(module, weights)
    try:
        values, indices = _blob(module, "values", np.float32), _blob(module, "indices", np.int32)
        for op in module.body.operations:
            if op.operation.name != "pattern.packed":
                continue
            packed, bias = _pack_layer(op, resolver)
            start = _integer(op, "values")
            _put(op, values, start, packed)
            _put(op, values, start + len(packed), bias)
            if "index" in op.attributes:
                _put(op, indices, _integer(op, "indices"), _numbers(op, "index"))
    except MemoryError as error:
        raise CompileError("the packed weights of the network do not fit into memory") from error
    return values, indices


def _blob(module: ir.Module, name: str, dtype: type[np.generic]) -> npt.NDArray[Any]:
    """One of the two arrays, empty; at least one number, since an empty one has no address."""
    attributes = module.operation.attributes
    if "pattern.memory" not in attributes or name not in (
        memory := ir.DictAttr(attributes["pattern.memory"])
    ):
        raise CompileError(
            f"expected a network at stage packed or placed, which says how many {name} it has"
        )
    return np.zeros(max(int(ir.IntegerAttr(memory[name]).value), 1), dtype)


def _put(op: Any, blob: npt.NDArray[Any], start: int, numbers: npt.NDArray[Any]) -> None:
    """Copies the numbers of a layer to their place."""
    if start + len(numbers) > len(blob):
        raise CompileError(
            f"expected {len(numbers)} packed numbers below {len(blob)}, got them at {start}; "
            "run pattern-pack-weights again",
            layer=ir.StringAttr(op.attributes["sym_name"]).value,
        )
    blob[start : start + len(numbers)] = numbers


def _pack_layer(op: Any, resolver: WeightResolver) -> tuple[FloatArray, FloatArray]:
    """The packed values of one layer, and its bias."""
    if "batch_norm" in op.attributes:
        scale, shift = resolver.batch_norm(op.attributes["batch_norm"])
        return np.concatenate([scale, shift]).astype(np.float32), np.zeros(0, np.float32)
    symbol = ir.FlatSymbolRefAttr(op.attributes["weights"]).value
    weight = resolver[symbol]
    bias = np.zeros(0, np.float32)
    if "bias" in op.attributes:
        bias = resolver[ir.FlatSymbolRefAttr(op.attributes["bias"]).value]
    if "gather" in op.attributes:
        gather = _numbers(op, "gather")
        return np.where(gather < 0, np.float32(0), weight.reshape(-1)[gather]), bias
    block = _integer(op, "filter_block")
    if weight.ndim == 2:
        bias = np.pad(bias, (0, -len(bias) % block))
    return pack_panels(weight, block, groups=_integer(op, "groups")), bias


def pack_panels(weight: FloatArray, filter_block: int, groups: int = 1) -> FloatArray:
    """Deals filters into panels: [group][panel][channel and cell][filter], short ones zero-filled.

    Args:
        weight: [filters, channels, ...].
        filter_block: Filters of a panel.
        groups: Groups of the convolution; a panel holds filters of one group.
    """
    flat = weight.reshape(groups, weight.shape[0] // groups, -1)
    padded = np.pad(flat, ((0, 0), (0, -flat.shape[1] % filter_block), (0, 0)))
    panels = padded.reshape(groups, -1, filter_block, flat.shape[2])
    return np.ascontiguousarray(panels.transpose(0, 1, 3, 2)).reshape(-1)
