# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Laws of the plane layout: code stores a plane where its description says, and gets it back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from nets import Value

import pconv_mlir as pconv
from pconv_mlir import targets
from pconv_mlir.module import Module, TensorSpec


@dataclass(frozen=True)
class Plane:
    """`#pattern.plane` of a tensor [N, C, H, W]."""

    shape: tuple[int, int, int, int]
    halo: int
    row_stride: int
    channel_stride: int
    phases: tuple[int, int]

    @property
    def type(self) -> str:
        fields = (
            f"halo = {self.halo}, row_stride = {self.row_stride}, channel_stride = "
            f"{self.channel_stride}, row_phases = {self.phases[0]}, col_phases = {self.phases[1]}"
        )
        return Value("", self.shape).type.replace(">", f", #pattern.plane<{fields}>>")

    def places(self) -> np.ndarray:
        """Where element [n, c, Y, X] of the bordered planes lies, by the formula of the dialect."""
        n, c, height, width = self.shape
        rows, columns = self.phases
        size = (n, c, height + 2 * self.halo, width + 2 * self.halo)
        image, channel, y, x = np.indices(size)
        sub_plane = self.channel_stride // (rows * columns)
        return np.asarray(
            (image * c + channel) * self.channel_stride
            + ((y % rows) * columns + x % columns) * sub_plane
            + (y // rows) * self.row_stride
            + x // columns
        )


@st.composite
def pairs_of_planes(draw: Any) -> tuple[Plane, Plane]:
    """Two layouts of tensors of one shape."""
    size = st.integers(1, 6)
    shape = (draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(size), draw(size))

    def plane() -> Plane:
        halo, spare = draw(st.integers(0, 3)), st.integers(0, 5)
        rows, columns = draw(st.sampled_from([(1, 1), (2, 2), (1, 2), (3, 1), (2, 3)]))
        height, width = (n + 2 * halo for n in shape[2:])
        shortest = -(-width // columns) if rows * columns > 1 else shape[3] + halo
        row_stride = shortest + draw(spare)
        whole_rows = halo == 0 and rows * columns == 1  # the last one, too
        last_row = row_stride if whole_rows else -(-width // columns)
        sub_plane = (-(-height // rows) - 1) * row_stride + last_row + draw(spare)
        return Plane(shape, halo, row_stride, sub_plane * rows * columns, (rows, columns))

    return plane(), plane()


def module_of(first: Plane, second: Plane) -> Module:
    plain = Value("", first.shape).type
    text = f"""
module attributes {{pattern.stage = "laid_out"}} {{
  func.func @main(%x: {plain} {{pattern.name = "x"}}) -> ({plain} {{pattern.name = "y"}}) {{
    %0 = pattern.relayout %x : {plain} -> {first.type}
    %1 = pattern.relayout %0 : {first.type} -> {second.type}
    %2 = pattern.relayout %1 : {second.type} -> {plain}
    return %2 : {plain}
  }}
}}"""
    return Module(text, {}, [TensorSpec("x", first.shape)], [TensorSpec("y", first.shape)])


@settings(max_examples=30)
@given(pairs_of_planes())
def test_planes_keep_what_is_stored_in_them(planes: tuple[Plane, Plane]) -> None:
    module = module_of(*planes)
    target = targets.parse("host").override(lanes=4)
    placed = pconv.lower(module, target=target, stop_after="placed").ir
    place = int(re.findall(r"{place = (\d+)", placed)[1])  # still there after the last layer
    network = pconv.compile(module, target=target, num_threads=1)
    x = np.random.default_rng(0).standard_normal(planes[0].shape, np.float32)
    program: Any = network.prepare()
    arena = program._sized_arena(1)
    arena[:] = np.nan
    np.testing.assert_array_equal(network(x), x)
    halo = planes[1].halo
    bordered = np.pad(x, ((0, 0), (0, 0), (halo, halo), (halo, halo)))
    np.testing.assert_array_equal(arena[place + planes[1].places()], bordered)
