# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds tests that cannot fail.

python tools/dev/check_dead_tests.py test

In every .mlir file of the folder: CHECK lines that no RUN line reads, expected-error lines without
-verify-diagnostics, RUN lines whose output nobody looks at, and CHECK lines that name a value by
its number, which is wrong after the next change of the printer. Files without RUN lines may lie in
folders called Inputs.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

DIRECTIVE = re.compile(
    r"^\s*//\s*(?P<prefix>[A-Z][A-Z0-9_-]*?)"
    r"(?:-(?:NEXT|SAME|LABEL|NOT|DAG|EMPTY|COUNT-\d+))?(?:\{LITERAL\})?:(?P<text>.*)"
)
#: Words that look like a prefix of FileCheck and are lit's or a reader's.
OTHER_WORDS = {"RUN", "REQUIRES", "UNSUPPORTED", "XFAIL", "DEFINE", "REDEFINE", "NOTE", "TODO"}


def run_lines(text: str) -> list[str]:
    """The RUN lines, those that end in a backslash joined with the next."""
    joined = "\n".join(re.findall(r"//\s*RUN:\s*(.*)", text))
    return joined.replace("\\\n", " ").splitlines()


def read_prefixes(commands: list[str]) -> set[str]:
    """The prefixes that the FileCheck calls of these RUN lines look for."""
    prefixes: set[str] = set()
    for command in commands:
        for call in re.findall(r"filecheck[^|&;]*", command, flags=re.IGNORECASE):
            named = re.findall(r"--?check-prefix(?:es)?[= ]([\w,-]+)", call)
            prefixes.update(",".join(named).split(",") if named else ["CHECK"])
    return prefixes


def is_looked_at(command: str, others: list[str]) -> bool:
    """Whether something judges what this RUN line prints, or another one reads its file."""
    if re.search(r"filecheck|-verify-diagnostics|\bdiff\b|\bnot\b", command, re.IGNORECASE):
        return True
    file = re.search(r"(?:>|-o)\s*(%t\S*)", command)
    return bool(file) and any(file[1] in other.split() for other in others if other != command)


def faults(path: Path) -> Iterator[tuple[int, str]]:
    """The faults of one file, each with its line number."""
    text = path.read_text()
    commands = run_lines(text)
    if not commands:
        yield 1, "no RUN line"
        return
    prefixes = read_prefixes(commands)
    verifies = any("-verify-diagnostics" in command for command in commands)
    for command in commands:
        if not is_looked_at(command, commands):
            yield 1, f"nothing looks at what this prints: {command}"
    for number, line in enumerate(text.splitlines(), start=1):
        directive = DIRECTIVE.match(line)
        if directive and directive["prefix"] not in OTHER_WORDS:
            if directive["prefix"] not in prefixes:
                yield number, f"no RUN line reads {directive['prefix']}"
            elif re.search(r"%\d", directive["text"]):
                yield number, "a value is named by its number; capture it: %[[X:.*]]"
        if re.search(r"expected-(error|warning|remark|note)", line) and not verifies:
            yield number, "an expected diagnostic, but no RUN line has -verify-diagnostics"


def main() -> int:
    folder = Path(sys.argv[1])
    files = [
        path
        for path in sorted(folder.rglob("*.mlir"))
        if not {"Inputs", "Output"} & set(path.relative_to(folder).parts)
    ]
    found = [f"{path}:{number}: {what}" for path in files for number, what in faults(path)]
    print("\n".join(found) if found else f"{len(files)} files without dead tests")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
