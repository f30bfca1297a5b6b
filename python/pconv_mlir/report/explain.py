# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The table of `pconv explain`: what was found in every layer, how it runs, how fast, and why."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..manifest import Layer, Manifest

if TYPE_CHECKING:
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


def layer_times(
    manifest: Manifest, profile: Profile | None = None, peak_gflops: float | None = None
) -> list[LayerTime]:
    """Joins the layers with the times of their steps.

    Args:
        manifest: Of the network.
        profile: Of a run; without it there are no times.
        peak_gflops: What all the threads of the run could do at best.
    """
    if profile is None:
        return [LayerTime(layer) for layer in manifest.layers]
    ms: defaultdict[tuple[str, str], float] = defaultdict(float)
    for step, time in zip(manifest.steps, profile.steps, strict=True):
        ms[step.layer, step.kind] += time
    return [_timed(layer, ms[layer.name, layer.kind], peak_gflops) for layer in manifest.layers]


def _timed(layer: Layer, ms: float, peak_gflops: float | None) -> LayerTime:
    if not layer.kept_macs or not ms:
        return LayerTime(layer, ms)
    gflops = 2 * layer.kept_macs / ms / 1e6
    return LayerTime(layer, ms, gflops, gflops / peak_gflops if peak_gflops else None)


def table(
    network: Network, *, measure: bool = True, runs: int = 10, peak_gflops: float | None = None
) -> str:
    """The table as text.

    Args:
        network: A compiled network.
        measure: Whether to run it for the times.
        runs: How many runs to take the medians of.
        peak_gflops: As in `layer_times`.
    """
    profile = network.profile(runs) if measure else None
    rows = [_row(timed) for timed in layer_times(network.manifest, profile, peak_gflops)]
    lines = _align([_HEADER, *rows])
    lines.insert(1, "-" * max(map(len, lines)))
    lines.append(_summary(network, profile))
    return "\n".join(lines)


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


def _align(rows: list[tuple[str, ...]]) -> list[str]:
    """Pads columns; leaves out those that are empty below the header."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    padded = []
    for column in columns:
        width = max(map(len, column))
        right = column[0] in _RIGHT
        padded.append([cell.rjust(width) if right else cell.ljust(width) for cell in column])
    return ["  ".join(cells).rstrip() for cells in zip(*padded, strict=True)]


def _summary(network: Network, profile: Profile | None) -> str:
    layers = network.manifest.layers
    macs, kept = sum(layer.macs for layer in layers), sum(layer.kept_macs for layer in layers)
    parts = [f"target {network.manifest.target.name}", f"{network.num_threads} threads"]
    if kept:
        parts.append(f"{kept / 1e6:.1f} of {macs / 1e6:.1f} M multiplications ({macs / kept:.2f}x)")
    parts.append(f"arena {network.arena_bytes / 2**20:.1f} MiB")
    parts.append(f"weights {network.weight_bytes / 2**20:.1f} MiB")
    if profile is not None:
        parts.append(f"{profile.ms:.3f} ms a run")
    return ", ".join(parts)
