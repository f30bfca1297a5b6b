# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""what-if: predicted and measured rows, on a machine whose times are known; the picture."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch_mlir", reason="models are imported through torch-mlir")

import onnx
from onnx_nets import network, node, normal

from pconv_mlir import compiler, import_model, performance, prune
from pconv_mlir.errors import (
    ArtefactError,
    ConfigError,
    DependencyError,
    OptionError,
    SchemeError,
)
from pconv_mlir.module import Module
from pconv_mlir.performance import Calibration, calibration, layer_models, what_if
from pconv_mlir.report import roofline

PATTERN = "pattern:8+connectivity:2"


def model() -> onnx.ModelProto:
    nodes = [
        node("Conv", "x first.weight", "a", name="first", pads=[1, 1, 1, 1]),
        node("Conv", "a second.weight", "b", name="second", pads=[1, 1, 1, 1]),
        node("Conv", "b third.weight", "c", name="third"),
        node("Flatten", "c", "d", name="flatten"),
        node("Gemm", "d linear.weight", "y", name="linear", transB=1),
    ]
    shapes = {
        "first.weight": (8, 3, 3, 3),
        "second.weight": (12, 8, 3, 3),
        "third.weight": (4, 12, 1, 1),
        "linear.weight": (5, 4 * 9 * 7),
    }
    weights = {name: normal(*shape) for name, shape in shapes.items()}
    return network(nodes, (1, 3, 9, 7), weights=weights)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Calibration:
    return machine_of(monkeypatch, 30e9)


def machine_of(monkeypatch: pytest.MonkeyPatch, sparse: float) -> Calibration:
    """One that does 50 GFLOP/s dense, `sparse` otherwise, and moves 100 bytes in a nanosecond."""

    def timer(module: Module, threads: int) -> calibration.Timed:
        layer = next(la for la in compiler.describe(module) if la.kind != "relayout")
        if not layer.macs:
            return calibration.Timed(float(8 * np.prod(layer.input) / 100e9), layer)
        rate = sparse if calibration.runs_sparse(layer) else 50e9
        return calibration.Timed(2 * layer.kept_macs / rate, layer)

    monkeypatch.setattr(calibration, "fma_peak", lambda threads: 100.0)
    monkeypatch.setattr(calibration, "WORKING_SETS", (1 << 15, 1 << 16))
    return Calibration(cache=None, timer=timer)


def by_name(result: performance.WhatIf) -> dict[str, performance.Row]:
    return {row.name: row for row in result.rows if row.model}


def test_the_rows(machine: Calibration) -> None:
    result = what_if(model(), scheme=PATTERN, calibration=machine)
    rows = by_name(result)
    assert list(rows) == ["first", "second", "third", "linear"]
    second = rows["second"]
    dense = 2 * 12 * 8 * 9 * 63
    assert second.sparse and second.scheme == PATTERN
    assert second.kept == pytest.approx(4 / 18)
    assert second.dense_ms == pytest.approx(dense / 50e9 * 1e3)
    assert second.predicted_ms == pytest.approx(dense * 4 / 18 / 30e9 * 1e3)
    assert second.measured_ms is result.measured_ms is None
    for name, note in (("first", "first convolution"), ("third", "1x1"), ("linear", "linear")):
        assert not rows[name].sparse and note in rows[name].note
        assert rows[name].predicted_ms == rows[name].dense_ms
    assert result.predicted_ms == pytest.approx(sum(row.predicted_ms for row in result.rows))
    moved = [row for row in result.rows if row.kind == "relayout"]
    assert moved and all(row.predicted_ms > 0 for row in moved)


def test_the_record_of_a_row(machine: Calibration) -> None:
    record = by_name(what_if(model(), scheme=PATTERN, calibration=machine))["second"].record()
    assert {"name", "predicted_ms", "measured_ms"} <= set(record)
    assert record["speedup"] == pytest.approx(30 / 50 * 18 / 4)
    assert record["x_hi"] == pytest.approx(30 / 50)
    assert 0 < record["x_lo"] < record["x_hi"]


def test_a_scheme_that_runs_dense_is_said_to(machine: Calibration) -> None:
    result = what_if(model(), scheme="unstructured@4", calibration=machine)
    second = by_name(result)["second"]
    assert not second.sparse and second.kept == pytest.approx(1 / 4)
    assert second.predicted_ms == second.dense_ms
    assert second.note.startswith("runs dense: unstructured: 75.0% of the weights are zero")
    assert result.predicted_ms == result.dense_ms


