# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the commands share: arguments, and results as JSON."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .. import container
from ..errors import OptionError


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, without the usage text, and exits with 2."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**{"allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], help: str
) -> Parser:
    """Adds a command with the options that all of them have."""
    parser: Parser = commands.add_parser(name, help=help, description=help)
    parser.add_argument("--json", metavar="FILE", help="write the results as JSON ('-': to stdout)")
    parser.set_defaults(run=run)
    return parser


def add_model(parser: Parser, what: str = "MODEL", *, scheme_required: bool = False) -> None:
    """The model and what can be done to it before it is compiled."""
    parser.add_argument(
        "model", metavar=what, help="an .onnx file or the name of a built-in network"
    )
    parser.add_argument(
        "--scheme",
        required=scheme_required,
        help="prune it first, e.g. pattern:8+connectivity:3.6",
    )
    parser.add_argument("--batch", type=int, default=1, help="images in a run (default 1)")
    parser.add_argument(
        "--shape",
        type=shape,
        action="append",
        default=[],
        metavar="1x3x224x224",
        help="shape of an input that the file leaves open; once for each input",
    )


def add_threads(parser: Parser | argparse._ArgumentGroup, default: int | None = None) -> None:
    """The number of threads."""
    text = "all processors" if default is None else str(default)
    parser.add_argument("--threads", type=int, default=default, help=f"default: {text}")


def add_switches(parser: Parser) -> None:
    """Switches passes off."""
    from ..options import CompileOptions

    parser.add_argument(
        "--without",
        choices=CompileOptions.switches(),
        action="append",
        default=[],
        help="switch something off, to see what it does",
    )


def shape(text: str) -> tuple[int, ...]:
    """
    >>> shape("1x3x224x224")
    (1, 3, 224, 224)
    """
    try:
        sizes = tuple(int(size) for size in text.split("x"))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise argparse.ArgumentTypeError(f"expected sizes like 1x3x224x224, got {text!r}")
    return sizes


class Output:
    """Text for people on standard output, and JSON where it was asked for.

    With `--json -` the JSON is all that standard output gets.
    """

    def __init__(self, json_file: str | None) -> None:
        self._json = json_file

    def text(self, text: str = "") -> None:
        """Prints for people."""
        if self._json != "-":
            print(text)

    def json(self, record: Any) -> None:
        """Writes the results; a file appears whole or not at all."""
        if self._json is None:
            return
        text = json.dumps(_finite(record), indent=2) + "\n"
        if self._json == "-":
            sys.stdout.write(text)
        else:
            with container.write_atomically(self._json) as file:
                file.write(text.encode())

    def check(self) -> None:
        """Makes sure before long work that the file can be written.

        Raises:
            OptionError: Its folder does not exist or cannot be written to.
        """
        if self._json not in (None, "-"):
            check_writable(str(self._json))


def check_writable(path: str) -> None:
    """
    Raises:
        OptionError: The folder of this path does not exist or cannot be written to.
    """
    folder = Path(path).absolute().parent
    if Path(path).is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise OptionError(f"cannot write {path}")


def _finite(value: Any) -> Any:
    """JSON has no infinity: `null` stands for it."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def options(switched_off: Sequence[str]) -> Any:
    """`CompileOptions` from `--without`."""
    from ..options import CompileOptions

    chosen = CompileOptions()
    for switch in switched_off:
        chosen = chosen.without(switch)
    return chosen
