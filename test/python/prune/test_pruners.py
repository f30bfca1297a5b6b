# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruners: the laws that hold before, at and after hard pruning."""

from __future__ import annotations

import numpy as np
import pytest

from pconv_mlir import prune

torch = pytest.importorskip("torch", reason="pruners work on torch modules")
from torch import nn  # noqa: E402
from trainings import (  # noqa: E402
    METHODS,
    PAIRS,
    PATTERN,
    PUNCHED,
    RHOS,
    Training,
    effective,
    network,
    prepared,
)


@pytest.mark.parametrize(("method", "scheme"), PAIRS)
def test_the_squashed_model_is_a_plain_one_within_the_scheme(method: str, scheme: str) -> None:
    training = prepared(method, scheme)
    names = list(network().state_dict())
    training.run(20)
    masked = effective(training.model)
    report = {layer.name: layer for layer in training.pruner.squash_mask().layers}
    assert list(training.model.state_dict()) == names
    assert type(training.model[3]) is nn.Conv2d
    weights = effective(training.model)
    assert {name for name, layer in report.items() if not layer.note} == {"3", "6"}
    for name, weight in weights.items():
        assert np.array_equal(weight, masked[name])
        assert report[name].zeros == pytest.approx(1 - np.count_nonzero(weight) / weight.size)
        assert report[name].scheme == ("dense" if report[name].note else scheme)
    library = None
    if "mined" in scheme:
        library = prune.mine_natural([effective(network())[name] for name in ("3", "6")], 6)
    for name in ("3", "6"):
        mask = prune.project(weights[name], prune.parse_scheme(scheme), library=library)
        assert np.all(weights[name][~mask] == 0)
        assert report[name].zeros == pytest.approx(1 - mask.mean())
        assert 0 < report[name].kept_norm < 1


@pytest.mark.parametrize("method", METHODS)
def test_masks_are_frozen_in_retraining(method: str) -> None:
    training = prepared(method, PUNCHED)
    training.run(16)
    assert training.pruner.frozen
    before = effective(training.model)
    training.run(8)
    for name, weight in effective(training.model).items():
        assert np.array_equal(weight != 0, before[name] != 0)
        assert not np.array_equal(weight, before[name])
    assert training.pruner.penalty() == 0
    assert set(training.pruner.residuals().values()) == {0.0}


def test_nothing_is_masked_before_hard_pruning() -> None:
    training = prepared("admm")
    training.run(15)
    assert not training.pruner.frozen
    assert all(weight.all() for weight in effective(training.model).values())


def test_admm_residuals_fall() -> None:
    training = prepared("admm")
    training.pruner = prune.ADMMPruner(240, rhos=RHOS)
    training.model = network()
    training.pruner.prepare(training.model, PATTERN)
    training.optimizer = torch.optim.Adam(training.model.parameters(), 0.005)
    first = training.pruner.residuals()
    training.run(239)
    last = training.pruner.residuals()
    assert len(training.pruner.history) == 11
    for name, residual in last.items():
        assert residual < 0.15 < 0.5 < first[name]


def test_admm_stops_when_the_weights_are_there() -> None:
    model = network()
    prune.magnitude(model, PATTERN)
    pruner = prune.ADMMPruner(100, every=2)
    pruner.prepare(model, PATTERN)
    pruner.step()
    assert not pruner.frozen
    pruner.step()
    assert pruner.frozen


def test_admm_penalty_is_the_squared_distance() -> None:
    model, pruner = network(), prune.ADMMPruner(4, rhos=[0.5, 2.0])
    pruner.prepare(model, PATTERN)
    lost = sum(
        np.square(weight * ~prune.project(weight, prune.parse_scheme(PATTERN))).sum()
        for name, weight in effective(model).items()
        if name in ("3", "6")
    )
    assert pruner.penalty().item() == pytest.approx(0.25 * lost, rel=1e-5)
    gradients = torch.autograd.grad(pruner.penalty(), model[3].parametrizations.weight.original)
    weight = effective(model)["3"]
    outside = weight * ~prune.project(weight, prune.parse_scheme(PATTERN))
    np.testing.assert_allclose(gradients[0].numpy(), 0.5 * outside, rtol=1e-5)
    assert [pruner.rho for _ in range(4) if not pruner.step()] == [0.5, 2.0, 2.0, 2.0]


