# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a user can choose about a compilation, besides the model and the target."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from .errors import OptionError


@dataclass(frozen=True)
class CompileOptions:
    """Options of `compile` and `lower`. Every pass that only makes code faster switches off alone.

    Attributes:
        sparse: Use the zeros of the weights where that is faster; off, all weights count as dense.
        fuse: Fold batch norm, bias, residual, activation and pooling into their producers.
        reorder: Group similar filters (filter kernel reorder).
        eliminate_loads: Share loaded inputs between kernels (load-redundancy elimination).
        opt_level: Effort of LLVM, 0 to 3.

    Raises:
        OptionError: A value is of the wrong type or out of range.
    """

    sparse: bool = True
    fuse: bool = True
    reorder: bool = True
    eliminate_loads: bool = True
    opt_level: int = 3

    def __post_init__(self) -> None:
        for switch in self.switches():
            if not isinstance(getattr(self, switch), bool):
                raise OptionError(f"expected {switch} to be True or False, got {self!r}")
        if type(self.opt_level) is not int or self.opt_level not in (0, 1, 2, 3):
            raise OptionError(f"expected an opt_level from 0 to 3, got {self.opt_level!r}")

    @classmethod
    def switches(cls) -> tuple[str, ...]:
        """Names of the options that switch something off, in the order of the pipeline."""
        return tuple(field.name for field in fields(cls) if field.type in (bool, "bool"))

    def without(self, switch: str) -> CompileOptions:
        """The same options with one thing switched off."""
        return replace(self, **{switch: False})
