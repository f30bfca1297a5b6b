# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small pruned network, compiled, run and compared with the reference: does it all work here?"""

from __future__ import annotations

import numpy as np

from .. import compiler, reference
from ..errors import PConvError
from ..module import Module, TensorSpec
from ..prune import PRESETS

_FILTERS, _CHANNELS, _SIZE = 8, 4, 12


def problem() -> str | None:
    """What is wrong with this installation, or `None`.

    Every way through the kernels is run: sparse and dense, one thread and two.
    """
    try:
        module = network()
        x = np.random.default_rng(1).standard_normal(module.inputs[0].shape, np.float32)
        (wanted,) = reference.run(module, x)
        for threads in (1, 2):
            error = np.abs(compiler.compile(module, num_threads=threads)(x) - wanted).max()
            if not error <= 1e-4 * np.abs(wanted).max():
                return f"wrong result with {threads} threads: error {error:g}"
    except PConvError as error:
        return str(error)
    return None


def network() -> Module:
    """Two 3x3 convolutions, the second with kernel patterns, in the pattern dialect."""
    rng = np.random.default_rng(0)
    library = PRESETS["balanced8"]
    first = rng.standard_normal((_CHANNELS, 1, 3, 3), np.float32)
    second = rng.standard_normal((_FILTERS, _CHANNELS, 3, 3), np.float32)
    kernels = rng.integers(0, len(library.patterns) + 1, (_FILTERS, _CHANNELS))
    kernels[:, 0] = 1  # no filter without a kernel
    for (filter_, channel), pattern in np.ndenumerate(kernels):
        kept = library.patterns[pattern - 1] if pattern else ()
        removed = np.setdiff1d(np.arange(9), kept)
        second[filter_, channel].reshape(9)[removed] = 0
    patterns = ", ".join(str(list(cells)) for cells in library.patterns)
    plane = f"{_SIZE}x{_SIZE}xf32"
    text = f"""
module attributes {{pattern.stage = "imported"}} {{
  pattern.weights @first : tensor<{_CHANNELS}x1x3x3xf32>, #pattern.dense
  pattern.weights @second : tensor<{_FILTERS}x{_CHANNELS}x3x3xf32>,
      #pattern.kernel<#pattern.library<3x3, [{patterns}]>>,
      kernels = dense<{kernels.tolist()}> : tensor<{_FILTERS}x{_CHANNELS}xi8>
  func.func @main(%x: tensor<1x1x{plane}> {{pattern.name = "x"}})
      -> (tensor<1x{_FILTERS}x{plane}> {{pattern.name = "y"}}) {{
    %0 = pattern.conv2d %x weights(@first)
        {{padding = array<i64: 1, 1, 1, 1>, layer = "first"}}
        : tensor<1x1x{plane}> -> tensor<1x{_CHANNELS}x{plane}>
    %1 = pattern.activate %0 {{activation = #pattern.activation<relu>, layer = "relu"}}
        : tensor<1x{_CHANNELS}x{plane}> -> tensor<1x{_CHANNELS}x{plane}>
    %2 = pattern.conv2d %1 weights(@second)
        {{padding = array<i64: 1, 1, 1, 1>, layer = "second"}}
        : tensor<1x{_CHANNELS}x{plane}> -> tensor<1x{_FILTERS}x{plane}>
    return %2 : tensor<1x{_FILTERS}x{plane}>
  }}
}}
"""
    return Module(
        text,
        {"first": first, "second": second},
        [TensorSpec("x", (1, 1, _SIZE, _SIZE))],
        [TensorSpec("y", (1, _FILTERS, _SIZE, _SIZE))],
    )
