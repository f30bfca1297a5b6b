# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruning schemes: what may be zero in a layer, and how much of it.

A scheme has a text form, which the command line takes and `parse_scheme` reads:

    dense   unstructured@10   filter@2   channel@2   block:16x16@10   block-punched:8x4@6
    nm:2:4                             two of four neighbouring input channels
    nm:2:4/flat                        two of four neighbours in the flattened filter
    pattern:8                          eight kernel patterns, every kernel kept
    pattern:8+connectivity:3.6         and one kernel of 3.6 kept, the same number in every filter
    pattern:8+connectivity:3.6/layer   ranked over the whole layer instead
    pattern:wm21   pattern:mined8      a library by name, or mined from the network's own weights
    pattern:3x3[0.1.3.4,1.2.4.5]       the patterns themselves

A rate is how many weights (kernels, filters, ...) there are for each one that is kept.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.patterns import PAPER_LIBRARIES, PRESETS, PatternLibrary
from pconv_mlir.prune.ranges import is_integer

ConnectivityRule = Literal["filter", "layer", "aligned"]
RULES: tuple[ConnectivityRule, ...] = get_args(ConnectivityRule)
Axis = Literal["channels", "flat"]
AXES: tuple[Axis, ...] = get_args(Axis)


@dataclass(frozen=True)
class Scheme:
    """Base of all schemes; `str(scheme)` is the text that `parse_scheme` reads back.

    A scheme is a set of weights: those with few enough non-zeros in the right places. The methods
    take a weight as an array or a torch tensor, and the library that was mined, for a
    `KernelPattern` that has none of its own. They raise `SchemeError` where the scheme does not fit
    the layer.
    """

    def project(
        self, weight: NDArray[Any], library: PatternLibrary | None = None
    ) -> NDArray[np.bool_]:
        """The mask under which a weight becomes the nearest one of the set."""
        from pconv_mlir.prune.projections import project  # it imports the schemes

        return project(_values(weight), self, library=library)

    def count(self, shape: tuple[int, ...], library: PatternLibrary | None = None) -> int:
        """Most weights that may be left of a layer with a weight of this shape."""
        from pconv_mlir.prune.membership import count

        return count(shape, self, library)

    def violation(self, weight: NDArray[Any], library: PatternLibrary | None = None) -> str:
        """What keeps a weight out of the set, in words; empty where nothing does."""
        from pconv_mlir.prune.membership import violation

        return violation(_values(weight), self, library)

    def check(self, weight: NDArray[Any], library: PatternLibrary | None = None) -> bool:
        """Whether a weight is in the set."""
        return not self.violation(weight, library)

    def picture(self, weight: NDArray[Any], library: PatternLibrary | None = None) -> str:
        """The mask that `project` gives, drawn with characters."""
        from pconv_mlir.prune.picture import mask_text

        return mask_text(self.project(weight, library))


def _values(weight: Any) -> NDArray[Any]:
    from pconv_mlir.prune.layers import to_numpy  # it imports the schemes

    return to_numpy(weight) if hasattr(weight, "detach") else weight


@dataclass(frozen=True)
class Dense(Scheme):
    """Nothing is pruned."""

    def __str__(self) -> str:
        return "dense"


