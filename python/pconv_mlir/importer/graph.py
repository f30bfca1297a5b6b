# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An MLIR module of the pattern dialect under construction: ops, weight symbols, the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import ir
from pconv_mlir.dialects import pattern
from pconv_mlir.dialects.func import FuncOp, ReturnOp
from pconv_mlir.errors import ModelError
from pconv_mlir.importer.sparsity import describe_weights, weight_symbols
from pconv_mlir.module import Module, TensorSpec

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Constant:
    """A constant of the model: a parameter, or a small array such as a shape."""

    name: str
    values: NDArray[Any]


class Graph:
    """The function `@main` and the weights that it uses.

    Args:
        inputs: What the network takes.
    """

    def __init__(self, inputs: Sequence[TensorSpec]) -> None:
        self.context = ir.Context()
        self._inputs = list(inputs)
        self._weights: dict[str, NDArray[np.float32]] = {}
        with self.context, ir.Location.unknown():
            self._module = ir.Module.create()
            self._module.operation.attributes["pattern.stage"] = ir.StringAttr.get("imported")
            types = [self._type(spec.shape) for spec in inputs]
            with ir.InsertionPoint(self._module.body):
                self._main = FuncOp("main", ir.FunctionType.get(types, []))
            self._block = self._main.add_entry_block()
        self.inputs: list[ir.Value] = list(self._block.arguments)

    def unknown(self, shape: Shape) -> ir.Value:
        """Stands for what an unsupported op makes, so that the layers behind it are looked at too.

        It would be another argument of `@main`: never finish a network that has one.
        """
        with self.context, ir.Location.unknown():
            value: ir.Value = self._block.add_argument(self._type(shape), ir.Location.unknown())
            return value

    def finish(self, outputs: Sequence[ir.Value], names: Sequence[str]) -> Module:
        """The network, checked.

        Raises:
            ModelError: There is no layer.
            WeightsError: A weight is NaN or infinite, or a layer has no filter left.
        """
        with self.context, ir.Location.unknown():
            with ir.InsertionPoint(self._block):
                ReturnOp(list(outputs))
            types = [value.type for value in outputs]
            inputs = [value.type for value in self.inputs]
            self._main.attributes["function_type"] = ir.TypeAttr.get(
                ir.FunctionType.get(inputs, types)
            )
            self._main.attributes["arg_attrs"] = _names([spec.name for spec in self._inputs])
            self._main.attributes["res_attrs"] = _names(names)
            weights = self._declare_weights(self._erase_unused())
            notes = describe_weights(self._module, weights)
            self._module.operation.verify()
            specs = [
                TensorSpec(name, shape_of(value))
                for name, value in zip(names, outputs, strict=True)
            ]
            return Module(str(self._module), weights, self._inputs, specs, notes)

    def _erase_unused(self) -> list[str]:
        """Drop layers without users; the symbols of the weights that the others use."""
        used: dict[str, None] = {}
        layers = list(self._block)[:-1]
        for op in reversed(layers):
            if next(op.operation.result.uses, None) is None:
                op.operation.erase()
            else:
                used.update(dict.fromkeys(reversed(weight_symbols(op.operation))))
        if next(iter(self._block)).operation.name == "func.return":
            raise ModelError("the network has no layer")
        return list(reversed(used))

    def _declare_weights(self, symbols: list[str]) -> dict[str, NDArray[np.float32]]:
        weights = {name: self._weights[name] for name in symbols}
        with ir.InsertionPoint(self._main):
            for name, values in weights.items():
                kind = ir.TypeAttr.get(self._type(values.shape))
                pattern.WeightsOp(name, kind, ir.Attribute.parse("#pattern.dense"))
        return weights

    def symbol(self, constant: Constant) -> str:
        """The symbol of a weight; another one where an unlike weight has that name already."""
        values = np.ascontiguousarray(constant.values, np.float32)  # no copy if it is that already
        taken = {"main": None, **self._weights}
        name, number = constant.name, 1
        while name in taken and taken[name] is not values:
            number += 1
            name = f"{constant.name}.{number}"
        self._weights[name] = values
        return name

    def emit(self, op: Any, shape: Shape, *operands: Any, **attributes: Any) -> ir.Value:
        location = ir.Location.name(attributes["layer"], context=self.context)
        with self.context, location, ir.InsertionPoint(self._block):
            result: ir.Value = op(self._type(shape), *operands, **attributes).result
            return result

    @staticmethod
    def _type(shape: Shape) -> ir.Type:
        return ir.RankedTensorType.get(shape, ir.F32Type.get())


def shape_of(x: ir.Value) -> Shape:
    """Shape of a value."""
    return tuple(ir.RankedTensorType(x.type).shape)


def _names(names: Sequence[str]) -> ir.Attribute:
    return ir.ArrayAttr.get(
        [ir.DictAttr.get({"pattern.name": ir.StringAttr.get(name)}) for name in names]
    )
