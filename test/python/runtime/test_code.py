# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loading object files: what is refused, and that nothing crashes."""

from __future__ import annotations

import random
import struct

import handmade
import pytest

from pconv_mlir import errors, targets
from pconv_mlir.runtime import Code

CALLS_SYSTEM = """
func.func private @system(!llvm.ptr) -> i32
func.func @pconv_network(%command: !llvm.ptr) {
  call @system(%command) : (!llvm.ptr) -> i32
  return
}
"""
HAS_VARIABLE = """
memref.global "private" @table : memref<4xf32> = dense<[1.0, 2.0, 3.0, 4.0]>
func.func @bump(%at: index) -> f32 {
  %table = memref.get_global @table : memref<4xf32>
  %value = memref.load %table[%at] : memref<4xf32>
  %sum = arith.addf %value, %value : f32
  memref.store %sum, %table[%at] : memref<4xf32>
  return %sum : f32
}
"""


def test_functions_are_found_by_name() -> None:
    code = Code(handmade.code())
    assert code.address("pconv_network")
    with pytest.raises(errors.ArtefactError, match="the code has no function 'main'"):
        code.address("main")


def test_variables_can_be_written() -> None:
    import ctypes

    code = Code(handmade.emit(HAS_VARIABLE, targets.parse("host")))
    bump = ctypes.CFUNCTYPE(ctypes.c_float, ctypes.c_int64)(code.address("bump"))
    assert [bump(2), bump(2), bump(3)] == [6.0, 12.0, 8.0]


def test_only_known_functions_may_be_called() -> None:
    with pytest.raises(errors.ArtefactError, match="the code calls 'system', which networks may"):
        Code(handmade.emit(CALLS_SYSTEM, targets.parse("host")))


def test_code_for_another_instruction_set() -> None:
    other = "x86-64" if targets.parse("host").instruction_set == "aarch64" else "aarch64-linux-gnu"
    with pytest.raises(errors.ArtefactError, match="made for ELF machine"):
        Code(handmade.emit(handmade.TEXT, targets.parse(other)))


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"\0" * 1000, b"#!/bin/sh\n" * 10])
def test_no_object_file(data: bytes) -> None:
    with pytest.raises(errors.ArtefactError, match="the code cannot be loaded: not an ELF"):
        Code(data)


def test_truncated_code() -> None:
    code = handmade.code()
    for length in range(0, len(code), 7):
        with pytest.raises(errors.ArtefactError, match="the code cannot be loaded"):
            Code(code[:length])


def test_damaged_code_is_an_error_and_no_crash() -> None:
    """Loading only: what damaged instructions would do is not the loader's to know."""
    rng = random.Random(0)
    refused = 0
    extremes = [b"\xff" * 8, b"\0" * 8, b"\xff" * 7 + b"\x7f", struct.pack("<Q", 1 << 32)]
    for _ in range(3000):
        code = bytearray(handmade.code())
        for _ in range(rng.choice([1, 2, 8])):
            at = rng.randrange(len(code) - 8)
            code[at : at + 8] = rng.choice([*extremes, rng.randbytes(8)])
        try:
            Code(bytes(code))
        except errors.ArtefactError:
            refused += 1
    assert refused > 1000
