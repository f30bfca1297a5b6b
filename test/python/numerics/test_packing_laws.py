# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Laws of packed weights: whatever the network and the schedule, nothing is lost or made up.

The decoders know of the packed form only what RunPacking.h, RecordPacking.h and Fkw.h say of it.
Every kept weight is a number of its own, so that a decoder sees which one it has found.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nets import Floats, Net, assert_close, inputs_of
from numpy.typing import NDArray

import pconv_mlir as pconv
from pconv_mlir import ir, packing, passes, reference, targets
from pconv_mlir.module import Module
from pconv_mlir.targets import Target

Ints = NDArray[np.int32]
law = settings(
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow],
)
slow_law = settings(law, max_examples=8)


# --- Layers -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pruned:
    """A layer with kernel patterns: `kernels` [filters, channels] holds their numbers from 1."""

    size: tuple[int, int]
    library: tuple[tuple[int, ...], ...]
    kernels: NDArray[np.int8]

    @property
    def weight(self) -> Floats:
        """1 + its own place for every kept weight, else 0."""
        shape = (*self.kernels.shape, *self.size)
        cells = np.zeros((len(self.library) + 1, math.prod(self.size)), np.bool_)
        for mask, pattern in zip(cells[1:], self.library, strict=True):
            mask[list(pattern)] = True
        places = np.arange(1, math.prod(shape) + 1, dtype=np.float32).reshape(shape)
        return places * cells[self.kernels].reshape(shape)


@st.composite
def layers(draw: Any) -> Pruned:
    height, width = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    cells = st.sets(st.integers(0, height * width - 1), min_size=1).map(lambda s: tuple(sorted(s)))
    library = draw(st.lists(cells, min_size=1, max_size=5, unique=True))
    filters, channels = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    kernels = rng.integers(1, len(library) + 1, (filters, channels))
    kernels[rng.random(kernels.shape) < draw(st.sampled_from([0.0, 0.5, 0.9]))] = 0
    return Pruned((height, width), tuple(library), kernels.astype(np.int8))


@st.composite
def schedules(draw: Any, dataflow: str) -> dict[str, Any]:
    staged = dataflow == "staged"
    return {
        "dataflow": dataflow,
        "rows": draw(st.integers(1, 3)) if staged else 1,
        "vectors": draw(st.integers(1, 3)),
        "filter_block": draw(st.integers(1, 10)),
        "channel_block": draw(st.integers(1, 10)),
    }


def module_of(layer: Pruned) -> Module:
    """One convolution of these weights, at stage `imported`."""
    net = Net()
    x = net.input(1, layer.kernels.shape[1], 6, 5)
    pad = (layer.size[0] - 1, layer.size[1] - 1)
    y = net.conv(x, np.ones_like(layer.weight), padding=(*pad, 0, 0))
    module = net.module(y)
    patterns = ", ".join(str(list(pattern)) for pattern in layer.library)
    library = f"#pattern.library<{layer.size[0]}x{layer.size[1]}, [{patterns}]>"
    filters, channels = layer.kernels.shape
    scheme = (
        f"#pattern.kernel<{library}>, kernels = dense<{layer.kernels.tolist()}> : "
        f"tensor<{filters}x{channels}xi8>"
    )
    weights = dict(module.weights) | {"w0": layer.weight}
    return dataclasses.replace(
        module, ir=module.ir.replace("#pattern.dense", scheme), weights=weights
    )


def target() -> Target:
    """One with registers enough for every drawn schedule."""
    return targets.parse("host").override(lanes=4, registers=64)


@dataclass(frozen=True)
class Packed:
    """What the code of one layer reads, and what its author has to know to read it."""

    values: Floats
    index: Ints
    kernels: int  # number of filters, for the order
    schedule: dict[str, Any]
    channel_stride: int
    pairs: int
    op: Any


