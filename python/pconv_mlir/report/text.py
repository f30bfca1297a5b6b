# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tables as plain text, the same on a terminal, in a pipe and in a notebook."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def aligned(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Collection[str] = ()
) -> str:
    """Pads the columns of a table and draws a line below its header.

    Args:
        header: Names of the columns. Columns without a single cell below are left out.
        rows: The cells.
        right: Columns that are aligned on the right.

    >>> rows = [("a", "1.5", ""), ("bcd", "10.5", "")]
    >>> print(aligned(("name", "ms", "note"), rows, right={"ms"}))
    name    ms
    ----------
    a      1.5
    bcd   10.5
    """
    columns = [column for column in zip(header, *rows, strict=True) if any(column[1:])]
    padded = []
    for column in columns:
        width = max(map(len, column))
        to_right = column[0] in right
        padded.append([cell.rjust(width) if to_right else cell.ljust(width) for cell in column])
    lines = ["  ".join(cells).rstrip() for cells in zip(*padded, strict=True)]
    lines.insert(1, "-" * max(map(len, lines), default=0))
    return "\n".join(lines)
