# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peak memory of one engine: a process that does nothing but load a model and run it.

python -m pconv_mlir.bench.memory ENGINE MODEL THREADS SHAPE...
"""

from __future__ import annotations

import functools
import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

OWN = "pconv"


def peak_rss_mb(
    engine: str, model: Path, threads: int, shapes: Sequence[Sequence[int]]
) -> float | None:
    """Largest resident set of a process of its own that runs the model three times, in MiB.

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
    return float(json.loads(lines[-1])["peak_rss_mb"]) if not done.returncode and lines else None


def _main(engine: str, model: str, threads: str, *shapes: str) -> None:
    rng = np.random.default_rng(0)
    inputs = [
        rng.standard_normal([int(n) for n in shape.split("x")], np.float32) for shape in shapes
    ]
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
    sys.stdout.write(json.dumps({"peak_rss_mb": _high_water_kb() / 1024}) + "\n")


def _high_water_kb() -> int:
    """Of this program alone; getrusage would count the process that it was forked from, too."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    _main(*sys.argv[1:])
