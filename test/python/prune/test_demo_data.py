# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The shipped demo: the files are what `metrics.json` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pconv_mlir import prune

DATA = Path(__file__).parents[3] / "examples" / "fashion_mnist" / "data"
METRICS = json.loads((DATA / "metrics.json").read_text())
NAMES = ("dense", "pruned")


def weights(name: str) -> dict[str, NDArray[Any]]:
    onnx: Any = pytest.importorskip("onnx", reason="reading the shipped networks needs onnx")
    graph = onnx.load(DATA / f"fashion_{name}.onnx").graph
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}


def test_the_demo_is_small() -> None:
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 6e6


def test_accuracies_meet_the_promise() -> None:
    dense, pruned = (METRICS[name]["test_accuracy_10000"] for name in NAMES)
    assert dense >= 92.5
    assert pruned >= dense - 0.5


@pytest.mark.parametrize("name", NAMES)
def test_zeros_are_as_reported(name: str) -> None:
    found = weights(name)
    for layer, row in METRICS[name]["layers"].items():
        weight = found[f"{layer}.weight"]
        assert list(weight.shape) == row["shape"]
        assert np.mean(weight == 0) == pytest.approx(row["zeros"], abs=1e-4)
        assert np.count_nonzero(weight.any(axis=(2, 3))) == row["kernels_kept"]


def test_the_pruned_network_wears_eight_patterns() -> None:
    found = weights("pruned")
    first, *others = METRICS["pruned"]["layers"]
    assert isinstance(prune.find_library(found[f"{first}.weight"]), prune.NotCompact)
    for layer in others:
        structure = prune.find_library(found[f"{layer}.weight"])
        assert isinstance(structure, prune.FoundLibrary)
        assert set(structure.library.patterns) == set(prune.PRESETS["balanced8"].patterns)
        kept = np.count_nonzero(structure.kernels, axis=1)
        assert np.all(kept == kept[0])
        assert structure.kernels.size / kept.sum() == pytest.approx(3.6, rel=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_the_networks_classify_the_shipped_images(name: str) -> None:
    ort: Any = pytest.importorskip("onnxruntime", reason="running the networks needs onnxruntime")
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(DATA / f"fashion_{name}.onnx", options)
    with np.load(DATA / "test_images.npz") as shipped:
        images, labels = shipped["images"], shipped["labels"]
    assert images.shape == (1000, 28, 28)
    inputs = images[:, None, None].astype(np.float32) / 255
    classes = [int(session.run(None, {"image": x})[0].argmax()) for x in inputs]
    right = 100 * np.mean(np.array(classes) == labels)
    # One image of slack: engines round differently where two scores all but tie.
    assert right == pytest.approx(METRICS[name]["test_accuracy_shipped_1000"], abs=0.11)