@pytest.mark.parametrize(
    ("sparse", "note"),
    [
        (30e9, ""),
        (10e9, "slower than dense: keep less than 20.0%"),
        (90e9, "little to gain: below .*% most of its time is not multiplication"),
    ],
)
def test_bounds_are_said(monkeypatch: pytest.MonkeyPatch, sparse: float, note: str) -> None:
    machine = machine_of(monkeypatch, sparse)
    if sparse == 90e9:
        monkeypatch.setattr(Calibration, "bandwidth", lambda self, size: 15e9)
    rows = by_name(what_if(model(), scheme=PATTERN, calibration=machine))
    assert re.fullmatch(note, rows["second"].note)


def test_a_network_that_is_pruned_already(machine: Calibration) -> None:
    module = import_model(model())
    weights = {"first": module.weights["first.weight"], "second": module.weights["second.weight"]}
    prune.magnitude(weights, PATTERN)
    module.weights["second.weight"] = weights["second"]
    from pconv_mlir.importer.sparsity import refresh

    rows = by_name(what_if(refresh(module), scheme="dense", calibration=machine))
    assert rows["second"].sparse and rows["second"].predicted_ms < rows["second"].dense_ms


def test_pruned_1x1_kernels_are_predicted_as_dense(machine: Calibration) -> None:
    module = import_model(model())
    third_weight = module.weights["third.weight"].copy()
    third_weight[:, 1:] = 0
    module.weights["third.weight"] = third_weight
    from pconv_mlir.importer.sparsity import refresh

    third = by_name(what_if(refresh(module), scheme=PATTERN, calibration=machine))["third"]
    assert third.sparse and third.kept == 1 / 12 and "predicted as dense" in third.note
    assert third.predicted_ms == third.dense_ms


def test_the_model_is_left_as_it_is(machine: Calibration) -> None:
    module = import_model(model())
    before = {name: weight.copy() for name, weight in module.weights.items()}
    what_if(module, scheme=PATTERN, calibration=machine)
    assert all(np.array_equal(before[name], module.weights[name]) for name in before)


def test_measured(machine: Calibration) -> None:
    result = what_if(model(), scheme=PATTERN, calibration=machine, measure=True, runs=2)
    assert result.measured_ms is not None and result.measured_ms > 0
    assert all(row.measured_ms and row.fastest_ms for row in result.rows if row.model)
    assert all(row.fastest_ms <= row.measured_ms for row in result.rows if row.model)


def test_layer_models_of_a_torch_module(machine: Calibration) -> None:
    torch = pytest.importorskip("torch")
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 12, 3, bias=False)
    )
    models = layer_models(net, (torch.zeros(2, 3, 9, 7),), scheme=PATTERN, calibration=machine)
    assert list(models) == ["2"]
    assert models["2"].flops == 2 * 2 * 12 * 8 * 9 * 5 * 3
    assert models["2"].alpha == pytest.approx(100 / 30)
    assert net.training


@pytest.mark.parametrize(
    ("scheme", "error", "message"),
    [
        ("patern:8", SchemeError, "unknown scheme 'patern:8'"),
        ("pattern:8+connectivity:9", SchemeError, "layer 'second': rate 9 would leave none of 8"),
        ({"layers": {"secnd": "dense"}}, ConfigError, "'secnd': did you mean second"),
    ],
)
def test_bad_schemes(
    machine: Calibration, scheme: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        what_if(model(), scheme=scheme, calibration=machine)


def test_bad_threads() -> None:
    with pytest.raises(OptionError, match="number of threads"):
        what_if(model(), scheme=PATTERN, threads=0)


# --- The picture --------------------------------------------------------------


def test_a_png_is_written(machine: Calibration, tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    result = what_if(model(), scheme=PATTERN, calibration=machine)
    path = tmp_path / "roofline.png"
    roofline.draw(str(path), "net", result)
    assert matplotlib.image.imread(path)[..., :3].std() > 0.05
    assert roofline.distinct(result)[0].name == "second"
    with pytest.raises(ArtefactError, match="cannot write"):
        roofline.draw(str(tmp_path / "no" / "p.png"), "net", result)


def test_no_picture_without_layers_or_matplotlib(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    row = performance.Row("r", "relu", "", None, False, 1, 1, None, None, "", None)
    with pytest.raises(OptionError, match="no layer has weights"):
        roofline.draw(str(tmp_path / "p.png"), "net", performance.WhatIf((row,), None))
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(DependencyError, match=r"pip install 'pconv-mlir\[plot\]'"):
        roofline.draw(str(tmp_path / "p.png"), "net", performance.WhatIf((row,), None))
