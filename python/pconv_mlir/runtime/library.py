# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""libpconv_runtime.so through ctypes; dialects/Runtime/Runtime.h describes its functions."""

from __future__ import annotations

import ctypes
import functools
import weakref
from pathlib import Path

from ..errors import ArtefactError, DependencyError

_POINTER = ctypes.c_void_p
_INT = ctypes.c_int64


@functools.cache
def library() -> ctypes.CDLL:
    """The runtime library, opened once and with its names kept to itself.

    Raises:
        DependencyError: It cannot be opened.
    """
    path = Path(__file__).parent.parent / "_mlir_libs" / "libpconv_runtime.so"
    try:
        opened = ctypes.CDLL(str(path))
    except OSError as error:
        hint = "; install GCC's OpenMP library (libgomp1)" if "libgomp" in str(error) else ""
        raise DependencyError(f"cannot open the runtime library: {error}{hint}") from error
    opened.pconv_code_load.argtypes = [_POINTER, ctypes.c_size_t, _POINTER, ctypes.c_size_t]
    opened.pconv_code_load.restype = _POINTER
    opened.pconv_code_lookup.argtypes = [_POINTER, ctypes.c_char_p]
    opened.pconv_code_lookup.restype = _POINTER
    opened.pconv_code_free.argtypes = [_POINTER]
    opened.pconv_code_free.restype = None
    opened.pconv_execute.argtypes = [_POINTER, _INT, *[_POINTER] * 4, _INT]
    opened.pconv_execute.restype = None
    return opened


class Code:
    """An object file, loaded into this process; unloaded with this object.

    Raises:
        ArtefactError: The object file is damaged or not made for this machine.
    """

    def __init__(self, object_file: bytes) -> None:
        runtime = library()
        error = ctypes.create_string_buffer(300)
        handle = runtime.pconv_code_load(object_file, len(object_file), error, len(error))
        if not handle:
            message = error.value.decode(errors="replace")
            raise ArtefactError(f"the code cannot be loaded: {message}")
        self._handle = handle
        weakref.finalize(self, runtime.pconv_code_free, handle)

    def address(self, name: str) -> int:
        """Where a global function of the object starts.

        Raises:
            ArtefactError: There is none of this name.
        """
        address = library().pconv_code_lookup(self._handle, name.encode())
        if not address:
            raise ArtefactError(f"the code has no function {name!r}")
        return int(address)
