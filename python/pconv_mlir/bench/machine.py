# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a measurement has to say about the machine that it was made on."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from .. import targets
from ..version import version

#: The Python packages whose versions matter for results.
PACKAGES = ("numpy", "onnx", "torch", "torch-mlir", "onnxruntime", "openvino", "mnn")


def describe() -> dict[str, Any]:
    """Processor, cores, memory, load, versions: JSON values."""
    target = targets.parse("host")
    return {
        "processor": processor(),
        "cores": os.cpu_count() or 1,
        "usable_cores": len(os.sched_getaffinity(0)),
        "llvm_cpu": target.cpu,
        "lanes": target.lanes,
        "vector_registers": target.registers,
        "fma": target.fma,
        "l1_bytes": target.l1,
        "l2_bytes": target.l2,
        "memory_mb": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20,
        "load_average": os.getloadavg()[0],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {"pconv-mlir": version()} | versions(),
    }


def processor() -> str:
    """The processor's own name for itself."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def versions() -> dict[str, str | None]:
    """Version of each package in `PACKAGES`, or `None` where it is not installed."""
    found: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found