def pack(layer: Pruned, schedule: dict[str, Any]) -> Packed:
    module = pconv.lower(module_of(layer), target=target(), stop_after="scheduled")
    text = ", ".join(f"{key} = {value}" for key, value in schedule.items())
    module.ir = re.sub(r"(?<=#pattern.schedule<)[^>]*", text, module.ir)
    module = pconv.lower(module, target=target(), stop_after="planned")
    module = passes.run(module, "pattern-pack-weights", fkw_arrays=True)
    conv = next(line for line in module.ir.splitlines() if "pattern.conv2d" in line)
    stride = re.search(r": tensor<[^#]*#pattern.plane<.*?channel_stride = (\d+)", conv)
    pairs = re.search(r"pairs = (\d+)", conv)
    with ir.Context():
        parsed = ir.Module.parse(module.ir)
        values, indices = packing.pack(parsed, module.weights)
        op = next(op for op in parsed.body.operations if op.operation.name == "pattern.packed")
        attributes = {
            name: str(op.attributes[name]) for name in ("index_bytes", "csr_bytes", "fkw")
        }
        counts = {name: op.attributes[name].value for name in ("values", "value_count", "indices")}
        index_count = len(packing._numbers(op, "index"))
    assert stride is not None
    first, begin = counts["values"], counts["indices"]
    return Packed(
        values[first : first + counts["value_count"]],
        indices[begin : begin + index_count],
        len(layer.kernels),
        schedule,
        int(stride[1]),
        int(pairs[1]) if pairs else 0,
        attributes,
    )


# --- Decoders ---------------------------------------------------------------------------------


class Reader:
    """Reads a stream front to back."""

    def __init__(self, stream: Any, at: int) -> None:
        self.stream, self.at = stream, at

    def take(self, count: int = 1) -> list[Any]:
        self.at += count
        assert self.at <= len(self.stream)
        return list(self.stream[self.at - count : self.at])


