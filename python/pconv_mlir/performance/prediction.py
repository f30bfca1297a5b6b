# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How fast a network would be under masks that do not exist yet: no training needed."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pconv_mlir import compiler
from pconv_mlir.importer import import_model
from pconv_mlir.importer.sparsity import prunable_weights, refresh
from pconv_mlir.manifest import Layer
from pconv_mlir.module import Module
from pconv_mlir.performance.calibration import Calibration, runs_sparse
from pconv_mlir.performance.model import LayerModel
from pconv_mlir.prune import Dense, PruneConfig, Scheme, parse_scheme
from pconv_mlir.prune.config import Choice
from pconv_mlir.prune.layers import find_layers
from pconv_mlir.report.explain import Measurement, layer_times
from pconv_mlir.runtime import Network, Profile

_log = logging.getLogger("pconv_mlir")

Times = tuple[float | None, float | None]  # median and least milliseconds
Config = PruneConfig | Scheme | str | Mapping[str, Any]


@dataclass(frozen=True)
class Row:
    """One layer.

    Attributes:
        name, kind: Its name in the model and its op.
        scheme: What it is to be pruned to.
        kept: Share of its weights that are kept; None for a layer without weights.
        sparse: Whether the compiler has a sparse loop for it.
        dense_ms: Predicted time without pruning.
        predicted_ms: Predicted time with it.
        measured_ms: The same, measured: the median.
        fastest_ms: The fastest of the measured runs.
        note: Why it runs dense, or what pruning it more would bring.
        model: Its performance model, if it has weights.
    """

    name: str
    kind: str
    scheme: str
    kept: float | None
    sparse: bool
    dense_ms: float
    predicted_ms: float
    measured_ms: float | None
    fastest_ms: float | None
    note: str
    model: LayerModel | None

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        model = self.model if self.sparse else None
        return {
            "name": self.name,
            "predicted_ms": self.predicted_ms,
            "measured_ms": self.measured_ms,
            "fastest_ms": self.fastest_ms,
            "kind": self.kind,
            "scheme": self.scheme,
            "kept": self.kept,
            "sparse": self.sparse,
            "dense_ms": self.dense_ms,
            "speedup": self.dense_ms / self.predicted_ms if self.predicted_ms else None,
            "x_lo": model.x_lo if model else None,
            "x_hi": model.x_hi if model else None,
            "alpha": model.alpha if model else None,
            "note": self.note,
        }


@dataclass(frozen=True)
class WhatIf:
    """The answer, layer by layer in the order in which they run.

    Attributes:
        rows: The layers.
        measured_ms: Median of whole runs, if it was measured.
    """

    rows: tuple[Row, ...]
    measured_ms: float | None

    @property
    def dense_ms(self) -> float:
        """Predicted time of the network without pruning."""
        return sum(row.dense_ms for row in self.rows)

    @property
    def predicted_ms(self) -> float:
        """Predicted time of the network with it."""
        return sum(row.predicted_ms for row in self.rows)


def what_if(
    model: Any,
    inputs: Any = None,
    *,
    scheme: Config,
    threads: int = 1,
    calibration: Calibration | None = None,
    measure: bool = False,
    runs: int = 20,
) -> WhatIf:
    """Predict the time of every layer, were the network pruned to a scheme.

    Every weight is projected to the scheme by magnitude, in a copy; what the compiler then decides
    for the layers is what is predicted, and with `measure` also run.

    Args:
        model: As for `pconv_mlir.compile`.
        inputs: As for `pconv_mlir.compile`.
        scheme: One for all layers, or a config with one for each.
        threads: How many threads the layers run with; of the calibration, if one is given.
        calibration: The constants of the machine.
        measure: Also compile the pruned network and time its layers.
        runs: How often it is run for that.

    Raises:
        SchemeError: The scheme is malformed, fits a layer not, or there is no layer to prune.
        ConfigError: The config does not fit the model.
        OptionError: The number of threads makes no sense.
        PConvError: As for `pconv_mlir.compile`.
    """
    config = PruneConfig.of(scheme)
    calibration = calibration or Calibration(threads)
    module = _imported(model, inputs)
    choices = _choices(module, config)
    pruned = _pruned(module, choices)
    layers = compiler.describe(pruned)
    total: float | None = None
    times: list[Times] = [(None, None)] * len(layers)
    if measure:
        network = compiler.compile(pruned, num_threads=calibration.threads)
        _log.info("measuring")
        profile = network.profile(runs)
        total, times = profile.ms, _times(network, profile)
    rows = (
        _row(layer, choices.get(layer.name), calibration, ms)
        for layer, ms in zip(layers, times, strict=True)
    )
    return WhatIf(tuple(rows), total)


