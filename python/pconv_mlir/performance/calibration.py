# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The constants of the performance model, measured on this machine by the compiler's own kernels.

Each is measured when it is first asked for, and kept in a file for the next time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import os
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pconv_mlir import compiler
from pconv_mlir.bench import machine
from pconv_mlir.bench.peak import fma_peak
from pconv_mlir.container import write_atomically
from pconv_mlir.errors import ArtefactError, SchemeError
from pconv_mlir.manifest import Layer
from pconv_mlir.module import Module, TensorSpec
from pconv_mlir.performance import probes
from pconv_mlir.performance.model import LayerModel
from pconv_mlir.performance.probes import Shape
from pconv_mlir.prune.schemes import Dense, Scheme
from pconv_mlir.runtime.network import check_threads

_log = logging.getLogger("pconv_mlir")

VERSION = 1  # of the file
SECONDS, FEWEST_RUNS, MOST_RUNS = 0.2, 40, 200  # for a measurement
SPARSER = 4.0  # times the rate: the second point of the line whose start is f
WORKING_SETS = tuple(1 << n for n in (18, 21, 24, 27))  # bytes: from a second cache to the memory


@dataclass(frozen=True)
class Timed:
    """What one layer took.

    Attributes:
        seconds: Of the layer alone.
        layer: What the compiler made of it.
    """

    seconds: float
    layer: Layer


Timer = Callable[[Module, int], Timed]


def time_layer(module: Module, threads: int) -> Timed:
    """Compile a network and time its one layer: the fastest of many runs, since others' work on the
    machine only ever adds to a time.
    """
    network = compiler.compile(module, num_threads=threads)
    once = network.profile(1).ms / 1e3
    runs = min(max(int(SECONDS / max(once, 1e-6)), FEWEST_RUNS), MOST_RUNS)
    fastest = network.profile(runs).fastest
    layer = next(layer for layer in network.manifest.layers if layer.kind != "relayout")
    steps = zip(network.manifest.steps, fastest, strict=True)
    return Timed(sum(ms for step, ms in steps if step.kind == layer.kind) / 1e3, layer)


@dataclass(frozen=True)
class Constants:
    """Of a shape under a scheme; see `LayerModel`.

    Attributes:
        alpha: None where it runs dense.
        beta: As there.
        fixed: As there.
    """

    alpha: float | None
    beta: float = 1.0
    fixed: float = 0.0