def blocks(packed: Packed) -> Iterator[tuple[list[int], Reader, Reader, Reader]]:
    """For every block of filters: their numbers, and readers of its three streams.

    Also checks that every stream ends where the next block's begins.
    """
    size = packed.schedule["filter_block"]
    count = -(-packed.kernels // size)
    order = packed.index[3 * count : 3 * count + packed.kernels].tolist()
    assert sorted(order) == list(range(packed.kernels))
    headers = packed.index[: 3 * count].reshape(count, 3)
    ends = [*headers[1:].tolist(), [headers[0, 1], len(packed.index), len(packed.values)]]
    assert headers[0, 0] == 3 * count + packed.kernels
    for number, (header, end) in enumerate(zip(headers.tolist(), ends, strict=True)):
        streams = (packed.index, packed.index, packed.values)
        readers = [Reader(stream, at) for stream, at in zip(streams, header, strict=True)]
        yield order[number * size : (number + 1) * size], readers[0], readers[1], readers[2]
        assert [reader.at for reader in readers] == end


def decode_runs(packed: Packed, layer: Pruned) -> Floats:
    weight = np.zeros_like(layer.weight).reshape(*layer.kernels.shape, -1)
    sums = packed.schedule["vectors"] * target().lanes
    step = packed.schedule["channel_block"]
    for filters, runs, kernels, values in blocks(packed):
        for first in range(0, layer.kernels.shape[1], step):
            for pattern in layer.library:
                lengths = []
                for _ in range(runs.take()[0]):
                    offset, length = runs.take(2)
                    channel, rest = divmod(offset, packed.channel_stride)
                    assert rest == 0 and first <= channel < first + step
                    lengths.append(length)
                    for place in kernels.take(length):
                        kernel = weight[filters[place // sums], channel]
                        assert place % sums == 0 and not kernel.any()
                        kernel[list(pattern)] = values.take(len(pattern))
                assert lengths == sorted(lengths, reverse=True)
    return weight.reshape(layer.weight.shape)


def decode_records(packed: Packed, layer: Pruned) -> Floats:
    """The cells of a kernel are named by their place in a copy of the input.

    How that copy is laid out is the compiler's business; but it has one place for each cell of each
    channel of a block. Of a pair of cells, one below the other, only the upper one is named.
    """
    weight = np.zeros_like(layer.weight)
    sums = packed.schedule["rows"] * packed.schedule["vectors"] * target().lanes
    step = packed.schedule["channel_block"]
    place_of: dict[tuple[int, ...], int] = {}
    for filters, groups, kernels, values in blocks(packed):
        for first in range(0, layer.kernels.shape[1], step):
            for _ in range(groups.take()[0]):
                count, length = groups.take(2)
                for place in groups.take(count):
                    assert place % sums == 0
                    for _ in range(length):
                        found = decode_kernel(packed, layer, kernels, values)
                        for at, start in found:
                            assert at[0] == filters[place // sums] and weight[at] == 0
                            weight[at] = layer.weight[at]
                            assert first <= at[1] < first + step
                            if start is not None:
                                key = (at[1] - first, at[2], at[3])
                                assert place_of.setdefault(key, start) == start
    assert len(set(place_of.values())) == len(place_of)
    return weight


def decode_kernel(
    packed: Packed, layer: Pruned, kernels: Reader, values: Reader
) -> list[tuple[tuple[int, ...], int | None]]:
    """Where the weights of the next kernel belong, and the places that are named for them."""
    cells = max(map(len, layer.library))
    kept, places = values.take(cells), kernels.take(cells - packed.pairs)
    found: list[tuple[tuple[int, ...], int | None]] = []
    for number, value in enumerate(kept):
        if value == 0:  # fills up a pattern with fewer cells than the largest
            continue
        at = tuple(map(int, np.unravel_index(int(value) - 1, layer.weight.shape)))
        pair, lower = divmod(number, 2)
        if pair >= packed.pairs:
            found.append((at, places[number - packed.pairs]))
        elif not lower:
            found.append((at, places[pair]))
        else:
            upper = found[-1][0]
            assert at == (*upper[:2], upper[2] + 1, upper[3])
            found.append((at, None))
    return found


@law
@given(layers(), schedules("input_stationary"))
def test_runs_hold_every_weight_once(layer: Pruned, schedule: dict[str, Any]) -> None:
    np.testing.assert_array_equal(decode_runs(pack(layer, schedule), layer), layer.weight)


PAIRED = Pruned((3, 2), ((0, 2), (1, 3, 4), (2, 3, 4)), np.array([[1, 2, 3], [3, 0, 1]], np.int8))
STAGED = {"dataflow": "staged", "rows": 2, "vectors": 1, "filter_block": 2, "channel_block": 2}


def test_cells_below_each_other_are_paired() -> None:
    """So that the decoder below meets pairs, too."""
    assert pack(PAIRED, STAGED).pairs == 1


@law
@example(PAIRED, STAGED)
@given(layers(), schedules("staged"))
def test_records_hold_every_weight_once(layer: Pruned, schedule: dict[str, Any]) -> None:
    np.testing.assert_array_equal(decode_records(pack(layer, schedule), layer), layer.weight)


# --- FKW, and the sizes that are reported -----------------------------------------------------


@law
@given(layers())
def test_fkw_holds_every_kernel_once(layer: Pruned) -> None:
    schedule = {"dataflow": "input_stationary", "rows": 1, "vectors": 1}
    packed = pack(layer, {**schedule, "filter_block": 4, "channel_block": 4})
    arrays = {
        name: np.array(re.findall(r"\d+", numbers), np.int64)
        for name, numbers in re.findall(r"(\w+) = array<i32(?:: )?([^>]*)>", packed.op["fkw"])
    }
    filters = len(layer.kernels)
    patterns = len(layer.library)
    kernels = np.zeros_like(layer.kernels)
    stride = arrays["stride"].reshape(filters, patterns + 1)
    for stored, number in enumerate(arrays["reorder"]):
        begin = arrays["offset"][stored]
        for pattern in range(patterns):
            run = arrays["index"][
                begin + stride[stored, pattern] : begin + stride[stored, pattern + 1]
            ]
            assert not kernels[number, run].any() and len(set(run)) == len(run)
            kernels[number, run] = pattern + 1
        assert begin + stride[stored, -1] == arrays["offset"][stored + 1]
    np.testing.assert_array_equal(kernels, layer.kernels)

    widths = {"offset": np.int32, "reorder": np.int16, "stride": np.int16, "index": np.uint8}
    stored_bytes = sum(arrays[name].astype(width).nbytes for name, width in widths.items())
    assert packed.op["index_bytes"] == f"{stored_bytes} : i64"
    rows = layer.weight.reshape(filters, -1)
    columns = [np.flatnonzero(row).astype(np.int32) for row in rows]
    pointers = np.cumsum([0, *map(len, columns)], dtype=np.int32)
    csr = sum(column.nbytes for column in columns) + pointers.nbytes
    assert packed.op["csr_bytes"] == f"{csr} : i64"


# --- Panels -----------------------------------------------------------------------------------


@law
@given(
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(1, 5),
    st.sampled_from([(), (1, 1), (3, 2)]),
    st.integers(1, 7),
)
def test_panels_hold_every_weight_once(
    groups: int, filters: int, channels: int, size: tuple[int, ...], block: int
) -> None:
    shape = (groups * filters, channels, *size)
    weight = np.arange(1, math.prod(shape) + 1, dtype=np.float32).reshape(shape)
    depth = math.prod(shape[1:])
    panels = -(-filters // block)
    packed = packing.pack_panels(weight, block, groups)
    assert len(packed) == groups * panels * depth * block
    found = np.zeros_like(weight).reshape(groups, filters, depth)
    for place, value in enumerate(packed):
        rest, lane = divmod(place, block)
        rest, cell = divmod(rest, depth)
        group, panel = divmod(rest, panels)
        if panel * block + lane < filters:
            found[group, panel * block + lane, cell] = value
        else:
            assert value == 0
    np.testing.assert_array_equal(found.reshape(shape), weight)


# --- The order of filters ---------------------------------------------------------------------


@law
@given(layers(), st.booleans())
def test_a_filter_order_is_a_permutation_longest_first(layer: Pruned, similarity: bool) -> None:
    module = passes.run(module_of(layer), "pattern-reorder-filters", similarity=similarity)
    order = order_in(module)
    filters = len(layer.kernels)
    assert sorted(order) == list(range(filters))
    lengths = np.count_nonzero(layer.kernels[order], axis=1)
    assert (np.diff(lengths) <= 0).all()


@pytest.mark.parametrize("groups", [1, 2, 3])
def test_filters_stay_in_their_group(groups: int) -> None:
    net = Net(groups)
    weight = net.normal(6, 4, 3, 3)
    weight[..., 1:, :] = 0
    weight *= (net.rng.random((6, 4)) < 0.6)[..., None, None]
    y = net.conv(net.input(1, 4 * groups, 5, 5), weight, groups=groups)
    order = order_in(passes.reorder_filters(net.module(y)))
    size = 6 // groups
    assert [number // size for number in order] == [place // size for place in range(6)]
    assert groups != 1 or order != sorted(order)


def order_in(module: Module) -> list[int]:
    found = re.search(r"filter_order = array<i32: ([^>]*)>", module.ir)
    assert found
    return [int(number) for number in found[1].split(",")]


@slow_law
@given(layers(), schedules("staged") | schedules("input_stationary"), st.randoms())
def test_any_filter_order_gives_the_same_network(
    layer: Pruned, schedule: dict[str, Any], rng: Any
) -> None:
    module = pconv.lower(module_of(layer), target=target(), stop_after="scheduled")
    order = list(range(len(layer.kernels)))
    rng.shuffle(order)
    text = ", ".join(f"{key} = {value}" for key, value in schedule.items())
    changed = re.sub(r"(?<=#pattern.schedule<)[^>]*", text, module.ir)
    changed = re.sub(r"(?<=filter_order = array<i32: )[^>]*", ", ".join(map(str, order)), changed)
    module = dataclasses.replace(module, ir=changed)
    (x,) = inputs_of(module)
    wanted = reference.run(module_of(layer), x)
    assert_close([pconv.compile(module, target=target(), num_threads=1)(x)], wanted)