@dataclass(frozen=True)
class KernelPattern(Scheme):
    """Every kernel wears one pattern of a small library, and whole kernels are removed (PCONV).

    Args:
        patterns: 4, 8 or 12 for a library of the papers, any number with `library="mined"`; or the
            name of a preset, or a library of your own.
        connectivity: Kernels there are for each one kept; 1 keeps them all.
        library: A preset's name, or `"mined"`: the most frequent natural patterns of the network.
            Left out, `patterns` says it all.
        rule: How kernels are chosen: `"filter"` keeps the same number in every filter (PCONV),
            `"layer"` ranks the whole layer (PatDNN; may empty a filter), `"aligned"` keeps the same
            kernels with the same patterns in groups of four similar filters.

    Raises:
        SchemeError: An unknown name or number of patterns, or a rate below 1.
    """

    patterns: int | str | PatternLibrary = 8
    connectivity: float = 3.6
    library: str | None = None
    rule: ConnectivityRule = "filter"

    def __post_init__(self) -> None:
        _check_rate("connectivity", self.connectivity)
        if self.rule not in RULES:
            raise SchemeError(f"expected connectivity rule {', '.join(RULES)}, got {self.rule!r}")
        if self.library == "mined":
            if not isinstance(self.patterns, int) or not 1 <= self.patterns <= 56:
                raise SchemeError(f"expected 1 to 56 mined patterns, got {self.patterns!r}")
            return
        if self.library is not None:  # one spelling for each scheme: the name goes to `patterns`
            if isinstance(self.patterns, PatternLibrary):
                raise SchemeError("expected either a library of your own or a name, got both")
            object.__setattr__(self, "patterns", self.library)
            object.__setattr__(self, "library", None)
        _library(self.patterns)

    @property
    def fixed_library(self) -> PatternLibrary | None:
        """The library, or None when it is to be mined from the network."""
        return None if self.library == "mined" else _library(self.patterns)

    def __str__(self) -> str:
        if self.library == "mined":
            text = f"pattern:mined{self.patterns}"
        elif isinstance(self.patterns, PatternLibrary):
            cells = ",".join(".".join(map(str, kept)) for kept in self.patterns.patterns)
            text = f"pattern:{self.patterns.height}x{self.patterns.width}[{cells}]"
        else:
            text = f"pattern:{self.patterns}"
        if self.connectivity == 1 and self.rule == "filter":
            return text
        rule = "" if self.rule == "filter" else f"/{self.rule}"
        return f"{text}+connectivity:{_number(self.connectivity)}{rule}"


def _library(patterns: int | str | PatternLibrary) -> PatternLibrary:
    if isinstance(patterns, PatternLibrary):
        return patterns
    if isinstance(patterns, int):
        if patterns not in PAPER_LIBRARIES:
            raise SchemeError(
                f"expected 4, 8 or 12 patterns, got {patterns}: for another number name a preset "
                f"({', '.join(PRESETS)}) or mine them (pattern:mined{patterns})"
            )
        patterns = PAPER_LIBRARIES[patterns]
    if not isinstance(patterns, str) or patterns not in PRESETS:
        raise SchemeError(f"expected a library among {', '.join(PRESETS)}, got {patterns!r}")
    return PRESETS[patterns]


@dataclass(frozen=True)
class BlockPunched(Scheme):
    """Blocks of filters x channels lose the same kernel positions in all their kernels (NPAS)."""

    filters: int = 8
    channels: int = 4
    rate: float = 6.0

    def __post_init__(self) -> None:
        _check_block("block-punched", self.filters, self.channels)
        _check_rate("block-punched", self.rate)

    def __str__(self) -> str:
        return f"block-punched:{self.filters}x{self.channels}@{_number(self.rate)}"


@dataclass(frozen=True)
class Block(Scheme):
    """Blocks of the weight matrix lose whole columns (NPAS): a column is `rows` outputs tall."""

    rows: int = 16
    cols: int = 16
    rate: float = 10.0

    def __post_init__(self) -> None:
        _check_block("block", self.rows, self.cols)
        _check_rate("block", self.rate)

    def __str__(self) -> str:
        return f"block:{self.rows}x{self.cols}@{_number(self.rate)}"


@dataclass(frozen=True)
class NM(Scheme):
    """At most `keep` of `of` neighbours are left (2:4 and its like).

    Args:
        keep: Weights left of a group.
        of: Weights of a group.
        axis: Which weights are neighbours: `"channels"` of the input, at the same kernel position;
            or `"flat"`, next to each other in the flattened filter.

    Raises:
        SchemeError: Impossible numbers, or an unknown axis.
    """

    keep: int = 2
    of: int = 4
    axis: Axis = "channels"

    def __post_init__(self) -> None:
        if not is_integer(self.of, 1) or not is_integer(self.keep, 1) or self.keep > self.of:
            raise SchemeError(
                f"expected to keep 1 to {self.of} weights of {self.of}, got {self.keep!r}"
            )
        if self.axis not in AXES:
            raise SchemeError(f"expected an axis among {', '.join(AXES)}, got {self.axis!r}")

    def __str__(self) -> str:
        axis = "" if self.axis == "channels" else f"/{self.axis}"
        return f"nm:{self.keep}:{self.of}{axis}"


@dataclass(frozen=True)
class _Rated(Scheme):
    rate: float

    def __post_init__(self) -> None:
        _check_rate(self._word(), self.rate)

    @classmethod
    def _word(cls) -> str:
        return cls.__name__.lower()

    def __str__(self) -> str:
        return f"{self._word()}@{_number(self.rate)}"


