# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruners: the laws that hold before, at and after hard pruning, in an ordinary training loop."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pconv_mlir import import_model, prune
from pconv_mlir.errors import (
    ConfigError,
    OptionError,
    PConvError,
    PruneError,
    SchemeError,
    WeightsError,
)

torch = pytest.importorskip("torch", reason="pruners work on torch modules")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402

torch.set_num_threads(1)  # the networks are tiny

RHOS = (0.03, 0.1, 0.3, 1.0)  # a short training needs more of it
METHODS: dict[str, Callable[[], prune.Pruner]] = {
    "magnitude": prune.MagnitudePruner,
    "gradual": lambda: prune.GradualPruner(16, every=4),
    "admm": lambda: prune.ADMMPruner(16, rhos=RHOS),
    "group-lasso": lambda: prune.GroupLassoPruner(16, every=4, strength=1e-3),
}
PATTERN = "pattern:8+connectivity:2"
PUNCHED = "block-punched:4x2@3"
SCHEMES = [PATTERN, "pattern:mined6+connectivity:2/layer", PUNCHED, "unstructured@5", "filter@2"]
PAIRS = [
    (method, scheme)
    for method in METHODS
    for scheme in SCHEMES
    if method != "group-lasso" or not scheme.startswith("pattern")
]


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 12, 3, padding=1),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.Conv2d(12, 8, 3, padding=1, bias=False),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 4),
    )


def batches(count: int = 4) -> list[tuple[Any, Any]]:
    """Images whose class is the quarter that is bright."""
    generator = torch.Generator().manual_seed(1)
    result = []
    for _ in range(count):
        targets = torch.randint(4, (16,), generator=generator)
        inputs = torch.randn(16, 3, 8, 8, generator=generator)
        for image, target in zip(inputs, targets.tolist(), strict=True):
            row, column = divmod(target, 2)
            image[:, row * 4 : row * 4 + 4, column * 4 : column * 4 + 4] += 1
        result.append((inputs, targets))
    return result


DATA = batches()


class Training:
    """The loop that a user would write."""

    def __init__(self, model: nn.Module, pruner: prune.Pruner) -> None:
        self.model = model
        self.pruner = pruner
        self.optimizer = torch.optim.Adam(model.parameters(), 0.01)

    def run(self, steps: int, forward: Any = None) -> None:
        for step in range(steps):
            inputs, targets = DATA[step % len(DATA)]
            outputs = (forward or self.model)(inputs)
            loss = functional.cross_entropy(outputs.float(), targets) + self.pruner.penalty()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.pruner.step()


def prepared(method: str, scheme: Any = PATTERN) -> Training:
    model, pruner = network(), METHODS[method]()
    pruner.prepare(model, scheme)
    return Training(model, pruner)


def effective(model: nn.Module) -> dict[str, Any]:
    """The weights that the layers compute with."""
    return {
        name: layer.weight.detach().numpy().copy()
        for name, layer in model.named_modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear))
    }


# Laws


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
    whole = prepared(method, scheme)
    whole.run(stop)
    whole.optimizer = torch.optim.SGD(whole.model.parameters(), 0.01)
    file = io.BytesIO()
    torch.save({"model": whole.model.state_dict(), "pruner": whole.pruner.state_dict()}, file)
    whole.run(24 - stop)

    file.seek(0)
    state = torch.load(file, weights_only=True)
    resumed = prepared(method, scheme)
    resumed.model.load_state_dict(state["model"])
    resumed.pruner.load_state_dict(state["pruner"])
    resumed.optimizer = torch.optim.SGD(resumed.model.parameters(), 0.01)
    resumed.run(24 - stop)
    assert resumed.pruner.history == whole.pruner.history
    assert resumed.pruner.squash_mask() == whole.pruner.squash_mask()
    expected = whole.model.state_dict()
    for name, value in resumed.model.state_dict().items():
        assert torch.equal(value, expected[name])


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


# fit


def accuracy(model: nn.Module) -> float:
    assert not model.training
    hits = [(model(inputs).argmax(1) == targets).float().mean() for inputs, targets in DATA]
    return float(torch.stack(hits).mean())


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


# Refusals


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


def test_a_config_of_another_model_is_refused() -> None:
    training = prepared("gradual")
    other = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 16, 3))
    with pytest.raises(ConfigError, match="made for another network"):
        prune.MagnitudePruner().prepare(other, training.pruner.config)


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(SchemeError, match="no layer is left to prune"):
        prune.fit(nn.ReLU(), PATTERN, DATA)


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
