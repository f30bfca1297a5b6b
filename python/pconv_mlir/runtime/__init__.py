# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Loading, running and timing compiled networks. Needs NumPy only: no MLIR, no torch."""

from __future__ import annotations

import os

from .. import artefact
from .device import Device, LocalDevice, Program
from .library import Code
from .network import Network, Profile

__all__ = ["Code", "Device", "LocalDevice", "Network", "Profile", "Program", "load"]


def load(path: str | os.PathLike[str], *, num_threads: int | None = None) -> Network:
    """Opens a `.pconv` file, ready to run.

    Args:
        path: A file that `Network.save` or `pconv compile` wrote.
        num_threads: How many threads to use; by default all processors of this process.

    Raises:
        ArtefactError: The file is truncated, damaged, hostile or of another version.
        TargetError: The file holds code for another kind of processor.
        OptionError: The thread count is out of range.
    """
    network = Network(artefact.load(path), num_threads=num_threads)
    network.prepare()
    return network
