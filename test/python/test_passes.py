# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Passes on the dialect against NumPy: what they do to the numbers, and what they decide."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pconv_mlir import passes, reference
from pconv_mlir.errors import CompileError
from pconv_mlir.module import Module, TensorSpec

LIBRARY = "#pattern.library<3x3, [[0, 1, 3, 4], [1, 2, 4, 5], [3, 4, 6, 7]]>"

NETWORK = (Path(__file__).parent / "Inputs" / "fusion.mlir").read_text()


def make_module() -> Module:
    """The network with weights: variances are positive, scales of any sign."""
    random = np.random.default_rng(0)
    weights = {}
    for name, shape in re.findall(r"pattern.weights @(\S+) : tensor<([\dx]+)xf32>", NETWORK):
        values = random.standard_normal([int(size) for size in shape.split("x")], np.float32)
        weights[name] = np.abs(values) + np.float32(0.1) if name.endswith(".v") else values
    return Module(
        NETWORK,
        weights,
        [TensorSpec("x", (2, 3, 7, 11))],
        [TensorSpec("y", (2, 4)), TensorSpec("z", (2, 4, 3, 5))],
    )


def count(text: str, *ops: str) -> list[int]:
    return [text.count(f"pattern.{op} ") for op in ops]


@pytest.mark.parametrize(
    ("options", "left"),
    [  # left: batch_norm, add, activate, max_pool2d
        ({}, [1, 0, 1, 1]),
        ({"batch_norm": False}, [5, 1, 2, 2]),
        ({"residual": False}, [1, 2, 1, 2]),
        ({"activation": False}, [1, 0, 5, 2]),
        ({"pooling": False}, [1, 0, 2, 4]),
    ],
)
def test_fusion_keeps_the_numbers(options: dict[str, bool], left: list[int]) -> None:
    module = make_module()
    x = np.random.default_rng(1).standard_normal((2, 3, 7, 11))
    fused = passes.reorder_filters(passes.fuse_layers(module, **options))
    assert count(fused.ir, "batch_norm", "add", "activate", "max_pool2d") == left
    for got, want in zip(reference.run(fused, x), reference.run(module, x), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


def test_fusion_keeps_its_promise() -> None:
    passes.verify_stage(passes.fuse_layers(make_module()))


def test_a_broken_promise_is_an_error() -> None:
    with pytest.raises(CompileError, match="to be folded into the pattern.conv2d"):
        passes.verify_stage(make_module(), "fused")


def filter_kernel_reorder(kernels: NDArray[np.int8], groups: int) -> list[int]:
    """The order of PatDNN's filter kernel reorder, by its definition.

    Args:
        kernels: Pattern ids [filters, channels], 0 = removed.
        groups: Groups of the convolution.
    """
    order = []
    for members in np.split(np.arange(len(kernels)), groups):
        lengths = {f: int(np.count_nonzero(kernels[f])) for f in members}
        for length in sorted(set(lengths.values()), reverse=True):
            rest = [f for f in members if lengths[f] == length]
            order.append(rest.pop(0))
            while rest:
                last = kernels[order[-1]]
                shared = [np.count_nonzero((kernels[f] == last) & (last != 0)) for f in rest]
                order.append(rest.pop(int(np.argmax(shared))))
    return [int(f) for f in order]


@st.composite
def pruned_kernels(draw: st.DrawFn) -> tuple[NDArray[np.int8], int]:
    groups = draw(st.integers(1, 3))
    filters, channels = groups * draw(st.integers(1, 9)), draw(st.sampled_from([1, 3, 17, 300]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    kept = random.random((filters, channels)) < draw(st.sampled_from([0.1, 0.3, 0.9]))
    return (random.integers(1, 4, kept.shape) * kept).astype(np.int8), groups


@settings(max_examples=40)
@given(pruned_kernels())
def test_filter_order_is_that_of_the_definition(case: tuple[NDArray[np.int8], int]) -> None:
    kernels, groups = case
    filters, channels = kernels.shape
    network = f"""
      pattern.weights @w : tensor<{filters}x{channels}x3x3xf32>, #pattern.kernel<{LIBRARY}>,
        kernels = dense<"0x{kernels.tobytes().hex().upper()}"> : tensor<{filters}x{channels}xi8>
      func.func @main(%x: tensor<1x{groups * channels}x5x7xf32>) -> tensor<1x{filters}x3x5xf32> {{
        %0 = pattern.conv2d %x weights(@w) {{groups = {groups} : i64}}
          : tensor<1x{groups * channels}x5x7xf32> -> tensor<1x{filters}x3x5xf32>
        return %0 : tensor<1x{filters}x3x5xf32>
      }}"""
    ordered = passes.verify_stage(passes.reorder_filters(Module(network, {}, [], [])))
    found = re.search(r"filter_order = array<i32: ([^>]*)>", ordered.ir)
    assert found
    assert [int(f) for f in found[1].split(",")] == filter_kernel_reorder(kernels, groups)