def _times(network: Network, profile: Profile) -> list[Times]:
    """Of every layer."""
    fastest = replace(profile, steps=profile.fastest)
    medians, least = (
        [timed.ms for timed in layer_times(network.manifest, Measurement(part, math.inf))]
        for part in (profile, fastest)
    )
    return list(zip(medians, least, strict=True))


def layer_models(
    model: Any,
    inputs: Any = None,
    *,
    scheme: Config,
    calibration: Calibration | None = None,
) -> dict[str, LayerModel]:
    """The performance model of every layer that a scheme is for, by name: what guides a pruner.

    Args:
        model: As for `pconv_mlir.compile`; a torch module is left as it is.
        inputs: As for `pconv_mlir.compile`, of the size and batch that are to be fast.
        scheme: One for all layers, or a config with one for each.
        calibration: The constants of the machine; by default those of one thread.

    Raises:
        PConvError: As for `what_if`.
    """
    config, calibration = PruneConfig.of(scheme), calibration or Calibration()
    module = _imported(model, inputs)
    choices = _choices(module, config)
    return {
        layer.name: calibration.layer_model(layer, choices[layer.name].scheme)
        for layer in compiler.describe(module)
        if layer.name in choices and not choices[layer.name].note and layer.macs
    }


def _imported(model: Any, inputs: Any) -> Module:
    return model if isinstance(model, Module) else import_model(model, inputs)


def _choices(module: Module, config: PruneConfig) -> dict[str, Choice]:
    """What each layer with weights is to be pruned to."""
    weights = {name: module.weights[symbol] for name, symbol in prunable_weights(module).items()}
    return {choice.layer.name: choice for choice in config.choose(find_layers(weights))}


def _pruned(module: Module, choices: dict[str, Choice]) -> Module:
    """The network with its weights projected; the weights of `module` stay as they are."""
    weights = dict(module.weights)
    for name, symbol in prunable_weights(module).items():
        choice = choices.get(name)
        if choice and not choice.note:
            weights[symbol] = weights[symbol] * choice.mask(weights[symbol])
    return refresh(replace(module, weights=weights))


def _row(layer: Layer, choice: Choice | None, calibration: Calibration, times: Times) -> Row:
    if not layer.macs:
        moved = 4 * (math.prod(layer.input) + math.prod(layer.output))
        ms = 0.0 if layer.kind == "reshape" else moved / calibration.bandwidth(moved) * 1e3
        return Row(layer.name, layer.kind, "", None, False, ms, ms, *times, "", None)
    pruned = choice is not None and not choice.note
    sparse = runs_sparse(layer)
    scheme = choice.scheme if choice and pruned else _own_scheme(layer)
    model = calibration.layer_model(layer, scheme)
    kept = layer.kept_macs / layer.macs
    dense_ms = model.dense_seconds * 1e3
    predicted_ms = model.seconds(kept) * 1e3 if sparse else dense_ms
    note = choice.note if choice else ""
    if sparse and model.alpha is None:
        note = "predicted as dense: no scheme is of pruned 1x1 kernels"
    if pruned:
        note = _note(model, kept) if sparse else f"runs dense: {layer.reason}"
    return Row(
        layer.name,
        layer.kind,
        str(scheme),
        kept,
        sparse,
        dense_ms,
        predicted_ms,
        *times,
        note,
        model,
    )


def _own_scheme(layer: Layer) -> Scheme:
    """That of a layer which is left alone: it may have been pruned before."""
    if not runs_sparse(layer) or layer.weights[2:] == (1, 1):  # no scheme to probe
        return Dense()
    return parse_scheme(layer.scheme.replace("pattern:", "pattern:mined"))


def _note(model: LayerModel, kept: float) -> str:
    """What the model says about pruning a layer that runs sparse."""
    if model.useless:
        return model.useless
    if kept >= model.x_hi:
        return f"slower than dense: keep less than {model.x_hi:.1%}"
    if kept < model.x_lo:
        return f"little to gain: below {model.x_lo:.1%} most of its time is not multiplication"
    return ""
