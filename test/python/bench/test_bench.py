# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Comparisons with other engines, on a small network."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx: Any = pytest.importorskip("onnx", reason="models are read as ONNX")
pytest.importorskip("torch_mlir", reason="ONNX files are imported through torch-mlir")

from pconv_mlir import compiler, reference, sources  # noqa: E402
from pconv_mlir.bench import compare, engines, memory  # noqa: E402
from pconv_mlir.cli import bench as cli  # noqa: E402
from pconv_mlir.errors import CompileError, DependencyError, OptionError  # noqa: E402
from pconv_mlir.options import CompileOptions  # noqa: E402
from pconv_mlir.runtime import Network  # noqa: E402

SCHEME = "pattern:8+connectivity:2"


@pytest.fixture(scope="module")
def source() -> sources.Source:
    return sources.find("resnet20-cifar", scheme=SCHEME)


@pytest.fixture(scope="module")
def result(source: sources.Source) -> compare.Result:
    against = ("onnxruntime",) if "onnxruntime" in sys.modules else ()
    return compare.run(source, against=against, ablate=True)


def test_rows_say_what_was_compared(result: compare.Result) -> None:
    assert [row.engine for row in result.rows[:2]] == ["pconv", "pconv-dense"]
    for row in result.record()["rows"]:
        assert (row["model"], row["scheme"], row["threads"], row["batch"], row["runs"]) == (
            "resnet20-cifar",
            SCHEME,
            1,
            1,
            20,
        )
        assert 0 < row["min_ms"] <= row["median_ms"] <= row["p90_ms"]
        assert row["relative_error"] < 1e-4
        assert row["peak_rss_mb"] > row["model_rss_mb"] > 1


def test_layers_have_times_and_shares_of_the_peak(result: compare.Result) -> None:
    layers = [layer for layer in result.record()["layers"] if layer["kept_macs"]]
    assert len(layers) == 22
    for layer in layers:
        assert layer["ms"] > 0 and 0 < layer["peak_share"] <= 1.05
    assert sum(layer["scheme"].startswith("pattern:8") for layer in layers) == 18
    assert result.machine["fma_peak_gflops"] > 1


def test_every_switch_is_ablated(result: compare.Result) -> None:
    assert [part.off for part in result.ablation] == ["nothing", *CompileOptions.switches()]
    text = cli.report(result)
    assert re.search(r"^switched off +median ms", text, re.MULTILINE)
    assert re.search(r"^eliminate_loads .*x$", text, re.MULTILINE)


@pytest.mark.parametrize("name", engines.OTHERS)
def test_other_engines_get_the_same_model(
    source: sources.Source, name: str, tmp_path: Path
) -> None:
    pytest.importorskip({"mnn": "MNN"}.get(name, name), reason="compares with it")
    path = tmp_path / "model.onnx"
    onnx.save(source.model, path)
    engine = engines.make(name, path, 1)
    module = source.module()
    x = np.random.default_rng(0).standard_normal(module.inputs[0].shape, np.float32)
    (wanted,) = reference.run(module, x)
    (found,) = engine.run([x])
    np.testing.assert_allclose(found.reshape(wanted.shape), wanted, atol=1e-4 * abs(wanted).max())


def test_an_engine_that_is_not_installed_is_a_note(
    source: sources.Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DependencyError, match=r"openvino cannot be imported .*pip install openvi"):
        engines.make("openvino", tmp_path / "model.onnx", 1)
    notes: list[str] = []
    assert compare._load_others(source, tmp_path, 1, ("openvino",), notes) == []
    assert notes and "pip install openvino" in notes[0]


def test_an_unknown_engine(source: sources.Source) -> None:
    with pytest.raises(OptionError, match="expected engines from onnxruntime, .* got 'tvm'"):
        compare.run(source, against=("tvm",))


def test_wrong_results_are_never_timed_quietly(
    source: sources.Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Network.__call__
    monkeypatch.setattr(Network, "__call__", lambda self, x: right(self, x) * np.float32(1.01))
    with pytest.raises(CompileError, match="the result of pconv is wrong: relative error"):
        compare.run(source, against=())


def test_memory_of_a_file_that_cannot_be_run(tmp_path: Path) -> None:
    assert memory.of_engine("pconv", tmp_path / "missing.pconv", 1, [(1, 1)]) is None


def test_memory_of_a_run_is_arena_and_weights_and_little_else(
    source: sources.Source, tmp_path: Path
) -> None:
    """What Python's own modules need comes on top; it does not grow with the network."""
    network = compiler.compile(source.module(), num_threads=1)
    network.save(tmp_path / "net.pconv")
    found = memory.of_engine("pconv", tmp_path / "net.pconv", 1, [network.inputs[0].shape])
    assert found
    needed = (network.arena_bytes + network.weight_bytes) / 2**20
    assert needed < found.model_mb < 1.3 * needed + 15