def test_the_dual_variable_adds_up_what_is_missing() -> None:
    model, pruner = network(), prune.ADMMPruner(4, rhos=[0.5, 2.0])
    pruner.prepare(model, "unstructured@2")
    weight = effective(model)["3"]
    z = weight * prune.project(weight, prune.Unstructured(2))
    pruner.step()  # W + U = W: the same Z, and U = W - Z
    state = pruner.state_dict()["tensors"]
    np.testing.assert_array_equal(state["z"]["3"].numpy(), z)
    np.testing.assert_array_equal(state["u"]["3"].numpy(), weight - z)
    u = weight - z
    z = (weight + u) * prune.project(weight + u, prune.Unstructured(2))
    pruner.step()  # rho grows fourfold, so U shrinks
    state = pruner.state_dict()["tensors"]
    np.testing.assert_array_equal(state["z"]["3"].numpy(), z)
    np.testing.assert_allclose(state["u"]["3"].numpy(), (weight + u - z) / 4, rtol=1e-6)


def test_the_gradual_schedule_is_cubic() -> None:
    model, pruner = network(), prune.GradualPruner(12, every=2, begin=2)
    pruner.prepare(model, "unstructured@10")
    zeros = []
    for _ in range(12):
        pruner.step()
        zeros.append(1 - effective(model)["3"].astype(bool).mean())
    for step, found in enumerate(zeros, 1):
        progress = max(0, step // 2 * 2 - 2) / 10
        assert found == pytest.approx(0.9 * (1 - (1 - progress) ** 3), abs=1e-3)
    assert pruner.frozen


def test_gradual_pruning_takes_the_smallest_first() -> None:
    model, pruner = network(), prune.GradualPruner(4, every=1)
    pruner.prepare(model, PATTERN)
    before = effective(model)["3"]
    pruner.step()
    gone = effective(model)["3"] == 0
    target = prune.project(before, prune.parse_scheme(PATTERN))
    assert not np.any(gone & target)
    assert np.abs(before[gone]).max() <= np.abs(before[~gone & ~target]).min()


def test_the_group_lasso_empties_small_groups() -> None:
    from pconv_mlir.prune.training.lasso import group_squares

    model, pruner = network(), prune.GroupLassoPruner(400, strength=1e-3)
    pruner.prepare(model, PUNCHED)
    training = Training(model, pruner)
    training.optimizer = torch.optim.SGD(model.parameters(), 0.02)
    first = pruner.residuals()
    training.run(399)
    for name, residual in pruner.residuals().items():
        assert residual < 0.1 < 0.5 < first[name]
    squares = group_squares(model[3].weight.detach(), prune.parse_scheme(PUNCHED))
    assert squares.shape == (3, 4, 3, 3)


@pytest.mark.parametrize("scheme", [PUNCHED, "block:5x4@2", "filter@2", "channel@2"])
def test_groups_are_what_goes_together(scheme: str) -> None:
    from pconv_mlir.prune.training.lasso import group_squares

    weight = np.random.default_rng(0).standard_normal((7, 5, 3, 3))
    mask = prune.project(weight, prune.parse_scheme(scheme))
    squares = group_squares(torch.from_numpy(weight * mask), prune.parse_scheme(scheme))
    assert squares.sum() == pytest.approx(np.square(weight * mask).sum())
    kept = squares > 0  # no group is cut in two
    lost = group_squares(torch.from_numpy(weight * ~mask), prune.parse_scheme(scheme)) > 0
    assert torch.all(kept ^ lost)
