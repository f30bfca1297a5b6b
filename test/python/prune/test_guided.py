# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Guided sparsity learning: what a performance model makes of every layer while it is pruned."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="pruners work on torch modules")

import torch
from trainings import DATA, Training, accuracy, assert_resumed_ends_the_same, effective, network

from pconv_mlir import prune
from pconv_mlir.errors import ConfigError, OptionError, PruneError, SchemeError
from pconv_mlir.performance.model import LayerModel

SCHEME = "unstructured@10"
#: Useful from 5 % to 50 % of the weights, of which the rate of the scheme leaves 10 % to 50 %.
USEFUL = LayerModel("conv", 1e9, 1e5, 1e4, 1e11, 1e10, alpha=2.0, fixed=0.1)
DENSE_IS_FAST = replace(USEFUL, alpha=100.0, fixed=0.0)  # useful below 1 % of the weights
MODELS = {"3": USEFUL, "6": USEFUL}
METHODS: dict[str, Callable[..., Any]] = {
    "gesl": lambda models=MODELS, steps=24, **options: prune.GESLPruner(
        steps, models, **{"every": 2, "strength": 0.02, "threshold": 0.02} | options
    ),
    "gdns": lambda models=MODELS, steps=24, **options: prune.GDNSPruner(
        steps, models, **{"every": 2} | options
    ),
}
BOTH = pytest.mark.parametrize("method", METHODS)


def prepared(method: str, scheme: Any = SCHEME, **options: Any) -> Training:
    model, pruner = network(), METHODS[method](**options)
    pruner.prepare(model, scheme)
    return Training(model, pruner)


def zeros(training: Training) -> dict[str, float]:
    return {name: 1 - weight.astype(bool).mean() for name, weight in weights(training).items()}


def weights(training: Training) -> dict[str, Any]:
    return {name: effective(training.model)[name] for name in ("3", "6")}


def test_the_bounds_used_here() -> None:
    assert (USEFUL.x_lo, USEFUL.x_hi) == (pytest.approx(0.05), pytest.approx(0.45))
    assert USEFUL.useless == DENSE_IS_FAST.useless == ""
    assert DENSE_IS_FAST.x_hi == pytest.approx(0.01)


def test_zeros_grow() -> None:
    training = prepared("gesl", steps=60)
    before = weights(training)
    counts = []
    for _ in range(40):
        training.run(1)
        after = weights(training)
        for name in after:
            assert not np.any((before[name] == 0) & (after[name] != 0))
        before = after
        counts.append(zeros(training)["3"])
    assert counts == sorted(counts)
    assert counts[0] < 0.3 < counts[-1]


@BOTH
def test_no_layer_gets_sparser_than_is_useful(method: str) -> None:
    options = {"gesl": {"strength": 0.1, "threshold": 0.05}, "gdns": {"spread": 6.0}}[method]
    for scheme, share in (("unstructured@10", 0.1), ("unstructured@100", 0.05)):
        training = prepared(method, scheme, steps=200, **options)
        training.run(120)
        assert training.pruner.frozen  # all settled: before the last step
        for name, weight in weights(training).items():
            assert np.count_nonzero(weight) == int(np.ceil(share * weight.size)), name


@BOTH
def test_a_layer_that_is_slower_than_dense_gets_its_weights_back(method: str) -> None:
    models = {"3": USEFUL, "6": DENSE_IS_FAST}
    options = {"gesl": {"strength": 0.005}, "gdns": {}}[method]
    training = prepared(method, "unstructured@200", models=models, steps=20, begin=20, **options)
    before = weights(training)
    training.run(19)
    assert not training.pruner.frozen
    assert zeros(training)["6"] > 0
    training.pruner.step()  # no step of the optimizer
    after = weights(training)
    assert training.pruner.frozen
    assert np.array_equal(after["6"], before["6"])
    assert not np.array_equal(after["3"], before["3"])
    training.run(4)
    assert not np.array_equal(weights(training)["6"], before["6"])  # goes on as a dense layer
    rows = {row.name: row for row in training.pruner.squash_mask().layers}
    assert rows["6"].scheme == "dense" and rows["6"].zeros == 0
    assert rows["6"].note.startswith("not worth it: ") and "up to 99.0%" in rows["6"].note
    assert rows["3"].note == "" and rows["3"].zeros > 0.55


