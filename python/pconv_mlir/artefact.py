# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The compiled network as data: what `pconv.compile` makes, and what a `.pconv` file holds.

A file has four members: `manifest.json` (see `manifest.py`), `network.o` (the object file),
`data.safetensors` (packed weights `values` and their `indices`) and `network.mlir` (the plan that
the code was made from, for people and tools). Opening one needs NumPy and nothing else, executes
nothing and maps the weights instead of reading them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass

import numpy as np

from . import container
from .errors import ArtefactError
from .manifest import Manifest, Member, decode, encode

MANIFEST, CODE, DATA, IR = "manifest.json", "network.o", "data.safetensors", "network.mlir"


@dataclass(frozen=True)
class Artefact:
    """A compiled network.

    Attributes:
        manifest: What it says about itself.
        code: The object file.
        values: Packed weights, float32.
        indices: Packed indices, int32.
        plan: The planned network in the pattern dialect, as UTF-8.
    """

    manifest: Manifest
    code: bytes
    values: np.ndarray
    indices: np.ndarray
    plan: bytes | memoryview

    @property
    def ir(self) -> str:
        """The planned network as text; decoded when it is asked for, which running does not.

        Raises:
            ArtefactError: It is no text.
        """
        try:
            return bytes(self.plan).decode()
        except UnicodeDecodeError as error:
            raise ArtefactError(f"the IR of the network is damaged: {error}") from error

    def __post_init__(self) -> None:
        memory = self.manifest.memory
        fit = self.values.shape == (memory.values,) and self.indices.shape == (memory.indices,)
        if not fit or self.values.dtype != np.float32 or self.indices.dtype != np.int32:
            raise ArtefactError(
                f"the packed weights do not fit the manifest: expected {memory.values} values and "
                f"{memory.indices} indices, got {self.values.shape} and {self.indices.shape}"
            )


def save(artefact: Artefact, path: str | os.PathLike[str]) -> None:
    """Writes a `.pconv` file: whole, or not at all.

    Raises:
        ArtefactError: The file cannot be written.
    """
    with container.write_atomically(path) as file:
        writer = container.Writer(file)
        # First, since its place decides how its arrays are aligned.
        writer.add_tensors(DATA, {"values": artefact.values, "indices": artefact.indices})
        writer.add(CODE, artefact.code)
        writer.add(IR, artefact.plan)
        members = {name: Member(size, sha256) for name, (size, sha256) in writer.members.items()}
        manifest = dataclasses.replace(artefact.manifest, members=members)
        writer.add(MANIFEST, json.dumps(encode(manifest), indent=1).encode())
        writer.close()


def load(path: str | os.PathLike[str]) -> Artefact:
    """Opens a `.pconv` file.

    Raises:
        ArtefactError: The file is truncated, damaged, hostile or of another version.
    """
    members = container.read_archive(path, (MANIFEST, CODE, DATA, IR))
    try:
        manifest = decode(container.parse_json(bytes(members[MANIFEST])))
        _check_members(manifest, members)
        container.release(members[DATA])
        arrays = container.read_tensors(members[DATA], ("values", "indices"))
        return Artefact(
            manifest,
            bytes(members[CODE]),
            arrays["values"],
            arrays["indices"],
            members[IR],
        )
    except (ValueError, ArtefactError) as error:
        raise ArtefactError(f"{path} is damaged or no .pconv file: {error}") from error


def _check_members(manifest: Manifest, members: dict[str, memoryview]) -> None:
    if set(manifest.members) != {CODE, DATA, IR}:
        raise ValueError("the manifest does not list the members")
    for name, member in manifest.members.items():
        data = members[name]
        if len(data) != member.bytes or hashlib.sha256(data).hexdigest() != member.sha256:
            raise ValueError(f"the checksum of {name} does not match")
