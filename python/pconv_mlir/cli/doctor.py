# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv doctor"""

from __future__ import annotations

import argparse
from typing import Any

from ..progress import progress
from . import common


def add(commands: Any) -> None:
    """Adds the command."""
    common.command(
        commands, "doctor", _run, "Check the installation and say what this machine offers."
    )


def _run(arguments: argparse.Namespace) -> int:
    output = common.Output(arguments.json)
    output.check()
    from .. import targets
    from ..bench import machine, selftest
    from ..bench.peak import fma_peak

    facts = machine.describe()
    target = targets.parse("host")
    output.text(f"pconv-mlir   {facts['versions']['pconv-mlir']}, Python {facts['python']}")
    output.text(f"processor    {facts['processor']} ({facts['llvm_cpu']})")
    output.text(f"features     {' '.join(sorted(target.required()))}")
    output.text(
        f"vectors      {target.lanes} floats, {target.registers} registers, "
        f"{'with' if target.fma else 'no'} fused multiply-add"
    )
    output.text(f"caches       L1 {target.l1 // 1024} KiB, L2 {target.l2 // 1024} KiB")
    output.text(f"threads      {facts['usable_cores']} of {facts['cores']} processors usable")
    for name, found in machine.versions().items():
        output.text(f"{name:<12} {found or 'not installed'}")
    with progress() as line:
        line("measuring the peak")
        peak = fma_peak(1)
        line("compiling and running a network")
        problem = selftest.problem()
    output.text(f"FMA peak     {peak:.1f} GFLOP/s on one core")
    output.text(f"self-test    {problem or 'passed'}")
    output.json(facts | {"fma_peak_gflops": peak, "self_test": problem or "passed"})
    return 1 if problem else 0
