# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a target is: the machine that code is made for, as far as the compiler has to know it."""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import TargetError
from . import features as _features

__all__ = ["Target", "check_runs_here", "parse"]


@dataclass(frozen=True)
class Target:
    """A machine.

    Attributes:
        name: What the user called it.
        triple, cpu, features: The same in LLVM's words.
        lanes: Floats in a vector register.
        registers: Number of vector registers.
        fma: Whether one instruction multiplies and adds.
        l1, l2: Sizes of the first two data caches, in bytes.
    """

    name: str
    triple: str
    cpu: str
    features: str
    lanes: int
    registers: int
    fma: bool
    l1: int
    l2: int

    @property
    def instruction_set(self) -> str:
        """`x86_64` or `aarch64`."""
        return _features.instruction_set(self.triple.split("-")[0])

    @property
    def attribute(self) -> str:
        """The module attribute `pattern.target` as text."""
        return (
            f"#pattern.target<lanes = {self.lanes}, registers = {self.registers}, "
            f"fma = {str(self.fma).lower()}, l1 = {self.l1}, l2 = {self.l2}>"
        )

    def required(self) -> frozenset[str]:
        """The features that code for this target may use and that a machine may lack."""
        return _required(self.instruction_set, self.cpu, self.features)

    def override(self, **changes: object) -> Target:
        """The same target with some attributes changed, for tests and what-if questions."""
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Machine:
    """A named target before its features are known in full."""

    triple: str
    cpu: str
    l1: int = 32 * 1024
    l2: int = 512 * 1024


_FEATURES = re.compile(r"([+-][\w.-]+(,[+-][\w.-]+)*)?", re.ASCII)  # LLVM asserts on others
_X86_TRIPLE = "x86_64-unknown-linux-gnu"
_NAMED = {
    "x86-64": _Machine(_X86_TRIPLE, "x86-64"),
    "x86-64-v2": _Machine(_X86_TRIPLE, "x86-64-v2"),
    "x86-64-v3": _Machine(_X86_TRIPLE, "x86-64-v3"),
    "x86-64-v4": _Machine(_X86_TRIPLE, "x86-64-v4", l1=48 * 1024, l2=1024 * 1024),
    "x86_64-linux-gnu": _Machine(_X86_TRIPLE, "x86-64"),
    "aarch64-linux-gnu": _Machine("aarch64-unknown-linux-gnu", "generic"),
    "aarch64-linux-android": _Machine("aarch64-unknown-linux-android", "generic"),
}


def parse(target: str | Target) -> Target:
    """The target of this name.

    Args:
        target: `host`, or one of the names of `names()`, followed by any number of `+feature`.

    Raises:
        TargetError: No such target or feature; the message suggests similar ones. Or the features
            of a target made by hand are no list.

    >>> parse("x86-64-v3").lanes, parse("aarch64-linux-gnu").registers
    (8, 32)
    """
    if isinstance(target, Target):
        if not _FEATURES.fullmatch(target.features):
            raise TargetError(f"expected features like +avx2,-fma, got {target.features!r}")
        return target
    if not isinstance(target, str):
        raise TargetError(f"expected a target or its name, got {type(target).__name__}")
    name, *extra = target.split("+")
    if name == "host":
        machine, own = _host(), _host_features()
    elif name in _NAMED:
        machine, own = _NAMED[name], ""
    else:
        raise TargetError(_unknown("target", name, names()))
    isa = _features.instruction_set(machine.triple.split("-")[0])
    for feature in extra:
        if feature not in _features.KNOWN.get(isa, {}):
            raise TargetError(_unknown(f"feature of {name}", feature, _features.KNOWN.get(isa, {})))
    listed = ",".join([own] * bool(own) + [f"+{feature}" for feature in extra])
    lanes, registers, fma = _vectors(isa, _required(isa, machine.cpu, listed))
    return Target(
        target, machine.triple, machine.cpu, listed, lanes, registers, fma, machine.l1, machine.l2
    )


def names() -> list[str]:
    """Every name that `parse` knows (without `+feature`)."""
    return ["host", *_NAMED]


def check_runs_here(target: Target) -> None:
    """Makes sure that this machine can run code made for a target.

    Raises:
        TargetError: The instruction set differs, or the processor lacks a feature.
    """
    isa, available = _features.of_this_machine()
    if target.instruction_set != isa:
        raise TargetError(
            f"the code was made for {target.instruction_set} ({target.name}), this machine is "
            f"{isa}; compile the model for this machine"
        )
    missing = sorted(target.required() - available)
    if missing:
        raise TargetError(
            f"the code was made for {target.name} and needs {', '.join(missing)}, which this "
            "processor lacks; compile the model for this machine or for an older target"
        )


def _required(isa: str, cpu: str, listed: str) -> frozenset[str]:
    """Features in use: those of the named processor, changed by a list like `+avx2,-fma`."""
    found = set(_features.LEVELS.get(cpu, frozenset()))
    for item in filter(None, listed.split(",")):
        if item[1:] in _features.KNOWN.get(isa, {}):
            (found.add if item[0] == "+" else found.discard)(item[1:])
    return frozenset(found)


def _vectors(isa: str, available: frozenset[str]) -> tuple[int, int, bool]:
    """Lanes, registers, and whether there is a fused multiply-add."""
    if isa == "aarch64":
        return 4, 32, True
    # By prefix: LLVM switches on what a feature builds on (avx2: avx).
    if any(name.startswith("avx512") for name in available):
        return 16, 32, True
    wide = any(name.startswith("avx") for name in available)
    return (8 if wide else 4), 16, "fma" in available


def _unknown(kind: str, name: str, known: object) -> str:
    choices = list(known)  # type: ignore[call-overload]
    close = difflib.get_close_matches(name, choices, n=3, cutoff=0.5) or choices
    return f"unknown {kind} {name!r}; did you mean {', '.join(close)}?"


def _host() -> _Machine:
    from .._mlir_libs import _pconv

    l1, l2 = (_cache(level) for level in (1, 2))
    return _Machine(_pconv.host_triple(), _pconv.host_cpu(), l1 or 32 * 1024, l2 or 512 * 1024)


def _host_features() -> str:
    from .._mlir_libs import _pconv

    return str(_pconv.host_features())


def _cache(level: int) -> int | None:
    """Size of a data cache of the first processor in bytes, if the system tells."""
    for folder in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        try:
            if int((folder / "level").read_text()) != level:
                continue
            if (folder / "type").read_text().strip() == "Instruction":
                continue
            return _bytes((folder / "size").read_text().strip())
        except (OSError, ValueError):
            continue
    return None


def _bytes(text: str) -> int:
    """
    >>> _bytes("32K"), _bytes("1M"), _bytes("512")
    (32768, 1048576, 512)
    """
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:])
    return int(text[:-1]) * unit if unit else int(text)
