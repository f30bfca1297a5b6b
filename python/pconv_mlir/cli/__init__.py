# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command `pconv`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ..errors import PConvError
from ..version import version
from . import bench, compile, demo, doctor, explain, prune, run, what_if
from .common import Parser

_COMMANDS = (demo, prune, compile, run, bench, explain, what_if, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: Words after the program's name; by default those of this process.

    Returns:
        The exit code: 0, or 1 or 2 after one line on standard error.
    """
    parsed = parser().parse_args(arguments)
    try:
        code = int(parsed.run(parsed) or 0)
        sys.stdout.flush()
        return code
    except PConvError as error:
        return _fail(str(error), error.exit_code)
    except BrokenPipeError:
        # Whoever read our output has left; what is still buffered must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail("interrupted", 1)
    except MemoryError:
        return _fail("out of memory", 1)
    except Exception as error:
        if os.environ.get("PCONV_DEBUG"):
            raise
        text = f"{type(error).__name__}: {error}".partition("\n")[0]
        return _fail(f"internal error, please report it ({text}); PCONV_DEBUG=1 shows more", 1)


def parser() -> Parser:
    """All commands and their arguments; the reference page is made from it too."""
    whole = Parser(prog="pconv", description="A compiler for pruned convolutional networks.")
    whole.add_argument("--version", action="version", version=f"pconv-mlir {version()}")
    commands = whole.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add(commands)
    return whole


def _fail(message: str, code: int) -> int:
    print(f"pconv: error: {' '.join(message.split())}", file=sys.stderr)
    return code
