# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Keeps the weights of a training in the project, so that others can start from them.

python tools/accuracy/keep.py RESULTS NAME

Matrices and kernels are rounded to bfloat16: half the bytes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch
from jobs import KEPT
from numpy.typing import NDArray

from pconv_mlir.prune.tensor_file import read_tensors, write_tensors


def main(results: Path, name: str) -> None:
    file = f"{name}.safetensors"
    tensors, metadata = read_tensors(results / file)
    halves = frozenset(key for key, values in tensors.items() if values.ndim > 1)
    rounded = {key: _halved(x) if key in halves else x for key, x in tensors.items()}
    KEPT.mkdir(exist_ok=True)
    write_tensors(KEPT / file, rounded, metadata, bfloat16=halves)


def _halved(values: NDArray[Any]) -> NDArray[Any]:
    """The bits of the nearest bfloat16 numbers."""
    return torch.from_numpy(values).bfloat16().view(torch.uint16).numpy()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
