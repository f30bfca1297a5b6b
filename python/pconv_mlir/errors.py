# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every error that a user of pconv-mlir can meet.

All derive from `PConvError`, whose text is one clear message: what is wrong, which layer or tensor
it is about, and what to do next. The command line prints that message and exits with `exit_code`.
"""

from __future__ import annotations


class PConvError(Exception):
    """Base of all errors of this package.

    Args:
        message: What is wrong and what to do, lower-case, without a full stop.
        layer: Name of the layer or tensor in the user's model, when there is one.
    """

    exit_code = 1

    def __init__(self, message: str, *, layer: str | None = None) -> None:
        self.message = message
        self.layer = layer
        super().__init__(f"layer {layer!r}: {message}" if layer else message)


class ModelError(PConvError):
    """The model file or module cannot be read: truncated, malformed, or no network at all."""


class UnsupportedOpError(PConvError):
    """The model holds an operator, or a form of one, that pconv-mlir cannot compile."""


class WeightsError(PConvError):
    """A weight is unusable: NaN or infinity, a missing value, or a layer without filters."""


class SchemeError(PConvError):
    """A pruning scheme is malformed, or does not fit the layer that it is applied to."""


class ConfigError(SchemeError):
    """A pruning config is malformed, names unknown layers, or was made for another model."""


class PruneError(PConvError):
    """A pruner is used out of order, or its saved state is that of another one."""


class ShapeError(PConvError):
    """An input array has another shape than the network takes."""


class DTypeError(PConvError):
    """An input array has another element type than the network takes."""


class TargetError(PConvError):
    """The target is unknown, or this machine cannot run code made for it."""


class OptionError(PConvError):
    """An option has a value outside its range, for example a thread count of zero."""


class ArtefactError(PConvError):
    """A `.pconv` file is truncated, damaged, of another version, or hostile."""


class CompileError(PConvError):
    """A pass or the code generator failed; the message names the reproducer that was written."""


class DependencyError(PConvError):
    """An optional package is needed for this call; the message says how to install it."""
