# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Filters and channels ranked by the geometric median and by gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pconv_mlir import prune
from pconv_mlir.errors import OptionError, PruneError, SchemeError
from pconv_mlir.prune.importance import geometric_median

SCHEMES = ["filter@2", "channel@2"]


@pytest.mark.parametrize("text", SCHEMES)
@pytest.mark.parametrize("shape", [(7, 5, 3, 3), (6, 9)])
def test_the_median_is_about_distances(text: str, shape: tuple[int, ...]) -> None:
    scheme: Any = prune.parse_scheme(text)
    weight = np.random.default_rng(0).standard_normal(shape)
    rows = weight if text.startswith("filter") else np.moveaxis(weight, 1, 0)
    expected = [sum(np.linalg.norm(row - other) for other in rows) for row in rows]
    np.testing.assert_allclose(geometric_median(weight, scheme), expected)


def test_the_median_takes_what_the_others_replace() -> None:
    generator = np.random.default_rng(0)
    twin = generator.standard_normal((1, 3, 3, 3)) * 2
    weight = np.concatenate([twin, twin * 1.01, twin * 0.99, twin * 1.02, -twin * 0.3])
    gone = {}
    for importance in ("l2", "geometric-median"):
        weights = {"conv": weight}
        prune.magnitude(weights, "filter@1.25", leave_alone=(), importance=importance)  # type: ignore[arg-type]
        gone[importance] = np.flatnonzero(~weights["conv"].any(axis=(1, 2, 3))).tolist()
    assert gone == {"l2": [4], "geometric-median": [0]}


@pytest.mark.parametrize("text", SCHEMES)
def test_what_is_gone_stays_gone(text: str) -> None:
    weights = {"conv": np.random.default_rng(3).standard_normal((8, 6, 3, 3)) + 2}
    options: Any = {"leave_alone": (), "importance": "geometric-median"}
    prune.magnitude(weights, text, **options)
    once = weights["conv"]
    assert prune.parse_scheme(text).check(once)
    assert prune.magnitude(weights, text, **options).layers[0].kept_norm == 1
    assert np.array_equal(weights["conv"], once)


# Pruners

torch = pytest.importorskip("torch", reason="gradients come from torch")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.Conv2d(4, 6, 3, bias=False), nn.ReLU(), nn.Conv2d(6, 3, 2)
    )


INPUTS = torch.randn(5, 8, 2, 6, 6, generator=torch.Generator().manual_seed(1))
TARGETS = torch.randint(3, (5, 8, 1, 1), generator=torch.Generator().manual_seed(2))


def run(model: nn.Module, pruner: prune.Pruner, steps: int, first: int = 0) -> None:
    optimizer = torch.optim.SGD(model.parameters(), 0.02)
    for step in range(first, first + steps):
        optimizer.zero_grad()
        functional.cross_entropy(model(INPUTS[step % 5]), TARGETS[step % 5]).backward()
        optimizer.step()
        pruner.step()


def test_taylor_scores_are_the_slopes_of_the_loss() -> None:
    model, pruner = network().double(), prune.MagnitudePruner(5, importance="taylor")
    pruner.prepare(model, prune.PruneConfig("filter@2", layers={"3": "dense"}))
    slopes = []
    for inputs, targets in zip(INPUTS.double(), TARGETS, strict=True):
        gate = torch.ones(6, 1, 1, dtype=torch.float64, requires_grad=True)
        outputs = model[3](model[2](gate * model[1](model[0](inputs))))
        functional.cross_entropy(outputs, targets).backward()
        slopes.append(gate.grad.flatten())
        pruner.step()
        model.zero_grad()
    expected = torch.stack(slopes).square().sum(0).numpy()
    kept = model[1].weight.detach().numpy().any(axis=(1, 2, 3))
    assert np.array_equal(np.sort(np.argsort(-expected)[:3]), np.flatnonzero(kept))
    tensors = pruner.state_dict()["tensors"]["taylor"]
    np.testing.assert_allclose(tensors["1"].numpy(), expected)


