# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv run FILE.pconv --input x.npy --output y.npy"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import container
from ..errors import OptionError, PConvError
from . import common


def add(commands: Any) -> None:
    """Adds the command."""
    parser = common.command(commands, "run", _run, "Run a compiled network on arrays.")
    parser.add_argument("file", metavar="FILE.pconv", help="what pconv compile wrote")
    for name, what in (("input", "read"), ("output", "write")):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="X.npy",
            help=f"a NumPy file to {what}; once for each {name}, in order",
        )
    common.add_threads(parser)


def _run(arguments: argparse.Namespace) -> None:
    output = common.Output(arguments.json)
    output.check()
    for path in arguments.output:
        common.check_writable(path)
    from .. import runtime

    network = runtime.load(arguments.file, num_threads=arguments.threads)
    if len(arguments.output) > len(network.outputs):
        raise OptionError(
            f"expected at most {len(network.outputs)} --output, got {len(arguments.output)}"
        )
    inputs = [_read(path) for path in arguments.input]
    start = time.perf_counter()
    results = network(*inputs)
    ms = (time.perf_counter() - start) * 1e3
    results = results if isinstance(results, tuple) else (results,)
    for path, result in zip(arguments.output, results, strict=False):
        with container.write_atomically(path) as file:
            np.save(file, result, allow_pickle=False)
    rows = []
    for index, (slot, result) in enumerate(zip(network.outputs, results, strict=True)):
        path = arguments.output[index] if index < len(arguments.output) else None
        shape = "x".join(map(str, slot.shape))
        output.text(f"{slot.name}: {shape}, {result.min():g} to {result.max():g}, {path or '-'}")
        rows.append({"name": slot.name, "shape": list(slot.shape), "file": path})
    output.json({"ms": ms, "threads": network.num_threads, "outputs": rows})


def _read(path: str) -> NDArray[Any]:
    """A NumPy file, mapped; objects in it are refused, since reading them would run code."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise PConvError(f"cannot read {path}: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        raise PConvError(f"{path} is damaged or no plain .npy file: {error}") from error
    if not isinstance(array, np.ndarray):
        raise PConvError(f"{path} holds several arrays; expected one .npy array for each input")
    return array
