# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How much of its accuracy a network loses when one layer alone is pruned, rate by rate."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pconv_mlir import figure
from pconv_mlir.errors import OptionError, SchemeError
from pconv_mlir.progress import Progress
from pconv_mlir.prune.config import Choice, PruneConfig
from pconv_mlir.prune.layers import find_layers
from pconv_mlir.prune.schemes import Dense, Scheme, parse_scheme
from pconv_mlir.prune.scores import Evaluate, score

if TYPE_CHECKING:
    import torch

Tell = Callable[[str, int, int], object]

RATES = (1.5, 2.0, 3.0, 4.0, 6.0, 10.0)


@dataclass(frozen=True)
class Sensitivity:
    """What `evaluate` said of the network with one layer pruned; `str()` is a table.

    Attributes:
        scheme: With `{}` for the rate.
        rates: In ascending order.
        dense: The score without pruning.
        scores: By layer, one for each rate; NaN where the rate would leave nothing of the layer.
    """

    scheme: str
    rates: tuple[float, ...]
    dense: float
    scores: Mapping[str, tuple[float, ...]]

    def __str__(self) -> str:
        rows = [("layer", *(f"{rate:g}x" for rate in self.rates))]
        for name, scores in self.scores.items():
            cells = ("-" if math.isnan(score) else f"{score:.4g}" for score in scores)
            rows.append((name, *cells))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, f"dense: {self.dense:.4g}"])

    def draw(self, path: str | os.PathLike[str]) -> None:
        """Writes a PNG: a curve for each layer.

        Raises:
            DependencyError: matplotlib is not installed.
            ArtefactError: The file cannot be written.
        """
        picture = figure.new(9, 5)
        axes = picture.subplots()
        axes.axhline(self.dense, color="black", linestyle="--", linewidth=1, label="dense")
        for name, scores in self.scores.items():
            axes.plot(self.rates, scores, marker="o", markersize=3, label=name)
        axes.set(xscale="log", xlabel="rate", ylabel="score", title=self.scheme)
        axes.set_xticks(self.rates, [f"{rate:g}x" for rate in self.rates], minor=False)
        axes.minorticks_off()
        axes.spines[["top", "right"]].set_visible(False)
        picture.legend(loc="outside right upper", fontsize=7)
        figure.save(picture, path)


def sensitivity(
    model: torch.nn.Module,
    evaluate: Evaluate,
    scheme: str = "unstructured@{}",
    *,
    rates: Sequence[float] = RATES,
    layers: Collection[str] | None = None,
    progress: Tell | bool = True,
) -> Sensitivity:
    """Prune one layer at a time, by magnitude and at every rate, and see what it costs.

    The model is afterwards what it was before, also when something fails.

    Args:
        model: The trained network.
        evaluate: Says how good the model is, which is in eval mode then; without gradients.
        scheme: Of the pruned layer, with `{}` for the rate.
        rates: The rates; the lowest has to fit every layer.
        layers: Names, where `*` and `?` match as in file names; by default those that the scheme
            alone would prune.
        progress: Show a bar, where standard error is a terminal; or a function that gets what is
            going on, and how many evaluations of how many are done.

    Raises:
        OptionError: There is no `{}` in the scheme, there are no rates, or `evaluate` gives
            something else than a number.
        ConfigError: A name matches no layer.
        SchemeError: The scheme does not fit a layer, or no layer is left.
        WeightsError: A weight is NaN or infinite, or wholly zero.
    """
    if not isinstance(scheme, str) or "{}" not in scheme or not rates:
        raise OptionError(f"expected rates, and a scheme like unstructured@{{}}, got {scheme!r}")
    ordered = tuple(sorted(map(float, rates)))
    schemes = [parse_scheme(scheme.replace("{}", repr(rate))) for rate in ordered]
    config = PruneConfig(schemes[0])
    if layers is not None:
        config = PruneConfig(Dense(), layers=dict.fromkeys(layers, schemes[0]))
    choices = [choice for choice in config.choose(find_layers(model)) if not choice.note]
    for choice in choices:
        choice.mask(choice.layer.value)  # everything that can be wrong is found first
    total, done = 1 + len(choices) * len(ordered), 0

    def measure(what: str) -> float:
        nonlocal done
        show(what, done, total)
        done += 1
        return score(model, evaluate)

    with _shown(progress) as show, _restored(model):
        dense = measure("dense")
        scores = {}
        for choice in choices:
            name = choice.layer.name
            scores[name] = tuple(
                _score_pruned(choice, each, partial(measure, f"{name} at {rate:g}x"))
                for each, rate in zip(schemes, ordered, strict=True)
            )
        show("done", total, total)
    return Sensitivity(scheme, ordered, dense, scores)


def _score_pruned(choice: Choice, scheme: Scheme, measure: Callable[[], float]) -> float:
    """The score with the layer pruned; NaN where nothing of it would be left."""
    weight = choice.layer.module.weight  # type: ignore[union-attr]
    before = weight.clone()
    try:
        choice.layer.apply(replace(choice, scheme=scheme).mask(choice.layer.value))
        return measure()
    except SchemeError:
        return math.nan
    finally:
        weight.copy_(before)


@contextmanager
def _shown(progress: Tell | bool) -> Iterator[Tell]:
    """What is told of the progress: a bar, nothing, or the caller's function."""
    bar = Progress()
    if progress is True:
        bar.start()
    try:
        yield bar if isinstance(progress, bool) else progress
    finally:
        bar.stop()


@contextmanager
def _restored(model: torch.nn.Module) -> Iterator[None]:
    """No gradients; buffers (batch-norm statistics) are put back afterwards."""
    import torch

    buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
    with torch.no_grad():
        try:
            yield
        finally:
            for buffer, before in buffers:
                buffer.copy_(before)