@dataclass(frozen=True)
class Unstructured(_Rated):
    """Any single weight may be zero: the smallest go."""


@dataclass(frozen=True)
class Filter(_Rated):
    """Whole filters (output channels) go."""


@dataclass(frozen=True)
class Channel(_Rated):
    """Whole input channels go."""


def _check_rate(what: str, rate: float) -> None:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 1 <= rate < math.inf:
        raise SchemeError(f"expected a {what} rate of at least 1, got {rate!r}")


def _check_block(what: str, height: int, width: int) -> None:
    if not is_integer(height, 1) or not is_integer(width, 1):
        raise SchemeError(f"expected a {what} block of at least 1x1, got {height!r}x{width!r}")


def _number(rate: float) -> str:
    return repr(float(rate)).removesuffix(".0")


_GRAMMAR = (
    "expected dense, pattern:8, pattern:8+connectivity:3.6, block-punched:8x4@6, block:16x16@10, "
    "nm:2:4, unstructured@10, filter@2 or channel@2"
)
_NUMBER = r"(?P<rate>[0-9]+(?:\.[0-9]+)?(?:e[+]?[0-9]+)?)"
_SIZE = r"(?P<height>[0-9]{1,6})x(?P<width>[0-9]{1,6})"
_BLOCK = re.compile(rf"(?P<kind>block-punched|block):{_SIZE}@{_NUMBER}")
_RATED = re.compile(rf"(?P<kind>unstructured|filter|channel)@{_NUMBER}")
_NM = re.compile(r"nm:(?P<keep>[0-9]{1,6}):(?P<of>[0-9]{1,6})(?:/(?P<axis>[a-z]+))?")
_PATTERN = re.compile(
    rf"pattern:(?P<library>[^+]+)(?:\+connectivity:{_NUMBER}(?:/(?P<rule>[a-z]+))?)?"
)
_COUNT = re.compile(r"(?P<mined>mined)?(?P<count>[0-9]{1,6})")
_CELLS = re.compile(_SIZE + r"\[(?P<cells>(?:[0-9]{1,6}(?:[.,][0-9]{1,6})*)?)\]")


def parse_scheme(text: str | Scheme) -> Scheme:
    """Read a scheme; a scheme passes through, so that both are accepted wherever one is.

    Raises:
        SchemeError: The text is no scheme, or one with impossible values.

    >>> parse_scheme("pattern:8+connectivity:3.6")
    KernelPattern(patterns=8, connectivity=3.6, library=None, rule='filter')
    """
    if isinstance(text, Scheme):
        return text
    if not isinstance(text, str):
        raise SchemeError(f"expected a scheme or its text, got {type(text).__name__}")
    word = text.strip()
    if word == "dense":
        return Dense()
    if match := _RATED.fullmatch(word):
        kinds = {"unstructured": Unstructured, "filter": Filter, "channel": Channel}
        return kinds[match["kind"]](float(match["rate"]))
    if match := _BLOCK.fullmatch(word):
        block = BlockPunched if match["kind"] == "block-punched" else Block
        return block(int(match["height"]), int(match["width"]), float(match["rate"]))
    if match := _NM.fullmatch(word):
        axis = match["axis"] or "channels"
        return NM(int(match["keep"]), int(match["of"]), axis)  # type: ignore[arg-type]
    if match := _PATTERN.fullmatch(word):
        patterns, library = _parse_library(match["library"])
        rule = match["rule"] or "filter"
        return KernelPattern(patterns, float(match["rate"] or 1), library, rule)  # type: ignore[arg-type]
    raise SchemeError(f"unknown scheme {text!r}: {_GRAMMAR}")


def _parse_library(text: str) -> tuple[int | str | PatternLibrary, str | None]:
    """The `patterns` and `library` of a `KernelPattern`."""
    if match := _COUNT.fullmatch(text):
        return int(match["count"]), match["mined"]
    if match := _CELLS.fullmatch(text):
        patterns = tuple(
            tuple(int(cell) for cell in kept.split(".") if cell)
            for kept in match["cells"].split(",")
        )
        return PatternLibrary(patterns, int(match["height"]), int(match["width"])), None
    return text, None
