# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a user can get wrong, on one page: each mistake is one typed error that says where and what
to do, from Python and from the command line, and leaves no file behind.

The finer cases of each kind stand with the tests of the part that refuses them.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch_mlir", reason="models are imported through torch-mlir")

import onnx
from onnx_nets import network, node, normal

import pconv_mlir as pconv
from pconv_mlir import cli, errors, targets
from pconv_mlir.module import Module, TensorSpec

SHAPE = (1, 3, 7, 5)


def model(weight: Any = None, **attributes: Any) -> onnx.ModelProto:
    weight = normal(4, 3, 3, 3) if weight is None else weight
    return network(
        [node("Conv", "x w", "y", name="features.0", **attributes)], SHAPE, weights={"w": weight}
    )


def two_convolutions(size: int) -> onnx.ModelProto:
    """The first one is not pruned unless that is asked for."""
    nodes = [node("Conv", "x first.weight", "a"), node("Conv", "a second.weight", "y")]
    shapes = {"first.weight": (4, 3, 3, 3), "second.weight": (4, 4, size, size)}
    return network(nodes, SHAPE, weights={name: normal(*s) for name, s in shapes.items()})


def weights_of(path: str) -> dict[str, Any]:
    return pconv.models.weights(onnx.load(path))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where we are: with a good model, a good network and good input in it."""
    monkeypatch.chdir(tmp_path)
    onnx.save(model(), "good.onnx")
    pconv.compile("good.onnx").save("good.pconv")
    np.save("x.npy", np.zeros(SHAPE, np.float32))
    return tmp_path


# --- Mistakes in files and options: from Python, and from the command line --------------------


def _write(path: str, data: bytes) -> None:
    Path(path).write_bytes(data)


def _truncate(path: str, good: str) -> None:
    data = Path(good).read_bytes()
    _write(path, data[: len(data) // 2])


def _hostile_model() -> None:
    """Weights that claim to stand in a file outside of the model's folder."""
    made = model()
    onnx.external_data_helper.set_external_data(made.graph.initializer[0], "../../etc/passwd")
    made.graph.initializer[0].ClearField("raw_data")
    _write("bad.onnx", made.SerializeToString())


def _hostile_artefact() -> None:
    """A size in the header of the weights that is larger than the file."""
    data = Path("good.pconv").read_bytes()
    start = data.index(b'{"', data.index(b"data.safetensors")) - 8
    _write("bad.pconv", data[:start] + b"\xff" * 8 + data[start + 8 :])


def _nan_model() -> None:
    weight = normal(4, 3, 3, 3)
    weight[1, 2, 0, 1] = np.nan
    onnx.save(model(weight), "bad.onnx")


COMPILE = ["compile", "bad.onnx", "-o", "out.pconv", "--json", "out.json"]
RUN = ["run", "good.pconv", "--input", "bad.npy", "--output", "out.npy", "--json", "out.json"]
RUN_BAD = ["run", "bad.pconv", "--input", "x.npy", "--output", "out.npy", "--json", "out.json"]
COMPILE_GOOD = ["compile", "good.onnx", "-o", "out.pconv", "--json", "out.json"]
RUN_GOOD = ["run", "good.pconv", "--input", "x.npy", "--output", "out.npy", "--json", "out.json"]

