# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What numbers that a caller gives have to be."""

from __future__ import annotations

import math
from numbers import Integral, Real


def is_integer(value: object, least: int = 0) -> bool:
    """Whether it is a whole number from `least` on; NumPy's integers count, True does not."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= least


def is_positive(value: object) -> bool:
    """Whether it is a finite number above zero."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    return number and 0 < float(value) < math.inf  # type: ignore[arg-type]
