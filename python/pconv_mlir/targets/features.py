# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Features of processors that compiled code may depend on, and which of them this machine has.

A feature has LLVM's name here (`avx2`, `dotprod`). The kernel lists what a processor has, and what
the system lets programs use, under names of its own in `/proc/cpuinfo`; the tables translate.
"""

from __future__ import annotations

import functools
import platform
from pathlib import Path

from ..errors import TargetError

# fmt: off
_SAME_NAME = (
    "sse", "sse2", "ssse3", "sse4a", "avx", "avx2", "bmi2", "f16c", "fma", "fma4", "xop", "tbm",
    "movbe", "popcnt", "adx", "cx16", "aes", "gfni", "vaes", "vpclmulqdq", "avx512f", "avx512bw",
    "avx512cd", "avx512dq", "avx512vl", "avx512ifma", "avx512vbmi",
)
# fmt: on

_X86 = {name: name for name in _SAME_NAME} | {
    "sse3": "pni",
    "sse4.1": "sse4_1",
    "sse4.2": "sse4_2",
    "lzcnt": "abm",
    "bmi": "bmi1",
    "pclmul": "pclmulqdq",
    "sha": "sha_ni",
    "avxvnni": "avx_vnni",
    "avx512vnni": "avx512_vnni",
    "avx512vbmi2": "avx512_vbmi2",
    "avx512bitalg": "avx512_bitalg",
    "avx512vpopcntdq": "avx512_vpopcntdq",
    "avx512bf16": "avx512_bf16",
    "avx512fp16": "avx512_fp16",
}

_AARCH64 = {
    "neon": "asimd",
    "dotprod": "asimddp",
    "fullfp16": "asimdhp",
    "fp16fml": "asimdfhm",
    "rdm": "asimdrdm",
    "lse": "atomics",
    "crc": "crc32",
    "aes": "aes",
    "sha2": "sha2",
    "i8mm": "i8mm",
    "bf16": "bf16",
    "sve": "sve",
    "sve2": "sve2",
}

#: For each instruction set: feature in LLVM's words -> flag in the kernel's words.
KNOWN: dict[str, dict[str, str]] = {"x86_64": _X86, "aarch64": _AARCH64}

_V1 = frozenset({"sse", "sse2"})
_V2 = _V1 | {"sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16"}
_V3 = _V2 | {"avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}
_V4 = _V3 | {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}

#: What LLVM takes for granted on a processor of this name (the x86-64 psABI's levels).
LEVELS: dict[str, frozenset[str]] = {
    "x86-64": _V1,
    "x86-64-v2": _V2,
    "x86-64-v3": _V3,
    "x86-64-v4": _V4,
    "generic": frozenset({"neon"}),
}


def instruction_set(machine: str) -> str:
    """The key into `KNOWN` for the first part of a triple or for `platform.machine()`."""
    return {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())


@functools.cache
def of_this_machine() -> tuple[str, frozenset[str]]:
    """Instruction set and usable features of the processor this runs on.

    Raises:
        TargetError: The kernel does not say.
    """
    machine = instruction_set(platform.machine())
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise TargetError(f"cannot find out what this processor can do: {error}") from error
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            flags = set(value.split())
            known = KNOWN.get(machine, {})
            return machine, frozenset(name for name, flag in known.items() if flag in flags)
    return machine, frozenset()