Mistake = tuple[Callable[[], object], Callable[[], object], list[str], type[Exception], str]
MISTAKES: dict[str, Mistake] = {  # how to make it; from Python; from the command line; the error
    "truncated model": (
        lambda: _truncate("bad.onnx", "good.onnx"),
        lambda: pconv.compile("bad.onnx"),
        COMPILE,
        errors.ModelError,
        "bad.onnx.* (is damaged|is truncated)",
    ),
    "hostile model": (
        _hostile_model,
        lambda: pconv.compile("bad.onnx"),
        COMPILE,
        errors.ModelError,
        "should be file inside .*etc/passwd",
    ),
    "truncated network": (
        lambda: _truncate("bad.pconv", "good.pconv"),
        lambda: pconv.load("bad.pconv"),
        RUN_BAD,
        errors.ArtefactError,
        r"bad.pconv is damaged or no .pconv file",
    ),
    "hostile weights in a network": (
        _hostile_artefact,
        lambda: pconv.load("bad.pconv"),
        RUN_BAD,
        errors.ArtefactError,
        r"bad.pconv is damaged or no .pconv file",
    ),
    "NaN in the weights": (
        _nan_model,
        lambda: pconv.compile("bad.onnx"),
        COMPILE,
        errors.WeightsError,
        "layer 'features.0': the weight 'w' holds NaN or infinity: repair or retrain",
    ),
    "no filter left": (
        lambda: onnx.save(model(np.zeros((4, 3, 3, 3), np.float32)), "bad.onnx"),
        lambda: pconv.compile("bad.onnx"),
        COMPILE,
        errors.WeightsError,
        "layer 'features.0': zero filters left: .* prune less, or take the layer out",
    ),
    "no input": (
        lambda: None,
        lambda: pconv.load("good.pconv")(),
        [*RUN_GOOD[:2], *RUN_GOOD[4:]],
        errors.ShapeError,
        r"expected 1 inputs \(x\), got 0",
    ),
    "an input of another shape": (
        lambda: np.save("bad.npy", np.zeros((1, 3, 5, 7), np.float32)),
        lambda: pconv.load("good.pconv")(np.load("bad.npy")),
        RUN,
        errors.ShapeError,
        r"'x': expected shape \(1, 3, 7, 5\), got \(1, 3, 5, 7\); .* pad, crop or compile again",
    ),
    "an input of another type": (
        lambda: np.save("bad.npy", np.zeros(SHAPE)),
        lambda: pconv.load("good.pconv")(np.load("bad.npy")),
        RUN,
        errors.DTypeError,
        r"'x': expected float32, got float64; convert it with .astype",
    ),
    "an unknown target": (
        lambda: None,
        lambda: pconv.compile("good.onnx", target="aarch46-linux-gnu"),
        [*COMPILE_GOOD, "--target", "aarch46-linux-gnu"],
        errors.TargetError,
        "unknown target 'aarch46-linux-gnu'; did you mean aarch64-linux-gnu",
    ),
    "an unknown feature of a target": (
        lambda: None,
        lambda: pconv.compile("good.onnx", target="x86-64+avx3"),
        [*COMPILE_GOOD, "--target", "x86-64+avx3"],
        errors.TargetError,
        "unknown feature of x86-64 'avx3'; did you mean avx",
    ),
    "no threads": (
        lambda: None,
        lambda: pconv.load("good.pconv", num_threads=0),
        [*RUN_GOOD, "--threads", "0"],
        errors.OptionError,
        "expected a number of threads from 1 to [0-9]+, got 0",
    ),
    "10,000 threads": (
        lambda: None,
        lambda: pconv.compile("good.onnx", num_threads=10_000),
        [*RUN_GOOD, "--threads", "10000"],
        errors.OptionError,
        "expected a number of threads from 1 to [0-9]+, got 10000",
    ),
    "an unknown scheme": (
        lambda: None,
        lambda: pconv.parse_scheme("patterns:8"),
        [*COMPILE_GOOD, "--scheme", "patterns:8"],
        errors.SchemeError,
        "unknown scheme 'patterns:8': expected dense, pattern:8",
    ),
    "a rate that leaves nothing": (
        lambda: onnx.save(two_convolutions(3), "bad.onnx"),
        lambda: pconv.prune.magnitude(weights_of("bad.onnx"), "unstructured@1e6"),
        [*COMPILE, "--scheme", "unstructured@1e6"],
        errors.SchemeError,
        r"layer 'second': rate 1e\+06 would leave none of 144 weights: use at most 144",
    ),
    "kernel patterns for 1x1 kernels": (
        lambda: onnx.save(two_convolutions(1), "bad.onnx"),
        lambda: pconv.prune.magnitude(weights_of("bad.onnx"), "pattern:8"),
        [*COMPILE, "--scheme", "pattern:8"],
        errors.SchemeError,
        "no layer is left to prune with pattern:8: leave fewer kinds of layers alone",
    ),
}


