# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The file format under `artefact.py`: a stored zip archive with a safetensors member.

Other programs can read such files (`unzip`, `safetensors`); this module reads only what it could
have written itself. Nothing is unpacked or executed, arrays are views of the mapped file.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .errors import ArtefactError

#: No archive of ours has a manifest or a tensor header as long as this, in bytes.
LONGEST_TEXT = 16 << 20

#: Arrays start at multiples of this many bytes in the file, hence in memory.
ALIGNMENT = 64

Chunk = bytes | memoryview

_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_DTYPES = {"F32": np.dtype("<f4"), "I32": np.dtype("<i4")}


# --- Writing ------------------------------------------------------------------


class Writer:
    """Adds members to an archive; `members` has their sizes and SHA-256 checksums."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._archive = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED)
        self.members: dict[str, tuple[int, str]] = {}

    def add(self, name: str, data: Chunk) -> None:
        """Adds a member."""
        self._stream(name, len(data), lambda _: [data])

    def add_tensors(self, name: str, tensors: Mapping[str, np.ndarray]) -> None:
        """Adds a safetensors member with these one-dimensional float32 or int32 arrays."""
        bound = 8 + LONGEST_TEXT + sum(array.nbytes for array in tensors.values())

        def chunks(offset: int) -> Iterator[Chunk]:
            yield _tensor_header(tensors, offset)
            for array in tensors.values():
                yield np.ascontiguousarray(array).view(np.uint8).data

        self._stream(name, bound, chunks)

    def close(self) -> None:
        """Writes the archive's directory."""
        self._archive.close()

    def _stream(self, name: str, bound: int, chunks: Callable[[int], Iterable[Chunk]]) -> None:
        info = zipfile.ZipInfo(name)  # dated 1980: the same network gives the same file
        info.file_size = bound  # zipfile leaves room for 64-bit numbers where this needs them
        checksum, written = hashlib.sha256(), 0
        with self._archive.open(info, "w") as member:
            for chunk in chunks(self._file.tell()):
                member.write(chunk)
                checksum.update(chunk)
                written += len(chunk)
        self.members[name] = (written, checksum.hexdigest())


@contextmanager
def write_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file that appears under its name only when it is complete.

    Raises:
        ArtefactError: It cannot be written; nothing is left behind.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        try:
            with open(part, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ArtefactError(f"cannot write {path}: {error.strerror or error}") from error


def _tensor_header(tensors: Mapping[str, np.ndarray], offset: int) -> bytes:
    """The start of a safetensors file that lies at `offset`: length, JSON, spaces to align."""
    header: dict[str, Any] = {}
    end = 0
    names = {dtype: name for name, dtype in _DTYPES.items()}
    for name, array in tensors.items():
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": names[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(offset + 8 + len(text)) % ALIGNMENT)
    return struct.pack("<Q", len(text)) + text


# --- Reading ------------------------------------------------------------------


def read_archive(path: str | os.PathLike[str], names: Iterable[str]) -> dict[str, memoryview]:
    """Maps an archive that has exactly these members, and gives them as views of the file.

    Raises:
        ArtefactError: The file cannot be read, or is anything but a plain archive of them.
    """
    try:
        with open(path, "rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            with zipfile.ZipFile(file) as archive:
                return _members(archive, data, sorted(names))
    except OSError as error:
        raise ArtefactError(f"cannot read {path}: {error.strerror or error}") from error
    except (zipfile.BadZipFile, ValueError, struct.error, OverflowError, EOFError) as error:
        raise ArtefactError(f"{path} is damaged or no .pconv file: {error}") from error
    except (NotImplementedError, RuntimeError) as error:
        raise ArtefactError(
            f"{path} uses a zip feature that .pconv files do not: {error}"
        ) from error


def _members(archive: zipfile.ZipFile, data: memoryview, names: list[str]) -> dict[str, memoryview]:
    """Checks the archive's directory against the headers in front of the members."""
    infos = sorted(archive.infolist(), key=lambda info: info.header_offset)
    if sorted(info.filename for info in infos) != names:
        raise ValueError(f"expected the members {', '.join(names)}, each once")
    members, end = {}, 0
    for info in infos:
        if info.header_offset != end:
            raise ValueError(f"{info.filename} does not follow the member before it")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ValueError(f"{info.filename} is compressed")
        start = _start(info, data)
        end = start + info.file_size
        if end > archive.start_dir:
            raise ValueError(f"{info.filename} is truncated")
        members[info.filename] = data[start:end]
        if info.file_size <= LONGEST_TEXT and zlib.crc32(members[info.filename]) != info.CRC:
            raise ValueError(f"the checksum of {info.filename} does not match")
    if end != archive.start_dir:
        raise ValueError("bytes between the last member and the directory")
    return members


def _start(info: zipfile.ZipInfo, data: memoryview) -> int:
    """Where the bytes of a member start."""
    header = _LOCAL_HEADER.unpack_from(data, info.header_offset)
    signature, flags, method, name_length, extra_length = (header[i] for i in (0, 2, 3, 9, 10))
    name_start = info.header_offset + _LOCAL_HEADER.size
    name = bytes(data[name_start : name_start + name_length])
    if signature != b"PK\x03\x04" or flags or method or name != info.filename.encode():
        raise ValueError(f"the header of {info.filename} does not fit the directory")
    return int(name_start + name_length + extra_length)


def release(member: memoryview) -> None:
    """Gives the memory of a mapped archive back; what is used again is read again.

    Checksums touch every page, runs only those of the packed weights.
    """
    mapped = member.obj
    if isinstance(mapped, mmap.mmap):
        mapped.madvise(mmap.MADV_DONTNEED)


def read_tensors(data: memoryview, names: Iterable[str]) -> dict[str, np.ndarray]:
    """The one-dimensional arrays of a safetensors file that has exactly these, as read-only views.

    Raises:
        ValueError: The file is anything else.
    """
    if len(data) < 8:
        raise ValueError("it is too short")
    (length,) = struct.unpack_from("<Q", data)
    if length > min(LONGEST_TEXT, len(data) - 8):
        raise ValueError("its header is longer than the file")
    header = parse_json(bytes(data[8 : 8 + length]))
    if not isinstance(header, dict) or sorted(header) != sorted(names):
        raise ValueError(f"expected the arrays {', '.join(sorted(names))}")
    body, end = data[8 + length :], 0
    arrays = {}
    for name, entry in sorted(header.items(), key=lambda item: _offsets(item[1])):
        start, stop = _offsets(entry)
        dtype = _DTYPES.get(str(entry.get("dtype")))
        if (
            dtype is None
            or start != end
            or stop < start
            or entry.get("shape") != [(stop - start) / dtype.itemsize]
        ):
            raise ValueError(f"the description of {name!r} is inconsistent")
        end = stop
        if end > len(body):
            raise ValueError(f"the array {name!r} is truncated")
        arrays[name] = np.frombuffer(body[start:stop], dtype)
    if end != len(body):
        raise ValueError("bytes after the last array")
    return arrays


def _offsets(entry: object) -> tuple[int, int]:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if isinstance(offsets, list) and [type(offset) for offset in offsets] == [int, int]:
        return offsets[0], offsets[1]
    raise ValueError("an array has no offsets")


def parse_json(text: bytes) -> object:
    """Parses JSON in which no object may have a key twice, and no number may be NaN.

    Raises:
        ValueError: It is malformed, or nested too deeply.
    """

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("a key occurs twice")
        return result

    def constant(name: str) -> object:
        raise ValueError(f"{name} is no number")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
