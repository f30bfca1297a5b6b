# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Safetensors files of any network: arrays by name and a few words beside them, no code.

The format is an 8-byte length, a JSON header and the bytes of the arrays, so it needs no package.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.container import parse_json, write_atomically
from pconv_mlir.errors import ModelError

#: Longest header, in bytes: the bound of the format itself.
LONGEST_HEADER = 100_000_000
METADATA = "__metadata__"

_DTYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),  # NumPy has no such type
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items() if name != "BF16"}


def write_tensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, NDArray[Any]],
    metadata: Mapping[str, str],
    *,
    bfloat16: frozenset[str] = frozenset(),
) -> None:
    """Writes a file that is complete or not there.

    Args:
        path: The file.
        tensors: Arrays by name.
        metadata: Text by name.
        bfloat16: Names of the uint16 arrays that are the bits of bfloat16 numbers.

    Raises:
        ModelError: An array has a type that the format lacks.
        ArtefactError: The file cannot be written.
    """
    header: dict[str, Any] = {METADATA: dict(metadata)}
    end = 0
    for name, array in tensors.items():
        kind = "BF16" if name in bfloat16 else _NAMES.get(array.dtype.newbyteorder("<"))
        if kind is None:
            raise ModelError(f"cannot save numbers of type {array.dtype}: convert it", layer=name)
        start, end = end, end + array.nbytes
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with write_atomically(path) as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for array in tensors.values():
            file.write(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())


def read_tensors(
    path: str | os.PathLike[str],
) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays of a file, copied, and its metadata; bfloat16 is widened to float32.

    Raises:
        ModelError: The file cannot be read, or is no safetensors file.
    """
    try:
        with open(path, "rb") as file:
            if not Path(path).stat().st_size:
                raise ValueError("it is empty")
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return _read(data)
    except OSError as error:
        raise ModelError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, struct.error) as error:
        raise ModelError(f"{path} is damaged or no safetensors file: {error}") from error


def _read(data: memoryview) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    (length,) = struct.unpack_from("<Q", data)
    if length > min(LONGEST_HEADER, len(data) - 8):
        raise ValueError("its header is longer than the file")
    header = parse_json(bytes(data[8 : 8 + length]))
    if not isinstance(header, dict):
        raise ValueError("its header is no JSON object")
    metadata = header.pop(METADATA, {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("its metadata is not text by name")
    return dict(_arrays(header, data[8 + length :])), metadata


def _arrays(header: dict[str, Any], body: memoryview) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, entry in header.items():
        if not isinstance(entry, dict):
            raise ValueError(f"the description of {name!r} is no JSON object")
        kind = str(entry.get("dtype"))
        if kind not in _DTYPES:
            raise ValueError(f"{name!r} has numbers of an unknown type, {kind!r:.40}")
        dtype, shape = _DTYPES[kind], _sizes(name, entry.get("shape"))
        start, end = [*_sizes(name, entry.get("data_offsets")), 0, 0][:2]
        part = body[start:end]
        if not len(part) == end - start == math.prod(shape) * dtype.itemsize:
            raise ValueError(f"{name!r} does not have the bytes that its shape needs")
        array = np.frombuffer(part, dtype).reshape(shape)
        yield name, _widened(array) if kind == "BF16" else array.copy()


def _sizes(name: str, value: object) -> list[int]:
    if isinstance(value, list) and all(type(n) is int and 0 <= n < 1 << 48 for n in value):
        return value
    raise ValueError(f"the description of {name!r} is malformed")


def _widened(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    """The numbers of which these are the upper halves."""
    return (bits.astype(np.uint32) << 16).view(np.float32)
