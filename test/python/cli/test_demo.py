# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The demo, on small networks of the same form as the ones that it ships with."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnx", reason="models are read as ONNX")
pytest.importorskip("torch_mlir", reason="models are imported through torch-mlir")

import onnx

from pconv_mlir import cli, models, prune
from pconv_mlir.cli import demo
from pconv_mlir.models.builder import NetworkBuilder

IMAGES = 20


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A network that tells bright images from dark ones, and images of both."""
    folder = tmp_path / "data"
    folder.mkdir()
    net = NetworkBuilder((1, 1, 28, 28), seed=0)
    x = net.relu(net.conv(net.input, "first", 8, 3), "first_relu")
    x = net.relu(net.conv(x, "second", 8, 3), "second_relu")
    x = net.flatten(net.global_avg_pool(x, "mean"))
    model = net.model(net.linear(x, "classify", 2), "net")
    weights = {name: np.abs(value) for name, value in models.weights(model).items()}
    weights["classify.weight"] *= np.array([[-1], [1]], np.float32)
    for name in ("dense", "pruned"):
        models.replace_weights(model, weights)
        onnx.save(model, folder / f"fashion_{name}.onnx")
        if name == "dense":
            prune.magnitude(weights, "pattern:8+connectivity:2")
    labels = np.arange(IMAGES) % 2
    images = np.zeros((IMAGES, 28, 28), np.uint8) + (labels * 255).astype(np.uint8)[:, None, None]
    labels[0] = 1  # one wrong label: 95 % right
    np.savez(folder / "test_images.npz", images=images, labels=labels.astype(np.uint8))
    monkeypatch.setattr(demo, "BIG", "resnet20-cifar")
    return folder


def test_the_demo(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    picture, record = tmp_path / "demo.png", tmp_path / "demo.json"
    arguments = ["demo", "--data", data, "--picture", picture, "--json", record]
    assert cli.main([str(argument) for argument in arguments]) == 0
    text = capsys.readouterr().out
    assert text.count("95.0% right") == 2
    for word in ("second_relu" if "second_relu" in text else "second", "pconv-dense", "resnet20"):
        assert word in text
    assert "note: onnxruntime cannot be imported" in text
    assert picture.read_bytes()[:4] == b"\x89PNG"
    found = json.loads(record.read_text())
    assert found["accuracy"] == {"dense": 0.95, "pruned": 0.95}
    assert [part["rows"][0]["model"] for part in found["comparisons"]] == [
        "fashion_pruned",
        "resnet20-cifar",
    ]


def test_without_matplotlib(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.chdir(tmp_path)
    assert cli.main(["demo", "--data", str(data)]) == 0
    text = capsys.readouterr().out
    assert "no picture: pictures need matplotlib: pip install 'pconv-mlir[plot]'" in text
    assert not (tmp_path / "pconv-demo.png").exists()
