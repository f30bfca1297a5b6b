# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The command line: what each command prints and writes, and how it refuses bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="models are read as ONNX")
pytest.importorskip("torch_mlir", reason="ONNX files are imported through torch-mlir")

from pconv_mlir import cli, reference, sources
from pconv_mlir.bench import selftest

MODEL, SCHEME = "resnet20-cifar", "pattern:8+connectivity:2"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cli") / "net.pconv"
    assert cli.main(["compile", MODEL, "-o", str(path), "--scheme", SCHEME]) == 0
    return path


def ok(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Runs a command that has to succeed, and gives what it prints."""
    capsys.readouterr()
    assert cli.main([str(argument) for argument in arguments]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""  # nobody watches: no progress
    return captured.out


def fails(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Runs a command that has to fail, and gives its one line."""
    capsys.readouterr()
    try:
        code = cli.main([str(argument) for argument in arguments])
    except SystemExit as exit_:  # argparse
        code = int(exit_.code or 0)
    captured = capsys.readouterr()
    assert code in (1, 2)
    assert captured.out == ""
    assert captured.err.count("\n") == 1 and "Traceback" not in captured.err
    assert re.match(r"pconv( \w+)?: error: ", captured.err)
    return captured.err


# --- compile ------------------------------------------------------------------


def test_compile(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "net.pconv"
    text = ok(capsys, "compile", MODEL, "-o", path, "--scheme", SCHEME, "--json", tmp_path / "j")
    assert f"{path}: " in text and "of 22 layers with weights run sparse" in text
    record = json.loads((tmp_path / "j").read_text())
    assert record["bytes"] == path.stat().st_size
    assert record["target"]["name"] == "host"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["j", "net.pconv"]


def test_compile_for_another_machine(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "net.pconv"
    ok(capsys, "compile", MODEL, "-o", path, "--target", "aarch64-linux-gnu")
    if os.uname().machine != "aarch64":
        line = fails(capsys, "run", path, "--input", "x.npy")
        assert "the code was made for aarch64" in line and "compile the model for this" in line
        assert "no times" in ok(capsys, "explain", path)


def test_compile_without_passes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["compile", MODEL, "-o", tmp_path / "net.pconv", "--scheme", SCHEME]
    text = ok(capsys, *arguments, "--without", "sparse", "--without", "reorder")
    assert " 0 of 22 layers with weights run sparse" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["compile", "missing.onnx", "-o", "x.pconv"], "there is no file missing.onnx"),
        (["compile", MODEL], "the following arguments are required: -o"),
        (["compile", MODEL, "-o", "no/such/folder/x.pconv"], "cannot write no/such/folder"),
        (["compile", MODEL, "-o", "x.pconv", "--target", "hots"], "did you mean host"),
        (["compile", MODEL, "-o", "x.pconv", "--scheme", "patern:8"], "patern"),
        (["compile", MODEL, "-o", "x.pconv", "--batch", "0"], "batch size of at least 1"),
        (["compile", MODEL, "-o", "x.pconv", "--batch", "one"], "invalid int value: 'one'"),
        (["compile", MODEL, "-o", "x.pconv", "--shape", "1x0"], "expected sizes like 1x3x224"),
        (["compile", MODEL, "-o", "x.pconv", "--without", "speed"], "invalid choice: 'speed'"),
        (["compile", MODEL, "-o", "x.pconv", "--json", "no/such/j"], "cannot write no/such/j"),
        (["run", "missing.pconv"], "cannot read missing.pconv: No such file"),
        (["explain", "missing.pconv"], "cannot read missing.pconv: No such file"),
        (["explain", "vgg61"], "there is no file vgg61 and no built-in network of this name"),
        (["explain", MODEL, "--threads", "10000"], "expected a number of threads from 1 to"),
        (["explain", "x.pconv", "--scheme", SCHEME], "--scheme is for models that are still to be"),
        (["explain", "x.pconv", "--target", "host"], "--target is for models that are still to be"),
        (["bench", MODEL, "--threads", "0"], "expected a number of threads from 1 to"),
        (["bench", MODEL, "--against", "tvm"], "expected engines from onnxruntime"),
        (["bench", MODEL, "--runs", "3"], "expected at least 20 --runs, got 3"),
        (["bench", MODEL, "--scheme", "pattern:8+connectivity:1e9"], "would leave none of 16"),
        (["demo", "--picture", "no/such/p.png"], "cannot write no/such/p.png"),
        (["demo", "--data", "no/such"], "cannot read the demo's images"),
        (["doctor", "now"], "unrecognized arguments: now"),
        (["fly"], "invalid choice: 'fly'"),
        ([], "the following arguments are required: COMMAND"),
    ],
)
def test_bad_input_is_one_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in fails(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"\x08\x08\x12", b"hello", bytes(1000)])
def test_a_damaged_model(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    fails(capsys, "compile", path, "-o", tmp_path / "x.pconv")
    assert not (tmp_path / "x.pconv").exists()


# --- run ----------------------------------------------------------------------


def test_run(capsys: pytest.CaptureFixture[str], compiled: Path, tmp_path: Path) -> None:
    module = sources.find(MODEL, scheme=SCHEME).module()
    x = np.random.default_rng(0).standard_normal(module.inputs[0].shape, np.float32)
    np.save(tmp_path / "x.npy", x)
    arguments = ["--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy", "--threads", 2]
    text = ok(capsys, "run", compiled, *arguments)
    assert re.match(r"\w+: 1x10, .* to .*, .*y.npy", text)
    (wanted,) = reference.run(module, x)
    found = np.load(tmp_path / "y.npy")
    np.testing.assert_allclose(found, wanted, atol=1e-4 * abs(wanted).max())
    record = json.loads(ok(capsys, "run", compiled, *arguments, "--json", "-"))
    assert record["threads"] == 2 and record["outputs"][0]["shape"] == [1, 10]


def npy(array: Any, **options: Any) -> bytes:
    import io

    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*: No such file"),
        (b"", "damaged or no plain .npy file"),
        (b"hello", "damaged or no plain .npy file"),
        (npy(np.zeros(3072, np.float32))[:-1], "damaged or no plain .npy file"),
        (npy(np.array([{}]), allow_pickle=True), "damaged or no plain .npy file"),
        (npy(np.zeros((1, 3, 32, 32))), "expected float32, got float64"),
        (npy(np.zeros((1, 3, 32, 31), np.float32)), r"expected shape \(1, 3, 32, 32\)"),
    ],
)
def test_run_on_bad_arrays(
    capsys: pytest.CaptureFixture[str],
    compiled: Path,
    tmp_path: Path,
    content: bytes | None,
    message: str,
) -> None:
    path = tmp_path / "x.npy"
    if content is not None:
        path.write_bytes(content)
    line = fails(capsys, "run", compiled, "--input", path, "--output", tmp_path / "y.npy")
    assert re.search(message, line)
    assert not (tmp_path / "y.npy").exists()


