# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peak memory of one engine: a process that does nothing but load a model and run it.

python -m pconv_mlir.bench.memory ENGINE MODEL THREADS SHAPE...
"""

from __future__ import annotations

import functools
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

OWN = "pconv"


@dataclass(frozen=True)
class Memory:
    """Resident memory of a process that runs one model with one engine.

    Attributes:
        peak_mb: The most that it ever had, in MiB.
        model_mb: The same without what it had (Python, NumPy, the inputs) before it loaded the
            engine and the model.
    """

    peak_mb: float
    model_mb: float


def of_engine(
    engine: str, model: Path, threads: int, shapes: Sequence[Sequence[int]]
) -> Memory | None:
    """Measures a process of its own that runs the model three times.

    Args:
        engine: `pconv` for a `.pconv` file, else a name of `engines.OTHERS` for an ONNX file.
        model: The file.
        threads: How many threads to use.
        shapes: Of the inputs.

    Returns:
        `None` where the process failed.
    """
    words = ["x".join(map(str, shape)) for shape in shapes]
    command = [sys.executable, "-m", __name__, engine, str(model), str(threads), *words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    lines = done.stdout.splitlines()
    return Memory(**json.loads(lines[-1])) if not done.returncode and lines else None


def _main(engine: str, model: str, threads: str, *shapes: str) -> None:
    rng = np.random.default_rng(0)
    inputs = [
        rng.standard_normal([int(n) for n in shape.split("x")], np.float32) for shape in shapes
    ]
    before = _status_mb("VmRSS")
    runner: Any
    if engine == OWN:
        from ..runtime import load

        network = load(model, num_threads=int(threads))
        runner = functools.partial(network, *inputs)
    else:
        from . import engines

        other = engines.make(engine, Path(model), int(threads))
        runner = functools.partial(other.run, inputs)
    for _ in range(3):
        runner()
    peak = _status_mb("VmHWM")
    sys.stdout.write(json.dumps({"peak_mb": peak, "model_mb": peak - before}) + "\n")


def _status_mb(field: str) -> float:
    """Of this program alone; getrusage would count the process that it was forked from, too."""
    status = Path("/proc/self/status").read_text()
    found = re.search(rf"^{field}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else math.nan


if __name__ == "__main__":
    _main(*sys.argv[1:])
