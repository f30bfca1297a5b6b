# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The ready training loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pconv_mlir import prune
from pconv_mlir.errors import OptionError, SchemeError, WeightsError

torch = pytest.importorskip("torch", reason="pruners work on torch modules")
from torch import nn  # noqa: E402
from trainings import DATA, METHODS, PATTERN, PUNCHED, accuracy, effective, network  # noqa: E402


@pytest.mark.parametrize("method", METHODS)
def test_fit_keeps_the_accuracy(method: str) -> None:
    model, lines = network(), []
    report = prune.fit(
        model,
        PUNCHED,
        DATA,
        method=method,
        epochs=8,
        retrain_epochs=20,
        lr=0.05,
        retrain_lr=0.05,
        evaluate=accuracy,
        progress=lambda epoch: lines.append(str(epoch)),
    )
    assert list(report.scores) == ["before", "hard", "after"]
    assert report.scores["after"] > 0.9 > report.scores["before"]
    assert len(report.losses) == len(lines) == (20 if method == "magnitude" else 28)
    assert report.losses[-1] < report.losses[0]
    assert lines[-1].startswith("retrain 20/20: loss 0.")
    weight = effective(model)["3"]
    assert 1 - weight.astype(bool).mean() == pytest.approx(2 / 3)
    assert bool(report.residuals) == (method != "magnitude")


def test_one_shot_pruning_is_scored_before_it_too() -> None:
    inputs, _ = DATA[0]

    def first_logit(model: nn.Module) -> float:
        return float(model(inputs)[0, 0])

    with torch.no_grad():
        dense = first_logit(network().eval())
    options: dict[str, Any] = {"epochs": 1, "retrain_epochs": 0, "evaluate": first_logit}
    report = prune.fit(network(), PATTERN, DATA, method="magnitude", **options)
    assert report.scores["before"] == dense != report.scores["hard"]


def test_fit_with_everything_switched_on_is_deterministic() -> None:
    results = []
    for draws in (0, 3):
        model = network()
        torch.rand(draws)
        state = torch.get_rng_state()
        inputs, targets = map(torch.cat, zip(*DATA, strict=True))
        images = torch.utils.data.TensorDataset(inputs, targets)
        loader = torch.utils.data.DataLoader(images, batch_size=16, shuffle=True)
        options: dict[str, Any] = {"distill": 0.5, "recalibrate": True, "autocast": True}
        report = prune.fit(
            model, PATTERN, loader, epochs=3, retrain_epochs=2, seed=7, evaluate=accuracy, **options
        )
        assert torch.equal(torch.get_rng_state(), state)
        results.append((report, effective(model)))
    assert results[0][0] == results[1][0]
    assert all(np.array_equal(results[0][1][name], results[1][1][name]) for name in ("0", "3"))


def test_compiled_training_is_the_same_training(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []

    def without_cpp(model: nn.Module) -> Any:
        compiled.append(model)
        return compile_model(model, backend="aot_eager")

    compile_model = torch.compile
    monkeypatch.setattr(torch, "compile", without_cpp)
    models = {flag: network() for flag in (False, True)}
    for flag, model in models.items():
        prune.fit(model, PATTERN, DATA, epochs=6, distill=0.5, evaluate=accuracy, compiled=flag)
    assert len(compiled) == 2 and compiled[0] is models[True]  # and its teacher
    assert list(models[True].state_dict()) == list(models[False].state_dict())
    for name, weight in effective(models[False]).items():
        np.testing.assert_allclose(effective(models[True])[name], weight, atol=1e-4)


def test_a_model_that_torch_cannot_compile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(graph: Any, inputs: Any) -> Any:
        raise RuntimeError("no compiler here")

    compile_model = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model: compile_model(model, backend=fails))
    model = network()
    names = list(model.state_dict())
    with pytest.raises(OptionError, match=r"torch cannot compile the model \(no compiler here"):
        prune.fit(model, PATTERN, DATA, epochs=6, compiled=True)
    assert list(model.state_dict()) == names


def test_distillation_pulls_towards_the_dense_outputs() -> None:
    inputs = DATA[0][0]
    dense = network().eval()
    distances = []
    for distill in (0.0, 1.0):
        model = network()
        prune.fit(
            model, "unstructured@3", DATA, method="magnitude", retrain_epochs=20, retrain_lr=0.02,
            distill=distill, optimizer=lambda parameters, lr: torch.optim.SGD(parameters, lr, 0.9),
        )  # fmt: skip
        difference = model.eval()(inputs).log_softmax(1) - dense.train()(inputs).log_softmax(1)
        distances.append(float(difference.detach().norm()))
    assert distances[1] < distances[0] / 2


def test_recalibration_measures_the_statistics_of_the_data() -> None:
    model = network()
    first = model[0].weight.detach().clone()
    model.train()[1].eval()  # frozen by its user
    prune.recalibrate_batch_norm(model, DATA)
    assert model.training and not model[1].training
    assert model[1].momentum == 0.1
    outputs = torch.stack([model[0](inputs) for inputs, _ in DATA])
    torch.testing.assert_close(model[1].running_mean, outputs.mean((0, 1, 3, 4)))
    assert torch.equal(model[0].weight, first)


@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_frozen_module_stays_frozen_and_the_modes_are_put_back(mode: str) -> None:
    model = network()
    getattr(model, mode)()
    model[1].eval()  # frozen by its user
    before = model[1].running_mean.clone()
    modes = [module.training for module in model.modules()]
    seen = []
    prune.fit(
        model, PATTERN, DATA, epochs=1, retrain_epochs=1, evaluate=accuracy,
        progress=lambda epoch: seen.append(model.eval().training),
    )  # fmt: skip
    assert seen == [False, False]
    assert torch.equal(model[1].running_mean, before) == (mode == "train")
    assert [module.training for module in model.modules()] == modes


def test_an_evaluation_without_a_number_is_refused_and_leaves_a_plain_model() -> None:
    model = network()
    names = list(model.state_dict())
    with pytest.raises(OptionError, match="expected evaluate to give a number, got NoneType"):
        prune.fit(model, PATTERN, DATA, evaluate=lambda _: None)  # type: ignore[arg-type, return-value]
    assert list(model.state_dict()) == names


def test_a_wrong_scheme_is_found_before_anything_is_evaluated() -> None:
    evaluated = []
    with pytest.raises(SchemeError):
        prune.fit(network(), "unstructured@1e9", DATA, evaluate=evaluated.append)  # type: ignore[arg-type]
    assert not evaluated


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(SchemeError, match="no layer is left to prune"):
        prune.fit(nn.ReLU(), PATTERN, DATA)


def test_a_training_that_diverges_says_so() -> None:
    model = network()
    names = list(model.state_dict())
    with pytest.raises(WeightsError, match="smaller learning rate|NaN or infinite"):
        prune.fit(model, PATTERN, DATA, method="gradual", epochs=3, lr=1e30)
    assert list(model.state_dict()) == names  # no masks are left


def test_an_interrupted_fit_leaves_a_plain_model() -> None:
    def interrupt(epoch: prune.Epoch) -> None:
        raise KeyboardInterrupt

    model, pruner = network(), prune.GradualPruner(6)
    with pytest.raises(KeyboardInterrupt):
        prune.fit(model, PATTERN, DATA, method=pruner, epochs=3, progress=interrupt)
    pruner.prepare(model, PATTERN)  # neither of them is taken
