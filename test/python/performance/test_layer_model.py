# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The formulas of the performance model, against the paper's numbers and each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pconv_mlir.errors import OptionError
from pconv_mlir.performance.model import LayerModel

# AlexNet conv5, one image, on the paper's two machines.
XEON = LayerModel("conv5", 149.5e6, 432.6e3, 1.77e6, 2150e9, 122e9, alpha=3)
ATOM = replace(XEON, peak=62e9, bandwidth=15e9, alpha=1.2)


def test_the_bounds_of_the_paper() -> None:
    assert XEON.x_lo == pytest.approx(0.020, abs=5e-4)
    assert ATOM.x_lo == pytest.approx(0.011, abs=5e-4)
    assert XEON.x_hi == pytest.approx(1 / 3)
    assert ATOM.x_hi == pytest.approx(1 / 1.2)
    assert XEON.useless == ATOM.useless == ""


def test_the_speed_ups_of_the_paper() -> None:
    assert XEON.speedup(0.09) == pytest.approx(3.7, abs=0.05)
    assert ATOM.speedup(0.09) == pytest.approx(9.3, abs=0.05)
    assert 2 < XEON.speedup(0.15) < XEON.speedup(0.05) < 7


def test_a_layer_with_few_operations_a_byte_is_useless() -> None:
    """GoogLeNet's inception_4a/5x5_reduce, a 1x1 convolution of 480 to 16 channels at 14x14.

    Its weights are read once for a batch of 144.
    """
    positions, weights = 14 * 14, 480 * 16
    reduce = LayerModel(
        "reduce", 2 * weights * positions, 4 * 496 * positions, 4 * weights / 144, 2150e9, 122e9, 3
    )
    assert reduce.intensity == pytest.approx(7.7, abs=0.05)
    assert reduce.useless.startswith("memory is its limit: 7.") and "17.6" in reduce.useless


def test_a_layer_without_a_sparse_loop_is_as_fast_as_dense() -> None:
    dense = replace(XEON, alpha=None)
    assert dense.speedup(0.01) == dense.speedup(1) == 1
    assert (dense.x_lo, dense.x_hi) == (1, 0)
    assert dense.useless == "the compiler runs it dense"


def test_weights_that_take_longer_than_the_work_bound_at_every_sparsity() -> None:
    layer = replace(XEON, alpha=1.1, beta=200.0)
    assert layer.x_lo == 1
    assert layer.useless == "what does not depend on the weights is its limit at every sparsity"


positive = st.floats(1e-3, 1e3)
MODELS = st.builds(
    lambda c, a, w, f, b, alpha, beta, dense, fixed: LayerModel(
        "conv", c * 1e6, a * 1e3, w * 1e3, f * 1e9, b * 1e9, alpha, 1 + beta, dense, fixed
    ),
    *[positive] * 5,
    st.floats(0.5, 20),
    st.floats(0, 2),
    st.floats(0.5, 5),
    st.floats(0, 1),
)


@given(MODELS, st.floats(1e-4, 1), st.floats(1e-4, 1))
def test_fewer_weights_never_take_longer(model: LayerModel, x: float, y: float) -> None:
    assert model.seconds(min(x, y)) <= model.seconds(max(x, y))
    assert model.speedup(x) == pytest.approx(model.dense_seconds / model.seconds(x))


@given(MODELS)
def test_x_hi_is_where_dense_is_as_fast(model: LayerModel) -> None:
    assert 0 <= model.x_hi <= 1
    if 1e-6 < model.x_hi < 0.9:  # below, a tenth of it is lost in rounding
        assert model.speedup(model.x_hi) == pytest.approx(1, rel=1e-6)
        assert model.speedup(min(1, model.x_hi * 1.1)) < 1


@given(MODELS)
def test_x_lo_is_where_memory_takes_over(model: LayerModel) -> None:
    plain = replace(model, fixed=0.0)
    assume(plain.x_lo < 1)
    compute = plain.alpha * plain.x_lo * plain.flops / plain.peak  # type: ignore[operator]
    traffic = plain.activation_bytes + plain.beta * plain.x_lo * plain.weight_bytes
    assert compute == pytest.approx(traffic / plain.bandwidth, rel=1e-6)


def test_fixed_work_bounds_what_sparsity_brings() -> None:
    model = replace(ATOM, fixed=0.12)
    assert model.x_lo == pytest.approx(0.1)
    assert model.x_hi == pytest.approx((1 - 0.12) / 1.2)
    assert model.speedup(1e-6) == pytest.approx(1 / 0.12, rel=1e-3)


@pytest.mark.parametrize("change", [{"peak": 0}, {"bandwidth": -1.0}, {"alpha": float("nan")}])
def test_impossible_constants_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=r"layer 'conv5': expected a positive number as \w+ of"):
        replace(XEON, **change)