class Calibration:
    """The constants of this machine.

    Args:
        threads: How many threads the layers are to run with.
        cache: File to keep them in; by default one for this processor, this version of the compiler
            and this number of threads in the user's cache folder. None keeps nothing.
        timer: How a layer is timed.

    Raises:
        OptionError: The number of threads makes no sense.
    """

    def __init__(
        self, threads: int = 1, *, cache: Path | str | None = "", timer: Timer = time_layer
    ) -> None:
        self.threads = check_threads(threads)
        self._timer = timer
        self._path = cache_file(self.threads) if cache == "" else cache and Path(cache)
        self._known: dict[str, Any] = _read(self._path)

    def forget(self) -> None:
        """Measure everything anew when it is next asked for."""
        self._known = {}
        if self._path:
            with contextlib.suppress(OSError):  # what cannot be removed cannot be written either
                Path(self._path).unlink(missing_ok=True)

    @property
    def peak(self) -> float:
        """Operations in a second at best (F)."""
        return float(self._once("peak", lambda: fma_peak(self.threads) * 1e9))

    def bandwidth(self, size: float) -> float:
        """Bytes in a second (B) for a layer that reads and writes so many: caches are faster."""
        rates = [self._bandwidth_of(bytes) for bytes in WORKING_SETS]
        place = bisect_left(WORKING_SETS, size)
        if place in (0, len(WORKING_SETS)):
            return rates[min(place, len(rates) - 1)]
        below, above = WORKING_SETS[place - 1 : place + 1]
        share = math.log(size / below) / math.log(above / below)
        return math.exp((1 - share) * math.log(rates[place - 1]) + share * math.log(rates[place]))

    def constants(self, shape: Shape, scheme: Scheme) -> Constants:
        """alpha, beta and f of a shape under a scheme.

        Raises:
            SchemeError: The scheme does not fit the shape.
        """
        measure = lambda: asdict(self._measure(shape, scheme))  # noqa: E731
        return Constants(**self._once(f"{shape.probe()} {scheme}", measure))

    def _measure(self, shape: Shape, scheme: Scheme) -> Constants:
        timed = self._time(shape, scheme)
        whole = 2 * timed.layer.macs / self.peak
        if isinstance(scheme, Dense):
            return Constants(timed.seconds / whole)
        if not runs_sparse(timed.layer):
            return Constants(None)
        fixed = self._fixed_seconds(shape, scheme, timed)
        kept = timed.layer.kept_macs / timed.layer.macs
        values = math.prod(timed.layer.weights) - timed.layer.zeros
        return Constants(
            alpha=(timed.seconds - fixed) / (kept * whole),
            beta=1 + timed.layer.index_bytes / (4 * values),
            fixed=fixed / whole,
        )

    def _fixed_seconds(self, shape: Shape, scheme: Scheme, timed: Timed) -> float:
        """What is left of the time at no weights, by the line through two rates."""
        try:
            other = self._time(shape, probes.sparser(scheme, SPARSER))
        except SchemeError:  # the rate is as high as it can be
            return 0.0
        macs, fewer = timed.layer.kept_macs, other.layer.kept_macs
        slope = (timed.seconds - other.seconds) / (macs - fewer)
        # Times are noisy, but no multiplication is faster than the peak.
        return max(timed.seconds - max(slope, 2 / self.peak) * macs, 0.0)

    def _time(self, shape: Shape, scheme: Scheme) -> Timed:
        _log.info("measuring %s, %s", shape.probe(), scheme)
        return self._timer(probes.pruned(shape, scheme), self.threads)

    def layer_model(self, layer: Layer, scheme: Scheme) -> LayerModel:
        """The model of a layer with weights.

        Raises:
            SchemeError: The scheme does not fit the layer.
        """
        shape = Shape.of(layer)
        dense = self.constants(shape, Dense())
        sparse = Constants(None)
        if not isinstance(scheme, Dense):
            sparse = self.constants(shape, scheme)
        activations = 4 * (math.prod(layer.input) + math.prod(layer.output))
        weights = 4 * math.prod(layer.weights)
        return LayerModel(
            layer.name,
            flops=2 * layer.macs,
            activation_bytes=activations,
            weight_bytes=weights,
            peak=self.peak,
            bandwidth=self.bandwidth(activations + weights),
            alpha=sparse.alpha,
            beta=sparse.beta,
            dense=dense.alpha or 1.0,
            fixed=sparse.fixed,
        )

    def _bandwidth_of(self, size: int) -> float:
        def measure() -> float:
            _log.info("measuring the bandwidth of %d KiB", size >> 10)
            return size / self._timer(_copy(size), self.threads).seconds

        return float(self._once(f"bandwidth {size}", measure))

    def _once(self, key: str, measure: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = measure()
            _write(self._path, self._known)
        return self._known[key]


def runs_sparse(layer: Layer) -> bool:
    """Whether the compiler gave a layer a sparse loop."""
    return bool(layer.index_bytes)


def cache_file(threads: int) -> Path:
    """Where the constants of this processor and compiler are kept."""
    from pconv_mlir._mlir_libs import _pconv

    library = Path(_pconv.__file__).stat()  # versions do not tell two builds apart
    facts = machine.describe()
    parts = ("processor", "llvm_cpu", "lanes", "l1_bytes", "l2_bytes")
    key = [*(facts[part] for part in parts), facts["versions"]["pconv-mlir"]]
    key += [library.st_size, library.st_mtime_ns, threads]
    folder = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]
    return Path(folder) / "pconv-mlir" / f"calibration-{digest}.json"


def _copy(size: int) -> Module:
    """A network that reads `size / 2` bytes and writes as many."""
    shape = (1, size // 8 // 1024, 32, 32)
    kind = f"tensor<{'x'.join(map(str, shape))}xf32>"
    text = f"""
module attributes {{pattern.stage = "imported"}} {{
  func.func @main(%x: {kind} {{pattern.name = "x"}}) -> ({kind} {{pattern.name = "y"}}) {{
    %y = pattern.activate %x {{activation = #pattern.activation<relu>, layer = "copy"}}
        : {kind} -> {kind}
    return %y : {kind}
  }}
}}
"""
    return Module(text, {}, [TensorSpec("x", shape)], [TensorSpec("y", shape)])


def _read(path: Path | str | None) -> dict[str, Any]:
    """What an earlier process measured; nothing where the file is missing or damaged."""
    try:
        record = json.loads(Path(path).read_text()) if path else {}
    except (OSError, ValueError):
        return {}
    known = record.get("known") if isinstance(record, dict) else None
    if not isinstance(known, dict) or record.get("version") != VERSION:
        return {}
    return {key: value for key, value in known.items() if _is_sound(value)}


def _is_sound(value: object) -> bool:
    if isinstance(value, dict):
        alpha, beta, fixed = (value.get(key) for key in ("alpha", "beta", "fixed"))
        sound = (alpha is None or _is_sound(alpha)) and _is_sound(beta)
        return len(value) == 3 and sound and (fixed == 0 or _is_sound(fixed))
    return isinstance(value, float) and 0 < value < math.inf


def _write(path: Path | str | None, known: dict[str, Any]) -> None:
    """Keep the constants, with those that another process kept meanwhile."""
    if not path:
        return
    record = {"version": VERSION, "machine": machine.describe(), "known": _read(path) | known}
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(path) as file:
            file.write((json.dumps(record, indent=1) + "\n").encode())
    except (OSError, ArtefactError) as error:
        _log.info("the calibration is not kept: %s", error)
