# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruners: models, states and arguments that they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from pconv_mlir import prune
from pconv_mlir.errors import ConfigError, OptionError, PConvError, PruneError, SchemeError

torch = pytest.importorskip("torch", reason="pruners work on torch modules")
from torch import nn  # noqa: E402
from trainings import DATA, PATTERN, PUNCHED, network, prepared  # noqa: E402


def test_shared_weights_are_refused() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Conv2d(8, 8, 3))
    model[2].weight = model[1].weight
    pruner = prune.MagnitudePruner()
    with pytest.raises(SchemeError, match="layer '1': the weight is shared with '2'"):
        pruner.prepare(model, PATTERN)
    model[2] = model[1]
    with pytest.raises(SchemeError, match="layer '1': the weight is shared with '2'"):
        pruner.prepare(model, PATTERN)
    with pytest.raises(SchemeError, match="layer '1': the weight is shared with '2'"):
        prune.magnitude(model, PATTERN)


def test_a_module_is_not_pruned_twice() -> None:
    training = prepared("admm")
    with pytest.raises(SchemeError, match=r"layer '3': .* being pruned already: call squash_mask"):
        prune.MagnitudePruner().prepare(training.model, PATTERN)
    with pytest.raises(PruneError, match="has a model already"):
        training.pruner.prepare(network(), PATTERN)
    training.pruner.squash_mask()
    training.pruner.prepare(training.model, PATTERN)


def test_a_refused_model_is_left_alone() -> None:
    model = network()
    names = list(model.state_dict())
    with pytest.raises(SchemeError, match="layer '6': .* leave none of 8 filters"):
        prune.ADMMPruner(20).prepare(model, {"scheme": PATTERN, "layers": {"6": "filter@9"}})
    with pytest.raises(SchemeError, match="layer '3': the group lasso has no groups for pattern:8"):
        prune.GroupLassoPruner(20).prepare(model, PATTERN)
    with pytest.raises(ConfigError, match="no layer is called '33': did you mean 3"):
        prune.ADMMPruner(20).prepare(model, {"layers": {"33": "dense"}})
    assert list(model.state_dict()) == names


def test_a_check_fails_as_prepare_does_and_changes_nothing() -> None:
    model, pruner = network(), prune.MagnitudePruner()
    names = list(model.state_dict())
    with pytest.raises(SchemeError, match="layer '6': .* leave none of 8 filters"):
        pruner.check(model, {"scheme": PATTERN, "layers": {"6": "filter@9"}})
    pruner.check(model, PATTERN)
    assert list(model.state_dict()) == names
    pruner.prepare(model, PATTERN)
    with pytest.raises(PruneError, match="has a model already"):
        pruner.check(network(), PATTERN)


def test_a_config_of_another_model_is_refused() -> None:
    training = prepared("gradual")
    other = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 3))
    with pytest.raises(ConfigError, match="made for another network"):
        prune.MagnitudePruner().prepare(other, training.pruner.config)


def test_states_that_do_not_fit_are_refused() -> None:
    training = prepared("admm")
    state = training.pruner.state_dict()
    with pytest.raises(PruneError, match="expected the state of a GradualPruner, .* ADMMPruner"):
        prepared("gradual").pruner.load_state_dict(state)
    with pytest.raises(ConfigError, match="another network or config"):
        prepared("admm", PUNCHED).pruner.load_state_dict(state)
    del state["tensors"]["u"]
    with pytest.raises(PruneError, match="the state is damaged: KeyError 'u'"):
        prepared("admm").pruner.load_state_dict(state)


def test_a_pruner_without_a_model_says_so() -> None:
    pruner = prune.GradualPruner(4)
    for use in (pruner.step, pruner.penalty, pruner.squash_mask, pruner.state_dict):
        with pytest.raises(PruneError, match="call prepare"):
            use()


@pytest.mark.parametrize(
    "make",
    [
        lambda: prune.GradualPruner(0),
        lambda: prune.GradualPruner(10, begin=10),
        lambda: prune.GradualPruner(10, every=0),
        lambda: prune.ADMMPruner(3),
        lambda: prune.ADMMPruner(100, every=50),
        lambda: prune.ADMMPruner(100, rhos=[0]),
        lambda: prune.ADMMPruner(100, rhos=[math.nan]),
        lambda: prune.ADMMPruner(100, rate=math.nan),
        lambda: prune.ADMMPruner(100.5),
        lambda: prune.GroupLassoPruner(10, strength=0),
        lambda: prune.GroupLassoPruner(-1),
        lambda: prune.fit(network(), PATTERN, DATA, method="adm"),
        lambda: prune.fit(network(), PATTERN, iter(DATA)),
        lambda: prune.fit(network(), PATTERN, [1] * 12, epochs=1),
        lambda: prune.fit(network(), PATTERN, [(1, 2, 3)] * 12, epochs=1),
        lambda: prune.fit(network(), PATTERN, DATA, distill=2),
        lambda: prune.fit(network(), PATTERN, DATA, epochs=1.5),
        lambda: prune.fit(network(), PATTERN, DATA, retrain_lr=-1),
    ],
)
def test_bad_arguments_are_refused(make: Callable[[], Any]) -> None:
    with pytest.raises(OptionError, match="expected"):
        make()


def test_every_error_is_ours() -> None:
    assert issubclass(ConfigError, SchemeError)
    assert issubclass(PruneError, PConvError)