def test_a_layer_at_rest_is_dropped_early() -> None:
    """No weight falls to a threshold of nothing: its sparsity rests at zero."""
    training = prepared("gesl", threshold=1e-30, strength=1e-9, every=2, begin=12, steps=200)
    before = weights(training)
    for step in range(1, 14):
        training.run(1)
        assert training.pruner.frozen == (step >= 12)  # none is left that learns
        if step == 12:
            assert all(np.array_equal(before[name], weights(training)[name]) for name in before)
    assert [row.note[:12] for row in training.pruner.squash_mask().layers[1:3]] == (
        ["not worth it"] * 2
    )


@BOTH
def test_masks_of_settled_layers_do_not_change(method: str) -> None:
    options = {"gesl": {"strength": 0.1, "threshold": 0.05}, "gdns": {"spread": 6.0}}[method]
    models = {"3": replace(USEFUL, fixed=0.3, alpha=1.0), "6": USEFUL}  # sooner enough
    training = prepared(method, models=models, scheme="unstructured@100", steps=400, **options)
    while training.pruner._outcomes.get("3") is None:
        training.run(1)
        assert training.pruner.steps_done < 200
    mask = weights(training)["3"] != 0
    training.run(30)
    after = weights(training)["3"]
    assert np.array_equal(after != 0, mask)
    training.pruner.freeze()
    training.run(10)
    assert np.array_equal(weights(training)["3"] != 0, mask)
    assert training.pruner.penalty() == 0
    assert set(training.pruner.residuals().values()) == {0.0}


def test_the_lasso_of_a_settled_layer_is_off() -> None:
    training = prepared("gesl", strength=0.5)
    whole = sum(float(np.abs(weight).sum()) for weight in weights(training).values())
    assert training.pruner.penalty().item() == pytest.approx(0.5 * whole, rel=1e-5)
    training.pruner._settle(training.pruner._layers[0])
    alone = float(np.abs(weights(training)["6"]).sum())
    assert training.pruner.penalty().item() == pytest.approx(0.5 * alone, rel=1e-5)


def test_surgery_lets_weights_come_back() -> None:
    training = prepared("gdns", steps=100, spread=0.5)
    came_back = 0
    before = weights(training)
    for _ in range(30):
        training.run(1)
        after = weights(training)
        came_back += int(np.count_nonzero((before["3"] == 0) & (after["3"] != 0)))
        before = after
    assert came_back > 5  # not counting the first masks, which only remove


def test_surgery_has_two_thresholds() -> None:
    model, pruner = network(), prune.GDNSPruner(100, MODELS, spread=0.5, every=50)
    pruner.prepare(model, SCHEME)
    size = np.abs(effective(model)["3"])
    threshold = size.mean() + 0.5 * size.std(ddof=1)
    pruner.step()
    assert np.array_equal(effective(model)["3"] != 0, size >= 0.9 * threshold)
    (original,) = (p for n, p in model.named_parameters() if n.startswith("3.") and "orig" in n)
    with torch.no_grad():
        original.neg_()  # the same magnitudes: nothing changes
    pruner.step()
    assert np.array_equal(effective(model)["3"] != 0, size >= 0.9 * threshold)


def test_masked_weights_learn_as_if_they_were_used() -> None:
    training = prepared("gdns", spread=0.5)
    training.run(2)
    plain = copy.deepcopy(training.model)
    inputs, targets = DATA[0]
    masked = weights(training)["3"] == 0
    assert 0.5 < masked.mean() < 0.9  # it learns still
    for model in (training.model, plain):
        model.zero_grad()
    for module in plain[3].parametrizations.weight:
        module.learns = False
    losses = []
    for model in (training.model, plain):
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        losses.append(loss.item())
    assert losses[0] == losses[1]
    learning, frozen = (
        model[3].parametrizations.weight.original.grad.numpy() for model in (training.model, plain)
    )
    alive = learning.any(axis=(1, 2, 3))  # filters whose activation is not zero everywhere
    assert np.mean(learning[alive][masked[alive]] != 0) > 0.8
    assert np.all(frozen[masked] == 0)
    np.testing.assert_allclose(learning[~masked], frozen[~masked], rtol=1e-5)