def fails(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    code = cli.main(arguments)
    captured = capsys.readouterr()
    assert code in (1, 2)
    assert captured.out == "" and captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake(mistake: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make, call, command, kind, message = MISTAKES[mistake]
    make()
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(errors.PConvError, match=message) as caught:
        call()
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)
    assert re.search(message, fails(capsys, *command))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("form", ["F", "strided", "backwards"])
def test_arrays_that_are_not_contiguous_are_no_mistake(
    form: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = normal(*SHAPE)
    wide = np.zeros((1, 3, 14, 10), np.float32)
    wide[:, :, ::2, ::2] = x
    forms = {"F": np.asfortranarray(x), "strided": wide[:, :, ::2, ::2]}
    array = forms.get(form, x[:, :, ::-1].copy()[:, :, ::-1])
    assert not array.flags.c_contiguous
    wanted = pconv.load("good.pconv")(x)
    np.testing.assert_array_equal(pconv.load("good.pconv")(array), wanted)
    np.save("x.npy", array)
    assert cli.main(RUN_GOOD[:-2]) == 0 and capsys.readouterr().err == ""
    np.testing.assert_array_equal(np.load("out.npy"), wanted)


# --- Mistakes that only Python can make: a network changed by hand ----------------------------

PATTERNS = "#pattern.kernel<#pattern.library<3x3, [[0, 1], [4]]>>"


def module(ir: str | None = None, **weights: Any) -> Module:
    """A network with kernel patterns; then its weights are changed."""
    weight = normal(4, 3, 3, 3)
    weight[:, :2, :, 2] = weight[:, :2, 1:] = 0
    weight[:, 2].reshape(4, 9)[:, np.arange(9) != 4] = 0
    made = pconv.import_model(model(weight))
    assert PATTERNS in made.ir
    text = made.ir if ir is None else ir
    return dataclasses.replace(made, ir=text, weights=made.weights | weights)


def edited(old: str, new: str) -> Module:
    made = module()
    assert old in made.ir
    return module(made.ir.replace(old, new))


HANDMADE: dict[str, tuple[Callable[[], Module], type[Exception], str]] = {
    "NaN": (
        lambda: module(w=np.full((4, 3, 3, 3), np.nan, np.float32)),
        errors.WeightsError,
        "'w' holds NaN or infinity",
    ),
    "another shape": (
        lambda: module(w=normal(4, 3, 3, 2)),
        errors.WeightsError,
        r"'w' as contiguous float32 \(4, 3, 3, 3\), got float32 \(4, 3, 3, 2\)",
    ),
    "another type": (
        lambda: module(w=np.zeros((4, 3, 3, 3))),
        errors.WeightsError,
        r"'w' as contiguous float32 \(4, 3, 3, 3\), got float64",
    ),
    "not contiguous": (
        lambda: module(w=np.zeros((3, 3, 3, 4), np.float32).T),
        errors.WeightsError,
        "'w' as contiguous float32",
    ),
    "no array": (lambda: module(w=[1.0, 2.0]), errors.WeightsError, "'w' as an array, got list"),
    "no weights": (
        lambda: dataclasses.replace(module(), weights={}),
        errors.WeightsError,
        "'w' is missing",
    ),
    "weights outside of their kernel patterns": (
        lambda: module(w=normal(4, 3, 3, 3)),
        errors.WeightsError,
        r"'w' is not zero outside of its kernel patterns: .* import_model\(module\)",
    ),
    "a kernel pattern twice": (
        lambda: edited("[[0, 1], [4]]", "[[0, 1], [0, 1]]"),
        errors.ModelError,
        "malformed: expected each kernel pattern once",
    ),
    "an empty kernel pattern": (
        lambda: edited("[[0, 1], [4]]", "[[0, 1], []]"),
        errors.ModelError,
        "malformed: expected at least 1 cell in kernel pattern 2",
    ),
    "kernel patterns for 1x1 kernels": (
        lambda: edited("library<3x3", "library<1x1"),
        errors.ModelError,
        "malformed: expected ascending cells in 0..0",
    ),
    "other inputs than the IR": (
        lambda: dataclasses.replace(module(), inputs=[TensorSpec("x", (1, 3, 5, 7))]),
        errors.ModelError,
        r"the inputs of the module .*1, 3, 5, 7.* are not those of @main .*1x3x7x5",
    ),
    "no network": (lambda: module("module {}"), errors.ModelError, "no function @main"),
    "no IR": (lambda: module("fish"), errors.ModelError, "malformed"),
}


@pytest.mark.parametrize("mistake", HANDMADE)
def test_a_network_changed_by_hand(mistake: str) -> None:
    make, kind, message = HANDMADE[mistake]
    with pytest.raises(errors.PConvError, match=message) as caught:
        pconv.compile(make())
    assert type(caught.value) is kind
    assert "\n" not in str(caught.value)


def test_a_network_that_was_not_changed_compiles() -> None:
    """So that the mistakes above are those that they are called by."""
    assert pconv.compile(module()).outputs[0].shape == (1, 4, 5, 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lanes": 0}, "expected lanes in 1..1024, got 0"),
        ({"lanes": 1 << 40}, "expected lanes in 1..1024"),
        ({"registers": 1}, "expected registers in 4..1024, got 1"),
        ({"l1": -5}, "expected l1 in 1.."),
        ({"features": "avx2;rm"}, "expected features like"),
        ({"features": ",,"}, "expected features like"),
    ],
)
def test_a_target_that_is_no_machine(changes: dict[str, Any], message: str) -> None:
    target = targets.parse("host").override(**changes)
    with pytest.raises(errors.TargetError, match=re.escape(message)):
        pconv.compile(module(), target=target)


def test_a_target_of_another_instruction_set_than_llvm_has() -> None:
    target = targets.parse("host").override(triple="pdp11-unknown-none")
    with pytest.raises(errors.CompileError, match="no code for host: .*pdp11"):
        pconv.compile(module(), target=target)


@pytest.mark.parametrize("value", [5, None, 1.5, ["host"]])
def test_values_of_another_type(value: Any) -> None:
    with pytest.raises(errors.TargetError, match="expected a target or its name, got"):
        pconv.compile(module(), target=value)
    with pytest.raises(errors.SchemeError, match="expected a scheme or its text, got"):
        pconv.parse_scheme(value)
    with pytest.raises(errors.ModelError, match="expected an .onnx file"):
        pconv.compile(value)
    if value is not None:
        with pytest.raises(errors.OptionError, match="expected CompileOptions, got"):
            pconv.compile(module(), options=value)
        with pytest.raises(errors.ShapeError, match="expected example inputs as a list"):
            pconv.compile(model(), value)
