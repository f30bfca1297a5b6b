# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of `pconv explain`: what was found in every layer, how it runs, how fast, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..manifest import Layer, Manifest
from .text import aligned

if TYPE_CHECKING:
    import numpy as np

    from ..runtime import Network, Profile

_HEADER = (
    "layer",
    "op",
    "shape",
    "zeros",
    "scheme",
    "kernels",
    "loads",
    "index B",
    "CSR B",
    "ms",
    "GFLOP/s",
    "peak",
    "note",
)
_RIGHT = {"zeros", "kernels", "index B", "CSR B", "ms", "GFLOP/s", "peak"}


@dataclass(frozen=True)
class LayerTime:
    """A layer and what a run spends in it.

    Attributes:
        layer: What the compiler knows about it.
        ms: Milliseconds; `None` where nothing was measured.
        gflops: Two operations for every multiplication that is left, over the time.
        peak_share: The same as a share of the processor's peak, 0 to 1.
    """

    layer: Layer
    ms: float | None = None
    gflops: float | None = None
    peak_share: float | None = None

    def record(self) -> dict[str, Any]:
        """As JSON values, as `pconv bench` writes them."""
        return {
            "name": self.layer.name,
            "kind": self.layer.kind,
            "scheme": self.layer.scheme,
            "kept_macs": self.layer.kept_macs,
            "ms": self.ms,
            "gflops": self.gflops,
            "peak_share": self.peak_share,
        }


@dataclass(frozen=True)
class Measurement:
    """The times of a network on this machine.

    Attributes:
        profile: Of whole runs and of every step.
        peak_gflops: What all the threads of the run could do at best, measured.
    """

    profile: Profile
    peak_gflops: float


def measure(network: Network, runs: int = 20, *inputs: np.ndarray) -> Measurement:
    """Runs a network for its times, and a loop of nothing but multiply-adds for the peak.

    Raises:
        TargetError: The network was compiled for another kind of machine.
    """
    profile = network.profile(runs, *inputs)
    from ..bench.peak import fma_peak  # compiles; who only runs networks need not load MLIR

    return Measurement(profile, fma_peak(network.num_threads))


def layer_times(manifest: Manifest, measured: Measurement | None = None) -> list[LayerTime]:
    """Joins the layers with the times of their steps; without a measurement there are no times."""
    if measured is None:
        return [LayerTime(layer) for layer in manifest.layers]
    times = zip(manifest.steps, measured.profile.steps, strict=True)
    steps = deque(((step.layer, step.kind), ms) for step, ms in times)
    timed = []
    names = [(layer.name, layer.kind) for layer in manifest.layers]
    for layer, name, following in zip(manifest.layers, names, [*names[1:], None], strict=True):
        # Steps come in the order of the layers. A layer may have none (a reshape) or several.
        ms = 0.0
        while steps and steps[0][0] == name:
            ms += steps.popleft()[1]
            if name == following:
                break
        timed.append(_timed(layer, ms, measured.peak_gflops))
    return timed


def _timed(layer: Layer, ms: float, peak_gflops: float) -> LayerTime:
    if not layer.kept_macs or not ms:
        return LayerTime(layer, ms)
    gflops = 2 * layer.kept_macs / ms / 1e6
    return LayerTime(layer, ms, gflops, gflops / peak_gflops)


def table(network: Network, measured: Measurement | None = None) -> str:
    """The table of a network, with a line about the whole of it."""
    layers = times_table(layer_times(network.manifest, measured))
    return f"{layers}\n{_summary(network, measured)}"


def times_table(layers: Sequence[LayerTime]) -> str:
    """One row for each layer."""
    return aligned(_HEADER, [_row(timed) for timed in layers], right=_RIGHT)


def _row(timed: LayerTime) -> tuple[str, ...]:
    layer = timed.layer
    shape = " -> ".join("x".join(map(str, dims[1:])) for dims in (layer.input, layer.output))
    weights = 1
    for size in layer.weights:
        weights *= size
    return (
        layer.name or "-",
        layer.kind,
        shape,
        f"{layer.zeros / weights:.1%}" if layer.weights else "",
        layer.scheme,
        f"{layer.kept_kernels}/{layer.kernels}" if layer.kernels else "",
        layer.loads,
        str(layer.index_bytes or ""),
        str(layer.csr_bytes or ""),
        "" if timed.ms is None else f"{timed.ms:.3f}",
        "" if timed.gflops is None else f"{timed.gflops:.1f}",
        "" if timed.peak_share is None else f"{timed.peak_share:.0%}",
        layer.reason,
    )


def _summary(network: Network, measured: Measurement | None) -> str:
    layers = network.manifest.layers
    macs, kept = sum(layer.macs for layer in layers), sum(layer.kept_macs for layer in layers)
    parts = [f"target {network.manifest.target.name}", f"threads {network.num_threads}"]
    if kept:
        parts.append(f"{kept / 1e6:.1f} of {macs / 1e6:.1f} M multiplications ({macs / kept:.2f}x)")
    parts.append(f"arena {network.arena_bytes / 2**20:.1f} MiB")
    parts.append(f"weights {network.weight_bytes / 2**20:.1f} MiB")
    if measured is not None:
        parts.append(f"{measured.profile.ms:.3f} ms a run")
        parts.append(f"measured FMA peak {measured.peak_gflops:.1f} GFLOP/s")
    return ", ".join(parts)
