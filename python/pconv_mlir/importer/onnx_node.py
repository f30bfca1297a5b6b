# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""An op of an ONNX model, with the attributes that it was given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pconv_mlir.importer.emitter import Unsupported
from pconv_mlir.importer.operands import Operands


@dataclass
class Node(Operands):
    """An op of the model.

    Args:
        attributes: Those that the model gives.
        opset: Version of the operator set.
    """

    attributes: dict[str, Any]
    opset: int

    def integers(self, attribute: str, index: int) -> list[int] | None:
        """Numbers that older operator sets keep in an attribute, newer ones in an input."""
        if attribute in self.attributes:
            value = self.attributes[attribute]
            return value if isinstance(value, list) else [value]
        constant = self.optional_constant(index, attribute)
        return None if constant is None else [int(n) for n in constant.values.reshape(-1)]

    def get(self, attribute: str, default: Any) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(attribute, default)

    def require(self, attribute: str, default: Any, *allowed: Any) -> None:
        """Refuse other values of an attribute."""
        value = self.get(attribute, default)
        if value not in allowed:
            raise Unsupported(f"{attribute} = {value}: only {' or '.join(map(str, allowed))} works")