@pytest.mark.parametrize("make", [prune.MagnitudePruner, prune.GradualPruner])
def test_taylor_removes_what_nobody_reads(make: Callable[..., prune.Pruner]) -> None:
    model = network()
    with torch.no_grad():
        model[1].weight[[1, 4]] *= 100
        model[3].weight[:, [1, 4]] = 0
    model[3].weight.requires_grad_(False)
    pruner = make(10, importance="taylor")
    pruner.prepare(model, prune.PruneConfig("filter@1.5", layers={"3": "dense"}))
    run(model, pruner, 10)
    assert pruner.frozen
    pruner.squash_mask()
    gone = ~model[1].weight.detach().numpy().any(axis=(1, 2, 3))
    assert np.flatnonzero(gone).tolist() == [1, 4]


@pytest.mark.parametrize("importance", ["geometric-median", "taylor"])
@pytest.mark.parametrize("text", SCHEMES)
@pytest.mark.parametrize("stop", [4, 11])
def test_an_interrupted_run_ends_the_same(importance: Any, text: str, stop: int) -> None:
    def prepared() -> tuple[nn.Module, prune.Pruner]:
        model, pruner = network(), prune.GradualPruner(9, every=3, importance=importance)
        pruner.prepare(model, text)
        return model, pruner

    whole, pruner = prepared()
    run(whole, pruner, stop)
    states = [{k: v.clone() for k, v in whole.state_dict().items()}, pruner.state_dict()]
    resumed, other = prepared()
    resumed.load_state_dict(states[0])
    other.load_state_dict(states[1])
    run(whole, pruner, 14 - stop, stop)
    run(resumed, other, 14 - stop, stop)
    report = pruner.squash_mask()
    assert other.squash_mask() == report
    assert prune.parse_scheme(text).check(whole[1].weight.detach().numpy())
    assert not prune.parse_scheme(text).check(network()[1].weight.detach().numpy())
    for name, value in whole.state_dict().items():
        assert torch.equal(resumed.state_dict()[name], value)


def test_fit_takes_a_pruner_that_ranks() -> None:
    model = network()
    data = [(inputs, targets) for inputs, targets in zip(INPUTS, TARGETS, strict=True)]
    pruner = prune.MagnitudePruner(7, importance="taylor")
    report = prune.fit(model, "filter@2", data, method=pruner, epochs=3, retrain_epochs=1)
    assert len(report.losses) == 3  # two until the masks are frozen
    assert report.layers.layers[1].empty_filters == 3


# Refusals


def test_gradients_have_to_be_there() -> None:
    model, pruner = network(), prune.GradualPruner(4, importance="taylor")
    pruner.prepare(model, "filter@2")
    with pytest.raises(PruneError, match=r"no gradient of '1' .* before zero_grad\(\)"):
        pruner.step()


@pytest.mark.parametrize("importance", ["geometric-median", "taylor"])
def test_other_schemes_are_refused(importance: Any) -> None:
    message = f"layer '1': {importance} importance ranks filters and input channels, unstructured@2"
    with pytest.raises(SchemeError, match=message):
        prune.GradualPruner(4, importance=importance).prepare(network(), "unstructured@2")
    if importance != "taylor":
        with pytest.raises(SchemeError, match=message):
            prune.magnitude(network(), "unstructured@2", importance=importance)


@pytest.mark.parametrize(
    "make",
    [
        lambda: prune.GradualPruner(4, importance="l1"),  # type: ignore[arg-type]
        lambda: prune.MagnitudePruner(importance="taylor"),
        lambda: prune.magnitude({}, "filter@2", importance="taylor"),
        lambda: prune.magnitude({}, "filter@2", importance="fpgm"),  # type: ignore[arg-type]
    ],
)
def test_importances_that_do_not_exist_or_fit(make: Callable[[], Any]) -> None:
    with pytest.raises(OptionError, match="expected|needs gradients"):
        make()