@BOTH
def test_the_report_has_the_rate_that_was_reached(method: str) -> None:
    training = prepared(method)
    training.run(30)
    report = training.pruner.squash_mask()
    found = {row.name: row for row in report.layers}
    for name, share in zeros(training).items():
        assert found[name].zeros == pytest.approx(share)
        rate = 1 / (1 - share)
        assert found[name].scheme == str(prune.Unstructured(round(rate, 2)))
        assert 0 < found[name].kept_norm <= 1
    assert type(training.model[3]) is torch.nn.Conv2d


@BOTH
@pytest.mark.parametrize("stop", [6, 14, 26])
def test_a_run_that_was_interrupted_ends_the_same(method: str, stop: int) -> None:
    models = {"3": USEFUL, "6": DENSE_IS_FAST}
    options = {"scheme": "unstructured@200", "models": models, "begin": 10}
    assert_resumed_ends_the_same(lambda: prepared(method, **options), stop, 32)


@BOTH
def test_fit(method: str) -> None:
    model = network()
    steps = 8 * len(DATA)
    report = prune.fit(
        model,
        SCHEME,
        DATA,
        method=METHODS[method](steps=steps),
        epochs=8,
        retrain_epochs=20,
        lr=0.05,
        retrain_lr=0.05,
        evaluate=accuracy,
    )
    assert report.scores["after"] > 0.9 > report.scores["before"]
    assert {row.name for row in report.layers.layers if not row.note} == {"3", "6"}


@pytest.mark.parametrize(
    ("model", "note"),
    [
        (replace(USEFUL, alpha=None), "not worth it: the compiler runs it dense"),
        (DENSE_IS_FAST, "not worth it: unstructured@10 keeps 10.0%, .* less than 1.0% is kept"),
    ],
)
def test_a_layer_that_promises_nothing_is_left_dense(model: LayerModel, note: str) -> None:
    training = prepared("gesl", models={"3": USEFUL, "6": model})
    training.run(26)
    rows = {row.name: row for row in training.pruner.squash_mask().layers}
    assert re.fullmatch(note, rows["6"].note)
    assert rows["6"].zeros == 0 < rows["3"].zeros


# Refusals


@pytest.mark.parametrize(
    ("models", "scheme", "error", "message"),
    [
        (MODELS, "pattern:8", SchemeError, "layer '3': .* single weights, got pattern:8: use"),
        ({"3": USEFUL}, SCHEME, ConfigError, "layer '6': there is no performance model of it"),
        (
            {"3": replace(USEFUL, alpha=None), "6": replace(USEFUL, bandwidth=1e7)},
            SCHEME,
            SchemeError,
            "no speed in any layer .3: not worth it: the compiler runs it dense; 6: .* memory",
        ),
    ],
)
def test_what_cannot_be_guided_is_refused(
    models: Any, scheme: str, error: type[Exception], message: str
) -> None:
    model = network()
    names = list(model.state_dict())
    with pytest.raises(error, match=message):
        prune.GESLPruner(20, models).prepare(model, scheme)
    assert list(model.state_dict()) == names


def test_the_state_of_another_model_is_refused() -> None:
    state = prepared("gesl").pruner.state_dict()
    other = prepared("gesl", models={"3": USEFUL, "6": replace(USEFUL, alpha=None)})
    with pytest.raises(PruneError, match="another performance model: it prunes 3, 6, this one 3"):
        other.pruner.load_state_dict(state)
    del state["outcomes"]
    with pytest.raises(PruneError, match="the state is damaged: KeyError 'outcomes'"):
        prepared("gesl").pruner.load_state_dict(state)


@pytest.mark.parametrize(
    "make",
    [
        lambda: prune.GESLPruner(10, MODELS, begin=11),
        lambda: prune.GESLPruner(10, MODELS, strength=0),
        lambda: prune.GESLPruner(10, MODELS, threshold=-1),
        lambda: prune.GESLPruner(-1, MODELS),
        lambda: prune.GDNSPruner(10, MODELS, every=0),
        lambda: prune.GDNSPruner(10, MODELS, spread=float("nan")),
    ],
)
def test_numbers_out_of_range_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(OptionError, match="expected"):
        make()


def test_a_compiled_model_sees_when_masked_weights_stop_learning() -> None:
    plain, compiled = prepared("gdns", steps=8), prepared("gdns", steps=8)
    forward = torch.compile(compiled.model, backend="aot_eager")
    compiled.run(12, forward)
    plain.run(12)
    for name, weight in weights(plain).items():
        np.testing.assert_allclose(weights(compiled)[name], weight, atol=1e-5)
