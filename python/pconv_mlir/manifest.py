# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a compiled network says about itself: the content of `manifest.json`.

The classes are plain records. `decode` rebuilds them from JSON that may come from anywhere, so it
takes nothing for granted: wrong types, missing and unknown keys, negative or absurd numbers are
errors that say where.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from .errors import ArtefactError
from .targets import Target

#: Version of the file format; raised when old readers would misunderstand a file.
VERSION = 1

#: The name of the compiled function in the object file.
ENTRY = "pconv_network"

LARGEST = 1 << 48  #: No count in a manifest is above this.
LONGEST = 4096  #: Neither a string nor a list of ours has more elements (lists of steps: x 16).

T = TypeVar("T")


@dataclass(frozen=True)
class Slot:
    """An input or output of the network.

    Attributes:
        name: Its name in the model.
        shape: Its shape, N first.
        place: Where it lies in the arena, in floats, in row-major order.
        dtype: Element type in NumPy's words.
    """

    name: str
    shape: tuple[int, ...]
    place: int
    dtype: str = "float32"

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Memory:
    """What a run needs: floats in the arena, in a thread's scratch and in the packed weights, and
    32-bit indices.
    """

    arena: int
    scratch: int
    values: int
    indices: int


@dataclass(frozen=True)
class Step:
    """One parallel loop of the compiled code; runs are timed step by step.

    Attributes:
        layer: Name of the layer in the model.
        kind: The op, for example `conv2d`.
        items: How many independent pieces the loop has.
    """

    layer: str
    kind: str
    items: int


@dataclass(frozen=True)
class Layer:
    """What the compiler knows about a layer, for `explain`.

    Attributes:
        name, kind: Its name in the model and its op.
        input, output: Shapes of its (first) input and of its result.
        weights: Shape of its weights; empty if it has none.
        scheme: The pruning scheme found, in the words of `parse_scheme`; with as many kernel
            patterns as occur.
        zeros: How many of the weights are zero.
        kernels, kept_kernels: How many kernels (filter-channel pairs) there are and are left.
        macs, kept_macs: Multiplications for one run: of the dense layer, and without the zeros.
        loads: The load plan in words: where inputs are shared, and the share of loads saved.
        index_bytes, csr_bytes: Bytes of indices as packed, and as CSR would have them.
        reason: Why the layer runs as it does, where that is not obvious.
    """

    name: str
    kind: str
    input: tuple[int, ...]
    output: tuple[int, ...]
    weights: tuple[int, ...] = ()
    scheme: str = ""
    zeros: int = 0
    kernels: int = 0
    kept_kernels: int = 0
    macs: int = 0
    kept_macs: int = 0
    loads: str = ""
    index_bytes: int = 0
    csr_bytes: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Member:
    """Size and checksum of one file of the archive."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The content of `manifest.json`; `members` is filled in when an archive is written."""

    producer: str
    target: Target
    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    memory: Memory
    steps: tuple[Step, ...] = ()
    layers: tuple[Layer, ...] = ()
    members: dict[str, Member] = field(default_factory=dict)
    format: str = "pconv"
    version: int = VERSION


def encode(record: Any) -> Any:
    """A record as plain JSON values."""
    return dataclasses.asdict(record)


def decode(value: object) -> Manifest:
    """A manifest from parsed JSON, checked.

    Raises:
        ArtefactError: It is malformed, of another version, or contradicts itself.
    """
    if not isinstance(value, dict) or value.get("format") != "pconv":
        raise ArtefactError("its manifest is not that of a compiled network")
    version = value.get("version")
    if version != VERSION:
        raise ArtefactError(
            f"it has format version {version!r:.40}, this pconv-mlir reads version {VERSION}; "
            "compile the model again"
        )
    manifest = _decode_record(Manifest, value, "manifest")
    _check(manifest)
    return manifest


def _check(manifest: Manifest) -> None:
    for slot in (*manifest.inputs, *manifest.outputs):
        if slot.dtype != "float32":
            raise ArtefactError(f"manifest: {slot.name!r:.60} has type {slot.dtype!r:.40}")
        if not slot.shape or 0 in slot.shape:
            raise ArtefactError(f"manifest: {slot.name!r:.60} has no elements")
        if slot.place + slot.size > manifest.memory.arena:
            raise ArtefactError(f"manifest: {slot.name!r:.60} lies outside of the arena")
    if not manifest.inputs or not manifest.outputs:
        raise ArtefactError("manifest: the network has no input or no output")
    target = manifest.target
    if min(target.lanes, target.registers, target.l1, target.l2) < 1:
        raise ArtefactError("manifest: the target is described with zeros")


def _decode(kind: Any, value: Any, where: str) -> Any:
    """Rebuilds a value of a type from JSON."""
    if dataclasses.is_dataclass(kind):
        return _decode_record(typing.cast(type, kind), value, where)
    origin = typing.get_origin(kind) or kind
    if origin in (tuple, dict):
        if not isinstance(value, list if origin is tuple else dict) or len(value) > LONGEST * 16:
            raise ArtefactError(f"{where}: expected a {'list' if origin is tuple else 'table'}")
        element = typing.get_args(kind)[0 if origin is tuple else 1]
        if origin is dict:
            return {key: _decode(element, value[key], f"{where}.{key:.40}") for key in value}
        return tuple(_decode(element, item, f"{where}[{i}]") for i, item in enumerate(value))
    if type(value) is not kind:
        raise ArtefactError(f"{where}: expected {kind.__name__}, got {value!r:.40}")
    if (kind is int and not 0 <= value <= LARGEST) or (kind is str and len(value) > LONGEST):
        raise ArtefactError(f"{where}: {value!r:.40} is out of range")
    return value


def _decode_record(kind: type[T], value: object, where: str) -> T:
    hints = typing.get_type_hints(kind)
    if not isinstance(value, dict) or set(value) != set(hints):
        raise ArtefactError(f"{where}: expected the keys {', '.join(sorted(hints))}")
    return kind(**{key: _decode(hints[key], value[key], f"{where}.{key}") for key in hints})
