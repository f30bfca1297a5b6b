# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""`pconv prune`: what it writes, with and without training, and how it refuses bad input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="models are read as ONNX")
pytest.importorskip("torch_mlir", reason="models are imported through torch-mlir")

import datasets
from test_cli import fails, ok

from pconv_mlir import models, prune
from pconv_mlir.prune import files
from pconv_mlir.prune.tensor_file import write_tensors

NET, SCHEME = "vgg-fashion", "pattern:8+connectivity:2"


@pytest.fixture
def dense(tmp_path: Path) -> Path:
    path = tmp_path / "dense.onnx"
    files.write_model(path, models.build(NET, seed=4))
    return path


@pytest.fixture(scope="module")
def fashion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("data")
    datasets.write_fashion_mnist(path)
    return path


def kept(weights: dict[str, Any]) -> dict[str, float]:
    """Share of non-zeros of every convolution."""
    return {name: float((w != 0).mean()) for name, w in weights.items() if w.ndim == 4}


# --- At once ------------------------------------------------------------------


@pytest.mark.parametrize("suffix", files.SUFFIXES)
def test_a_file_is_pruned_at_once(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, dense: Path, suffix: str
) -> None:
    output, report = tmp_path / f"pruned{suffix}", tmp_path / "report.json"
    text = ok(capsys, "prune", dense, "--scheme", SCHEME, "-o", output, "--json", report)
    assert "conv2_1  64x32x3x3    77.8%" in text and text.endswith(f"wrote {output}\n")
    found, before = prune.read_weights(output), prune.read_weights(dense)
    shares = kept(found)
    assert shares.pop("conv1_1.weight") == 1
    assert set(shares.values()) == {2 / 9}
    for name, values in found.items():  # what is left is as it was
        np.testing.assert_array_equal(values[values != 0], before[name][values != 0])
    record = json.loads(report.read_text())
    assert record["config"] == {"scheme": SCHEME} and record["method"] == "magnitude"
    again: dict[str, Any] = {}
    saved = prune.load(again, output)
    assert saved.config.scheme == prune.parse_scheme(SCHEME)
    assert [layer.zeros for layer in saved.layers] == [row["zeros"] for row in record["layers"]]
    np.testing.assert_array_equal(again["conv2_1.weight"], found["conv2_1.weight"])
    assert record["scores"] == {} and record["layers"][1]["zeros"] == pytest.approx(7 / 9)


def test_weights_without_a_network(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    weights = {"a.weight": np.ones((8, 4, 3, 3), np.float32), "b": np.ones(3, np.float32)}
    weights["c.weight"] = weights["a.weight"]
    write_tensors(tmp_path / "in.safetensors", weights, {})
    ok(
        capsys, "prune", tmp_path / "in.safetensors", "--scheme", "pattern:4",
        "-o", tmp_path / "out.safetensors",
    )  # fmt: skip
    found = prune.read_weights(tmp_path / "out.safetensors")
    assert kept(found) == {"a.weight": 1.0, "c.weight": 4 / 9}
    again: dict[str, Any] = {}
    assert prune.load(again, tmp_path / "out.safetensors").layers[1].scheme == "pattern:4"


def test_a_built_in_network_with_weights_and_a_config(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, dense: Path
) -> None:
    pytest.importorskip("yaml", reason="configs as text need PyYAML")
    config = tmp_path / "config.yaml"
    config.write_text("scheme: dense\nlayers: {conv3_2: unstructured@4}\n")
    output = tmp_path / "pruned.onnx"
    ok(capsys, "prune", NET, "--weights", dense, "--config", config, "-o", output)
    found, before = prune.read_weights(output), prune.read_weights(dense)
    assert {name for name, share in kept(found).items() if share < 1} == {"conv3_2.weight"}
    np.testing.assert_array_equal(found["conv1_1.weight"], before["conv1_1.weight"])


# --- While it trains ----------------------------------------------------------


def test_training(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, dense: Path, fashion: Path
) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    output, report, log = (tmp_path / name for name in ("net.onnx", "report.json", "log.jsonl"))
    arguments = [
        "prune", NET, "--weights", dense, "--scheme", SCHEME, "--data", fashion, "-o", output,
        "--method", "admm", "--epochs", 2, "--retrain-epochs", 1, "--batch", 4, "--seed", 3,
        "--json", report, "--log", log, "--checkpoint", tmp_path / "state.pt", "--threads", 1,
        "--recalibrate",
    ]  # fmt: skip
    text = ok(capsys, *arguments)
    record = json.loads(report.read_text())
    assert f"accuracy at the end: {record['scores']['after']:.2f} %" in text
    assert list(record["scores"]) == ["before", "hard", "after"]
    assert (record["method"], record["seed"]) == ("admm", 3)
    start, *epochs, _ = map(json.loads, log.read_text().splitlines())
    assert start["recalibrate"]
    assert (start["epochs"], start["retrain_epochs"], start["batch"]) == (2, 1, 4)
    assert [epoch["part"] for epoch in epochs] == ["prune", "prune", "retrain"]
    assert not (tmp_path / "state.pt").exists()  # nothing is left to go on with
    weights = prune.read_weights(output)
    net = prune.recipes.find(NET).build()
    assert prune.load(net, output).layers[1].scheme == SCHEME
    np.testing.assert_array_equal(net.conv3_1.weight.detach(), weights["conv3_1.weight"])
    assert kept(weights)["conv3_1.weight"] == pytest.approx(2 / 9)
    assert (weights["conv3_1.weight"] != prune.read_weights(dense)["conv3_1.weight"]).any()
    assert isinstance(prune.find_library(weights["conv3_1.weight"]), prune.FoundLibrary)


def test_training_a_dense_network_from_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, fashion: Path
) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    output = tmp_path / "net.safetensors"
    text = ok(
        capsys, "prune", NET, "--scheme", "dense", "--data", fashion, "-o", output, "--epochs", 1,
        "--limit", 16, "--threads", 1,
    )  # fmt: skip
    assert "accuracy before pruning" in text and "hard" not in text
    assert set(kept(prune.read_weights(output)).values()) == {1.0}


