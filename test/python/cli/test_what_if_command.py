# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv what-if: what it prints and writes, and how it refuses bad input."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("torch_mlir", reason="models are imported through torch-mlir")

import onnx
from onnx_nets import network, node, normal

from pconv_mlir import cli
from pconv_mlir.performance import calibration

SCHEME = "pattern:8+connectivity:2"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small network, and a calibration of its own that takes no time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(calibration, "WORKING_SETS", (1 << 15, 1 << 17))
    monkeypatch.setattr(calibration, "SECONDS", 0.001)
    nodes = [
        node("Conv", "x first.weight", "a", name="first", pads=[1, 1, 1, 1]),
        node("Conv", "a second.weight", "y", name="second"),
    ]
    shapes = {"first.weight": (16, 3, 3, 3), "second.weight": (24, 16, 3, 3)}
    weights = {name: normal(*shape) for name, shape in shapes.items()}
    path = tmp_path / "net.onnx"
    onnx.save(network(nodes, (1, 3, 14, 12), weights=weights), path)
    return str(path)


def ok(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert cli.main(["what-if", *arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_predicted(capsys: pytest.CaptureFixture[str], model: str, tmp_path: Path) -> None:
    text = ok(capsys, model, "--scheme", SCHEME, "--json", str(tmp_path / "j"))
    assert re.search(r"\nsecond +conv2d +pattern:8\+connectivity:2 +22.2% +\d", text)
    assert re.search(r"\nfirst +conv2d +dense +.* first convolution\n", text)
    assert "1 of 2 layers with weights run sparse; predicted" in text
    assert "measured" not in text
    record = json.loads((tmp_path / "j").read_text())
    assert record["model"] == "net" and record["scheme"] == SCHEME and record["threads"] == 1
    assert record["measured_ms"] is None and record["machine"]["fma_peak_gflops"] > 0
    rows = {row["name"]: row for row in record["rows"] if row["kept"]}
    assert list(rows) == ["first", "second"]
    assert rows["second"]["predicted_ms"] > 0 and rows["second"]["measured_ms"] is None
    total = sum(row["predicted_ms"] for row in record["rows"])
    assert record["predicted_ms"] == pytest.approx(total)
    (kept,) = (tmp_path / "cache").glob("pconv-mlir/calibration-*.json")
    again = json.loads(ok(capsys, model, "--scheme", SCHEME, "--json", "-"))
    assert again["rows"] == record["rows"]  # from the file
    stamp = kept.stat().st_mtime_ns
    ok(capsys, model, "--scheme", SCHEME, "--recalibrate")
    assert kept.stat().st_mtime_ns > stamp


def test_measured(capsys: pytest.CaptureFixture[str], model: str) -> None:
    arguments = ["--scheme", SCHEME, "--measure", "--json", "-", "--threads", "2"]
    record = json.loads(ok(capsys, model, *arguments))
    assert record["measured_ms"] > 0 and record["threads"] == 2
    assert all(row["measured_ms"] > 0 for row in record["rows"] if row["kept"])


def test_a_scheme_that_runs_dense(capsys: pytest.CaptureFixture[str], model: str) -> None:
    text = ok(capsys, model, "--scheme", "unstructured@4")
    assert re.search(r"\nsecond .* runs dense: unstructured: 75.0% of the weights are zero", text)
    assert "0 of 2 layers with weights run sparse" in text and " 1.00x faster than" in text


def test_a_picture(capsys: pytest.CaptureFixture[str], model: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    ok(capsys, model, "--scheme", SCHEME, "--picture", str(tmp_path / "p.png"))
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["MODEL"], "the following arguments are required: --scheme"),
        (["MODEL", "--scheme", "patern:8"], "unknown scheme 'patern:8'"),
        (["MODEL", "--scheme", "pattern:8+connectivity:17"], "layer 'second': rate 17 would leave"),
        (["MODEL", "--scheme", SCHEME, "--threads", "0"], "expected a number of threads from 1"),
        (["MODEL", "--scheme", SCHEME, "--json", "no/such/j"], "cannot write no/such/j"),
        (["MODEL", "--scheme", SCHEME, "--picture", "no/such/p"], "cannot write no/such/p"),
        (["vgg61", "--scheme", SCHEME], "no built-in network of this name"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str], model: str, arguments: list[str], message: str
) -> None:
    words = [model if word == "MODEL" else word for word in arguments]
    try:
        code = cli.main(["what-if", *words])
    except SystemExit as exit_:  # argparse
        code = int(exit_.code or 0)
    captured = capsys.readouterr()
    assert code in (1, 2) and captured.out == ""
    assert message in captured.err and captured.err.count("\n") == 1
