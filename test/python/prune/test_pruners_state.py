# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruners and what else is done with a model: saved, copied, moved, compiled, imported."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from pconv_mlir import import_model, prune

torch = pytest.importorskip("torch", reason="pruners work on torch modules")
from trainings import (  # noqa: E402
    DATA,
    METHODS,
    PAIRS,
    PATTERN,
    PUNCHED,
    Training,
    assert_resumed_ends_the_same,
    effective,
    network,
    prepared,
)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_run_gives_the_same_weights(method: str) -> None:
    weights = []
    for _ in range(2):
        training = prepared(method, PUNCHED)
        training.run(20)
        weights.append(effective(training.model))
    assert all(np.array_equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.parametrize(("method", "scheme"), PAIRS)
@pytest.mark.parametrize("stop", [6, 18])
def test_a_run_that_was_interrupted_ends_the_same(method: str, scheme: str, stop: int) -> None:
    assert_resumed_ends_the_same(lambda: prepared(method, scheme), stop, 24)


@pytest.mark.parametrize("method", METHODS)
def test_bf16_autocast(method: str) -> None:
    training = prepared(method, PUNCHED)

    def forward(inputs: Any) -> Any:
        with torch.autocast("cpu", torch.bfloat16):
            return training.model(inputs)

    training.run(20, forward)
    assert forward(DATA[0][0]).dtype == torch.bfloat16
    assert training.model[3].parametrizations.weight.original.dtype == torch.float32
    training.pruner.squash_mask()
    weight = effective(training.model)["3"]
    assert 1 - weight.astype(bool).mean() == pytest.approx(2 / 3)


def test_a_copy_of_a_model_in_training_is_its_own() -> None:
    training = prepared("gradual")
    twin = copy.deepcopy(training.model)
    training.run(16)
    assert twin[3].weight.all()
    assert not training.model[3].weight.all()


def test_the_importer_finds_the_patterns() -> None:
    pytest.importorskip("torch_mlir", reason="importing a torch module needs torch-mlir")
    training = prepared("admm")
    training.run(20)
    training.pruner.squash_mask()
    module = import_model(training.model.eval(), (DATA[0][0],))
    weights = effective(training.model)
    for name in ("3", "6"):
        found = prune.find_library(weights[name])
        assert isinstance(found, prune.FoundLibrary)
        assert set(found.library.patterns) <= set(prune.PRESETS["balanced8"].patterns)
        assert np.all(np.count_nonzero(found.kernels, axis=1) == weights[name].shape[1] // 2)
        assert f"#pattern.kernel<#pattern.library<{found.library}>>" in module.ir
        np.testing.assert_array_equal(module.weights[f"{name}.weight"], weights[name])


def test_a_compiled_model_trains_and_sees_new_masks() -> None:
    plain, compiled = prepared("gradual", PUNCHED), prepared("gradual", PUNCHED)
    forward = torch.compile(compiled.model, backend="aot_eager")
    compiled.run(20, forward)
    plain.run(20)
    for name, weight in effective(plain.model).items():
        np.testing.assert_allclose(effective(compiled.model)[name], weight, atol=1e-5)
    outputs = forward(DATA[0][0]).detach()
    compiled.pruner.squash_mask()
    torch.testing.assert_close(compiled.model(DATA[0][0]).detach(), outputs, atol=1e-4, rtol=1e-4)


def test_a_compiled_model_is_prepared_as_the_one_inside() -> None:
    plain = prepared("admm")
    model, pruner = network(), METHODS["admm"]()
    compiled = torch.compile(model, backend="aot_eager")
    pruner.prepare(compiled, PATTERN)
    training = Training(model, pruner)
    training.run(20, compiled)
    plain.run(20)
    names = [layer.name for layer in pruner.squash_mask().layers]
    assert names == [layer.name for layer in plain.pruner.squash_mask().layers]
    for name, weight in effective(plain.model).items():
        np.testing.assert_allclose(effective(model)[name], weight, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_a_model_may_be_moved_while_it_is_pruned(method: str) -> None:
    training = prepared(method, PUNCHED)
    training.run(6)
    training.model.double()
    training.optimizer = torch.optim.SGD(training.model.parameters(), 0.01)
    training.run(14, lambda inputs: training.model(inputs.double()))
    for tensors in training.pruner.state_dict()["tensors"].values():
        assert {tensor.dtype for tensor in tensors.values()} == {torch.float64}
    training.pruner.squash_mask()
    assert effective(training.model)["3"].dtype == np.float64


def test_the_order_of_the_parameters_comes_back() -> None:
    training = prepared("magnitude")
    training.pruner.squash_mask()
    assert [name for name, _ in training.model.named_parameters()] == [
        name for name, _ in network().named_parameters()
    ]