# --- Bad input ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["NET"], "one of the arguments --scheme --config is required"),
        (["NET", "--scheme", "pattern:9"], "expected 4, 8 or 12 patterns"),
        (["NET", "--scheme", SCHEME, "--config", "x"], "not allowed with argument"),
        (["NET", "--config", "missing.yaml"], "cannot read missing.yaml"),
        (["missing.onnx", "--scheme", SCHEME], "there is no file missing.onnx"),
        (["missing.safetensors", "--scheme", SCHEME], "write .safetensors"),
        (["NET", "--scheme", SCHEME, "-o", "net.pt"], "ends with .onnx or .safetensors"),
        (["NET", "--scheme", SCHEME, "-o", "no/folder.onnx"], "cannot write no/folder.onnx"),
        (["NET", "--scheme", SCHEME, "--weights", "w.bin"], "ends with .onnx or .safetensors"),
        (["DENSE", "--scheme", SCHEME, "--weights", "DENSE"], "a file has its own"),
        (["NET", "--scheme", SCHEME, "--epochs", "3"], "--epochs is for training"),
        (["NET", "--scheme", SCHEME, "--lr", "0"], "--lr is for training"),
        (["NET", "--scheme", SCHEME, "--method", "admm"], "--method is for training"),
        (["NET", "--scheme", SCHEME, "--threads", "1"], "--threads is for training"),
        (["NET", "--scheme", SCHEME, "--log", "x"], "--log is for training"),
        (["NET", "--scheme", SCHEME, "--device", "cuda"], "--device is for training"),
        (["NET", "--scheme", SCHEME, "--compile"], "--compile is for training"),
        (["NET", "--scheme", "pattern:8+connectivity:1e9"], "layer 'conv"),
    ],
)
def test_bad_input(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dense: Path,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [{"NET": NET, "DENSE": str(dense)}.get(word, word) for word in arguments]
    output = [] if "-o" in words else ["-o", "net.onnx"]
    assert message in fails(capsys, "prune", *words, *output)
    assert [file.name for file in tmp_path.iterdir()] == ["dense.onnx"]  # nothing half-written


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["NET", "--scheme", SCHEME], "give its --weights"),
        (["resnet18", "--scheme", SCHEME, "--weights", "DENSE"], "no recipe for 'resnet18'"),
        (["resnet20-cifar", "--scheme", SCHEME, "--weights", "DENSE"], "another network"),
        (["vgg16-cifar", "--scheme", "dense"], "there is no cifar10-train.npz"),
        (["NET", "--scheme", SCHEME, "--weights", "DENSE", "--epochs", "0"], "epochs >= 1"),
        (["NET", "--scheme", SCHEME, "--weights", "DENSE", "--batch", "0"], "batch size from 1"),
        (["NET", "--scheme", SCHEME, "--weights", "DENSE", "--lr", "-1"], "lr > 0"),
        (["NET", "--scheme", SCHEME, "--weights", "DENSE", "--limit", "0"], "at least 1 image"),
        (["NET", "--scheme", SCHEME, "--weights", "DENSE", "--log", "no/log"], "cannot write no"),
        (["NET", "--scheme", SCHEME, "--weights", "DENSE", "--lr", "1e30"], "NaN or infinite"),
        (["NET", "--scheme", "dense", "--threads", "0"], "threads from 1 to"),
        (["NET", "--scheme", SCHEME, "--weights", "DENSE", "--device", "x"], "train on device 'x'"),
    ],
)
def test_bad_input_of_training(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dense: Path,
    fashion: Path,
    arguments: list[str],
    message: str,
) -> None:
    pytest.importorskip("torch", reason="training needs torch")
    monkeypatch.chdir(tmp_path)
    words = [{"NET": NET, "DENSE": str(dense)}.get(word, word) for word in arguments]
    assert message in fails(
        capsys, "prune", "--threads", 1, *words, "-o", "n.onnx", "--data", fashion
    )
    assert [file.name for file in tmp_path.iterdir()] == ["dense.onnx"]


def test_training_without_torch(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    line = fails(
        capsys, "prune", NET, "--scheme", "dense", "--data", tmp_path, "-o", tmp_path / "net.onnx"
    )
    assert "training needs torch: pip install 'pconv-mlir[train]'" in line
