# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is read from the IR for `explain`."""

from __future__ import annotations

import numpy as np

from pconv_mlir.report.layers import _loads_saved

USES = "uses = [[0, 1], [0, 1, 2, 3]]"
MASKS = np.array([[1, 2], [1, 0], [0, 2]], np.int8)


def test_a_run_loads_once() -> None:
    attributes = {
        "loads": f"#pattern.loads<scope = run, taps = [0, 0, 0, 1, 1, 0, 1, 1], {USES}>",
        "schedule": "#pattern.schedule<dataflow = input_stationary, filter_block = 2>",
    }
    # Twelve cells; the two kernels of pattern 1 stand in one block and share two loads.
    assert _loads_saved(attributes, MASKS) == "run: 17% saved"
    # In another order they do not, and those of pattern 2 share four.
    assert _loads_saved(attributes | {"filter_order": [0, 2, 1]}, MASKS) == "run: 33% saved"
    assert _loads_saved(attributes, np.zeros_like(MASKS)) == "run: 0% saved"


def test_paired_cells_share_rows() -> None:
    attributes = {
        "loads": f"#pattern.loads<scope = kernel, taps = [0, 0], {USES}, pairs = 1>",
        "schedule": "#pattern.schedule<dataflow = staged, rows = 6, vectors = 2>",
    }
    # Of 4 x 6 rows, five serve two cells.
    assert _loads_saved(attributes, MASKS) == "kernel: 21% saved"
    alone = attributes | {"loads": f"#pattern.loads<scope = kernel, taps = [0, 0], {USES}>"}
    assert _loads_saved(alone, MASKS) == "kernel: 0% saved"
