# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ours sparse, ours dense, and other engines on one model, turn by turn in one run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import compiler, reference
from ..errors import CompileError, DependencyError
from ..module import Module
from ..options import CompileOptions
from ..report.explain import LayerTime, layer_times, measure
from ..runtime import Network
from ..sources import Source
from . import engines, machine
from .engines import Engine, OwnEngine
from .memory import OWN, Memory, of_engine
from .peak import fma_peak
from .timing import Timing, alternate

SPARSE, DENSE = "pconv", "pconv-dense"

#: Relative error above which a result of ours is wrong, not inexact.
TOLERANCE = 1e-4

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Row:
    """One engine on one model."""

    engine: str
    model: str
    scheme: str
    threads: int
    batch: int
    timing: Timing
    memory: Memory | None

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "engine": self.engine,
            "model": self.model,
            "scheme": self.scheme,
            "threads": self.threads,
            "batch": self.batch,
            **self.timing.record(),
            "peak_rss_mb": self.memory.peak_mb if self.memory else None,
            "model_rss_mb": self.memory.model_mb if self.memory else None,
        }


@dataclass(frozen=True)
class Ablation:
    """What it costs to switch one thing off."""

    off: str
    timing: Timing


@dataclass
class Result:
    """Everything that a comparison found out."""

    machine: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    layers: list[LayerTime] = field(default_factory=list)
    ablation: list[Ablation] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def row(self, engine: str) -> Row | None:
        """The row of an engine, if it ran."""
        return next((row for row in self.rows if row.engine == engine), None)

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "machine": self.machine,
            "rows": [row.record() for row in self.rows],
            "layers": [layer.record() for layer in self.layers],
            "ablation": [{"off": part.off, **part.timing.record()} for part in self.ablation],
            "notes": self.notes,
        }


def run(
    source: Source,
    *,
    threads: int = 1,
    against: Sequence[str] = tuple(engines.OTHERS),
    runs: int = 20,
    ablate: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Result:
    """Compares engines on a model.

    Args:
        source: The model.
        threads: How many threads every engine may use.
        against: Other engines; those that are not installed are noted.
        runs: Timed rounds.
        ablate: Whether to time ours with each pass switched off, too.
        progress: Called with what is going on, and how far it is.

    Raises:
        CompileError: A result of ours is wrong.
        OptionError: An engine has an unknown name, or the runs are too few.
        PConvError: The model cannot be compiled.
    """
    engines.check_names(against)
    progress("importing", 0, 1)
    module = source.module()
    inputs = _inputs(module)
    progress("computing the reference", 0, 1)
    wanted = reference.run(module, *inputs)
    result = Result(machine.describe() | {"fma_peak_gflops": fma_peak(threads)})
    with tempfile.TemporaryDirectory(prefix="pconv-bench-") as folder:
        progress("compiling", 0, 1)
        own = _compile_own(module, threads)
        others = _load_others(source, Path(folder), threads, against, result.notes)
        timings = _time([*own, *others], inputs, wanted, runs, progress)
        progress("measuring memory", 0, 1)
        files = _files(own, others, Path(folder))
        for name, timing in timings.items():
            engine, file = (OWN, files[name]) if name in (SPARSE, DENSE) else (name, files[name])
            memory = of_engine(engine, file, threads, [x.shape for x in inputs])
            batch = inputs[0].shape[0]
            row = Row(name, source.name, source.scheme, threads, batch, timing, memory)
            result.rows.append(row)
    network = own[0].network
    result.layers = layer_times(network.manifest, measure(network, runs, *inputs))
    if ablate:
        result.ablation = _ablate(module, threads, inputs, wanted, runs, progress)
    return result


def _inputs(module: Module) -> list[NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(spec.shape, np.float32) for spec in module.inputs]


def _compile_own(module: Module, threads: int) -> list[OwnEngine]:
    options = {SPARSE: CompileOptions(), DENSE: CompileOptions(sparse=False)}
    return [
        OwnEngine(name, compiler.compile(module, num_threads=threads, options=chosen))
        for name, chosen in options.items()
    ]


def _load_others(
    source: Source, folder: Path, threads: int, names: Sequence[str], notes: list[str]
) -> list[Engine]:
    import onnx

    path = folder / "model.onnx"
    onnx.save(source.model, path)
    loaded = []
    for name in names:
        try:
            loaded.append(engines.make(name, path, threads))
        except DependencyError as error:
            notes.append(str(error))
            continue
        if name in engines.NOTES:
            notes.append(f"{name}: {engines.NOTES[name]}")
    return loaded


def _files(own: Sequence[OwnEngine], others: Sequence[Engine], folder: Path) -> dict[str, Path]:
    """What a process of its own has to load for each engine."""
    files = {engine.name: folder / "model.onnx" for engine in others}
    for engine in own:
        files[engine.name] = folder / f"{engine.name}.pconv"
        engine.network.save(files[engine.name])
    return files


def _time(
    contestants: Sequence[Engine],
    inputs: list[NDArray[np.float32]],
    wanted: Sequence[NDArray[np.float64]],
    runs: int,
    progress: Progress,
) -> dict[str, Timing]:
    def bound(engine: Engine) -> Callable[[], Sequence[NDArray[np.float32]]]:
        return lambda: engine.run(inputs)

    timings = alternate(
        {engine.name: bound(engine) for engine in contestants},
        wanted,
        runs,
        lambda done: progress("timing", done, runs + 2),
    )
    for engine in contestants:
        error = timings[engine.name].relative_error
        if isinstance(engine, OwnEngine) and error > TOLERANCE:
            raise CompileError(
                f"the result of {engine.name} is wrong: relative error {error:.1e} to the float64 "
                "reference; please report this model"
            )
    return timings


def _ablate(
    module: Module,
    threads: int,
    inputs: list[NDArray[np.float32]],
    wanted: Sequence[NDArray[np.float64]],
    runs: int,
    progress: Progress,
) -> list[Ablation]:
    """Ours with everything on, and with each switch off, turn by turn."""
    networks: dict[str, Network] = {}
    for off in ("nothing", *CompileOptions.switches()):
        options = CompileOptions() if off == "nothing" else CompileOptions().without(off)
        networks[off] = compiler.compile(module, num_threads=threads, options=options)
    contestants = [OwnEngine(off, network) for off, network in networks.items()]
    timings = _time(contestants, inputs, wanted, runs, progress)
    return [Ablation(off, timing) for off, timing in timings.items()]
