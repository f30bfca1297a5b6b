# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds examples in the reference pages that no test runs, and that may therefore be out of date.

python tools/dev/check_examples.py docs/Dialect.md docs/Passes.md

Every statement of a ```mlir block has to stand in some .mlir file of test/, as input or in CHECK
lines. Names of values, spaces and line ends may differ.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2] / "test"
CHECK = re.compile(r"^\s*//\s*[A-Z][A-Z0-9_-]*(?:\{LITERAL\})?:", flags=re.MULTILINE)
#: A value by its name, or what FileCheck captures or skips in its place.
VALUE = re.compile(r"%(?:\[\[.*?\]\]|\{\{.*?\}\}|[\w$.#-]+)")


def squeeze(text: str) -> str:
    """The text without what may differ."""
    return re.sub(r"\s+", "", VALUE.sub("%", text))


def statements(block: str) -> Iterator[str]:
    """The statements of an example: lines that are indented or close a bracket go on."""
    lines = [line for line in block.splitlines() if not re.match(r"\s*(//|\.\.\.|$)", line)]
    for statement in re.split(r"\n(?![\s)}\]])", "\n".join(lines)):
        if statement.strip():
            yield statement


def main() -> int:
    texts = [CHECK.sub("", path.read_text()) for path in TESTS.rglob("*.mlir")]
    tested = squeeze("\n".join(texts))
    missing = 0
    for page in sys.argv[1:]:
        for block in re.findall(r"```mlir\n(.*?)```", Path(page).read_text(), flags=re.DOTALL):
            for statement in statements(block):
                if squeeze(statement) not in tested:
                    missing += 1
                    print(f"{page}: no test has\n{statement}\n")
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