def test_run_with_too_few_or_many_files(
    capsys: pytest.CaptureFixture[str], compiled: Path, tmp_path: Path
) -> None:
    assert "expected 1 inputs (input), got 0" in fails(capsys, "run", compiled)
    many = ["--output", tmp_path / "a.npy", "--output", tmp_path / "b.npy"]
    assert "expected at most 1 --output, got 2" in fails(capsys, "run", compiled, *many)


def test_run_a_truncated_file(
    capsys: pytest.CaptureFixture[str], compiled: Path, tmp_path: Path
) -> None:
    path = tmp_path / "short.pconv"
    path.write_bytes(compiled.read_bytes()[:-100])
    assert "damaged or no .pconv file" in fails(capsys, "run", path)


# --- explain ------------------------------------------------------------------


def test_explain_a_file_and_a_model(
    capsys: pytest.CaptureFixture[str], compiled: Path, tmp_path: Path
) -> None:
    text = ok(capsys, "explain", compiled, "--json", tmp_path / "j")
    for word in ("layer1.0.conv1", "pattern:8+connectivity:2", "ms", "peak", "measured FMA peak"):
        assert word in text
    record = json.loads((tmp_path / "j").read_text())
    layers = {layer["name"]: layer for layer in record["layers"] if layer["kept_macs"]}
    assert len(layers) == 22
    conv = layers["layer1.0.conv1"]
    assert conv["kernels"] == 256 and conv["kept_kernels"] == 128
    assert conv["index_bytes"] < conv["csr_bytes"]
    assert record["ms"] >= conv["ms"] > 0
    static = ok(capsys, "explain", MODEL, "--scheme", SCHEME, "--no-measure")
    assert "layer1.0.conv1" in static and "GFLOP/s" not in static


def test_a_dense_layer_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    text = ok(capsys, "explain", MODEL, "--scheme", SCHEME, "--no-measure")
    first = next(line for line in text.splitlines() if re.match(r"conv1 ", line))
    assert "dense" in first and re.search(r"[a-z]{3,}$", first)


# --- bench, doctor, demo -------------------------------------------------------


def test_bench(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["bench", MODEL, "--scheme", SCHEME, "--against", "", "--json", tmp_path / "j"]
    text = ok(capsys, *arguments)
    for word in ("pconv-dense", "median ms", "p90 ms", "rel. error", "layer1.0.conv1"):
        assert word in text
    record = json.loads((tmp_path / "j").read_text())
    assert {"machine", "rows", "layers"} <= set(record)
    keys = (
        "engine model scheme threads batch median_ms min_ms p90_ms runs max_abs_error peak_rss_mb"
    )
    assert set(keys.split()) <= set(record["rows"][0])
    assert {"name", "kind", "scheme", "kept_macs", "ms", "gflops", "peak_share"} == set(
        record["layers"][0]
    )


def test_doctor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = ok(capsys, "doctor", "--json", tmp_path / "j")
    for word in ("processor", "vectors", "threads", "FMA peak", "self-test    passed"):
        assert word in text
    assert json.loads((tmp_path / "j").read_text())["self_test"] == "passed"


def test_doctor_finds_wrong_results(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pconv_mlir.runtime import Network

    monkeypatch.setattr(Network, "__call__", lambda self, x: np.zeros((1, 8, 12, 12), np.float32))
    assert cli.main(["doctor"]) == 1
    assert "self-test    wrong result with 1 threads" in capsys.readouterr().out


def test_the_self_test_runs_both_kinds_of_kernels() -> None:
    from pconv_mlir import compiler

    layers = compiler.build(selftest.network()).manifest.layers
    assert [layer.scheme[:7] for layer in layers if layer.weights] == ["dense", "pattern"]


# --- the program ---------------------------------------------------------------


def program(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-c",
        "import sys; from pconv_mlir.cli import main; sys.exit(main())",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.run(
        [*command, *arguments], text=True, env=environment, timeout=120, **options
    )


def test_help_lists_the_commands() -> None:
    done = program("--help", capture_output=True, check=True)
    for name in ("demo", "compile", "run", "bench", "explain", "doctor"):
        assert f"  {name} " in done.stdout


def test_a_closed_pipe_is_no_traceback(compiled: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = program("explain", str(compiled), stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ""


def test_an_internal_error_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(sources, "find", broken)
    line = fails(capsys, "explain", MODEL)
    assert "internal error, please report it (RuntimeError: first)" in line
    monkeypatch.setenv("PCONV_DEBUG", "1")
    with pytest.raises(RuntimeError):
        cli.main(["explain", MODEL])
