# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The sensitivity sweep: right scores, and a model that is what it was."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pconv_mlir import prune
from pconv_mlir.errors import ArtefactError, ConfigError, OptionError, SchemeError, WeightsError

torch = pytest.importorskip("torch", reason="sweeps over torch modules")
from torch import nn  # noqa: E402


def network() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 12, 3), nn.Conv2d(12, 4, 3)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(16, 3))


INPUTS = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def state(model: nn.Module) -> list[Any]:
    tensors = [tensor.clone() for tensor in model.state_dict().values()]
    return [*tensors, [module.training for module in model.modules()]]


def same(first: list[Any], second: list[Any]) -> bool:
    return first[-1] == second[-1] and all(map(torch.equal, first[:-1], second[:-1]))


def test_each_layer_is_pruned_alone() -> None:
    model = network().train()
    model[1].eval()
    before, weights = state(model), [model[2].weight, model[3].weight]
    seen: list[tuple[str, int, int]] = []

    def kept_norms(model: nn.Module) -> float:
        assert not any(module.training for module in model.modules())
        assert not torch.is_grad_enabled()
        return float(model[2].weight.norm() + 100 * model[3].weight.norm())

    found = prune.sensitivity(
        model, kept_norms, rates=[4, 2], progress=lambda *args: seen.append(args)
    )
    assert same(state(model), before)
    assert model[2].weight is weights[0]
    assert found.rates == (2, 4)
    assert list(found.scores) == ["2", "3"]
    arrays = {str(2 + i): weight.detach().numpy() for i, weight in enumerate(weights)}
    norms = {name: float(np.linalg.norm(array)) for name, array in arrays.items()}
    assert found.dense == pytest.approx(norms["2"] + 100 * norms["3"])
    for name, scores in found.scores.items():
        for rate, score in zip(found.rates, scores, strict=True):
            mask = prune.project(arrays[name], prune.Unstructured(rate))
            kept = norms | {name: float(np.linalg.norm(arrays[name] * mask))}
            assert score == pytest.approx(kept["2"] + 100 * kept["3"])
    assert seen[0] == ("dense", 0, 5)
    assert seen[1] == ("2 at 2x", 1, 5)
    assert seen[-1] == ("done", 5, 5)


@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_shows_the_progress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    for progress in (True, False):
        prune.sensitivity(network(), lambda model: 0.0, rates=[2], progress=progress)
        assert ("done" in capsys.readouterr().err) == (terminal and progress)


def test_statistics_that_evaluation_changes_are_put_back() -> None:
    model = network()
    before = state(model)

    def careless(model: nn.Module) -> float:
        return float(model.train()(INPUTS).sum())

    prune.sensitivity(model, careless, "pattern:8+connectivity:{}", rates=[2], layers=["2"])
    assert same(state(model), before)


def test_a_failing_evaluation_leaves_no_trace() -> None:
    model = network()
    before, calls = state(model), []

    def fails_later(model: nn.Module) -> float:
        calls.append(model)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return 0.0

    with pytest.raises(KeyboardInterrupt):
        prune.sensitivity(model, fails_later)
    assert same(state(model), before)
    assert torch.is_grad_enabled()


def test_rates_that_leave_nothing_are_gaps(tmp_path: Path) -> None:
    found = prune.sensitivity(
        network(),
        lambda model: float(model(INPUTS).std()),
        "filter@{}",
        rates=[1, 2, 8, 100],
        layers=["2", "3"],
    )
    assert [math.isnan(score) for score in found.scores["3"]] == [False, False, True, True]
    assert [math.isnan(score) for score in found.scores["2"]] == [False, False, False, True]
    assert found.scores["2"][0] == found.dense != found.scores["2"][1]
    lines = str(found).splitlines()
    assert lines[0].split() == ["layer", "1x", "2x", "8x", "100x"]
    assert lines[2].split()[3:] == ["-", "-"]
    assert lines[3] == f"dense: {found.dense:.4g}"
    pytest.importorskip("matplotlib", reason="curves need matplotlib")
    found.draw(tmp_path / "curves.png")
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ArtefactError, match="cannot write"):
        found.draw(tmp_path / "no" / "curves.png")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"scheme": "unstructured@4"}, OptionError, r"a scheme like unstructured@{}, got 'unst"),
        ({"scheme": prune.Unstructured(2)}, OptionError, r"a scheme like unstructured@{}"),
        ({"rates": []}, OptionError, "expected rates"),
        ({"rates": [0.5]}, SchemeError, "rate of at least 1, got 0.5"),
        ({"scheme": "{}"}, SchemeError, "unknown scheme '1.5'"),
        ({"layers": ["22"]}, ConfigError, "no layer is called '22': did you mean 2"),
        ({"scheme": "pattern:8+connectivity:{}", "layers": ["5"]}, SchemeError, "layer '5': exp"),
        ({"scheme": "filter@{}", "rates": [9]}, SchemeError, "layer '3': rate 9 would leave none"),
    ],
)
def test_bad_arguments(options: Any, error: type[Exception], message: str) -> None:
    model = network()
    before = state(model)
    with pytest.raises(error, match=message):
        prune.sensitivity(model, lambda model: 0.0, **options)
    assert same(state(model), before)


def test_bad_models_and_scores() -> None:
    with pytest.raises(OptionError, match="expected evaluate to give a number, got NoneType"):
        prune.sensitivity(network(), lambda model: None)  # type: ignore[arg-type,return-value]
    model = network()
    prune.MagnitudePruner().prepare(model, "pattern:8")
    with pytest.raises(SchemeError, match="being pruned already"):
        prune.sensitivity(model, lambda model: 0.0)
    model = network()
    nn.init.zeros_(model[3].weight)
    with pytest.raises(WeightsError, match="layer '3': every weight is zero"):
        prune.sensitivity(model, lambda model: 0.0)
