# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calibration: what the constants are made from, by a timer of known constants, and their file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pconv_mlir import compiler, reference
from pconv_mlir.errors import OptionError, SchemeError
from pconv_mlir.manifest import Layer
from pconv_mlir.module import Module
from pconv_mlir.performance import calibration, probes
from pconv_mlir.performance.calibration import Calibration, Timed, time_layer
from pconv_mlir.performance.probes import Shape
from pconv_mlir.prune import Dense, KernelPattern, Unstructured, parse_scheme

PATTERN = KernelPattern(8, 2)
ALPHA, FIXED, DENSE = 2.5, 0.2, 1.5
SMALL = Shape(16, 24, (3, 3), (10, 12))


class Machine:
    """A machine on which the model holds exactly; it counts what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Module] = []

    def __call__(self, module: Module, threads: int) -> Timed:
        self.asked.append(module)
        (layer,) = (la for la in compiler.describe(module) if la.kind != "relayout")
        if not layer.macs:
            return Timed(1e-3, layer)
        share = layer.kept_macs / layer.macs
        times = FIXED + ALPHA * share if calibration.runs_sparse(layer) else DENSE
        return Timed(times * 2 * layer.macs / 1e11, layer)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(calibration, "fma_peak", lambda threads: 100.0)
    return Machine()


def test_the_constants_of_the_machine_are_found(machine: Machine) -> None:
    found = Calibration(cache=None, timer=machine)
    sparse = found.constants(SMALL, PATTERN)
    assert sparse.alpha == pytest.approx(ALPHA)
    assert sparse.fixed == pytest.approx(FIXED)
    assert 1 < sparse.beta < 2
    assert found.constants(SMALL, Dense()).alpha == pytest.approx(DENSE)


def test_a_scheme_without_a_sparse_loop_has_no_alpha(machine: Machine) -> None:
    found = Calibration(cache=None, timer=machine)
    assert found.constants(SMALL, Unstructured(4)).alpha is None


def test_the_model_of_a_layer(machine: Machine) -> None:
    found = Calibration(cache=None, timer=machine)
    macs = 24 * 16 * 9 * 120
    layer = Layer("conv", "conv2d", (1, 16, 10, 12), (1, 24, 10, 12), (24, 16, 3, 3), macs=macs)
    model = found.layer_model(layer, PATTERN)
    assert model.name == "conv"
    assert model.flops == 2 * macs
    assert model.activation_bytes == 4 * 120 * (16 + 24)
    assert model.weight_bytes == 4 * 24 * 16 * 9
    assert (model.alpha, model.dense) == (pytest.approx(ALPHA), pytest.approx(DENSE))
    assert found.layer_model(layer, Unstructured(4)).useless == "the compiler runs it dense"


def test_a_rate_too_high_for_a_second_point_leaves_one(machine: Machine) -> None:
    found = Calibration(cache=None, timer=machine)
    sparse = found.constants(SMALL, KernelPattern(8, 16))
    assert sparse.fixed == 0
    assert sparse.alpha == pytest.approx(ALPHA + FIXED * 16 * 9 / 4)


def test_caches_are_faster_than_the_memory(machine: Machine) -> None:
    found = Calibration(cache=None, timer=machine)
    sizes = calibration.WORKING_SETS
    rates = [found.bandwidth(size) for size in sizes]
    assert rates == pytest.approx([size / 1e-3 for size in sizes])
    assert [found.bandwidth(1), found.bandwidth(1e12)] == pytest.approx([rates[0], rates[-1]])
    between = (sizes[0] * sizes[1]) ** 0.5
    assert found.bandwidth(between) == pytest.approx((rates[0] * rates[1]) ** 0.5)


# --- The file -----------------------------------------------------------------


def test_what_was_measured_is_kept(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "folder" / "calibration.json"
    first = Calibration(cache=path, timer=machine).constants(SMALL, PATTERN)
    asked = len(machine.asked)
    again = Calibration(cache=path, timer=machine)
    assert again.constants(SMALL, PATTERN) == first
    assert len(machine.asked) == asked
    again.forget()
    assert not path.exists()
    assert again.constants(SMALL, PATTERN) == first
    assert len(machine.asked) == 2 * asked
    assert json.loads(path.read_text())["machine"]["processor"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: text.replace('"version": 1', '"version": 99'),
        lambda text: text.replace('"alpha": 2', '"alpha": -2'),
        lambda text: text.replace('"beta"', '"gamma"'),
    ],
)
def test_a_damaged_file_is_measured_anew(machine: Machine, tmp_path: Path, damage: object) -> None:
    path = tmp_path / "calibration.json"
    first = Calibration(cache=path, timer=machine).constants(SMALL, PATTERN)
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    asked = len(machine.asked)
    assert Calibration(cache=path, timer=machine).constants(SMALL, PATTERN) == first
    assert len(machine.asked) > asked
    assert Calibration(cache=path).constants(SMALL, PATTERN) == first


def test_a_folder_that_cannot_be_written_is_no_error(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    found = Calibration(cache=tmp_path / "file" / "calibration.json", timer=machine)
    assert found.constants(SMALL, PATTERN).alpha == pytest.approx(ALPHA)


def test_the_file_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert calibration.cache_file(1).parent == tmp_path / "pconv-mlir"
    assert calibration.cache_file(1) != calibration.cache_file(2)
    monkeypatch.setattr(calibration.machine, "processor", lambda: "another")
    assert calibration.cache_file(1) != calibration.cache_file(2)


def test_threads_that_make_no_sense_are_refused() -> None:
    with pytest.raises(OptionError, match="expected a number of threads from 1"):
        Calibration(0)


# --- Probes -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "image", "plane", "text"),
    [
        ((64, 32, 3, 3), (1, 32, 20, 18), (20, 18), "32-64 20x18 3x3 s1"),
        ((64, 32, 3, 3), (2, 32, 21, 19), (11, 10), "32-64 21x19 3x3 s2"),
        ((32, 1, 5, 5), (1, 32, 20, 18), (20, 18), "32-32 20x18 5x5 s1 g32"),
        ((10, 64), (3, 64), (1, 1), "64-10 3x1"),
    ],
)
def test_the_shape_of_a_layer(
    weights: tuple[int, ...], image: tuple[int, ...], plane: tuple[int, int], text: str
) -> None:
    macs = int(np.prod(weights)) * image[0] * plane[0] * plane[1]
    shape = Shape.of(Layer("l", "k", image, (), weights, macs=macs))
    assert str(shape) == text
    assert shape.operations * (image[0] if len(weights) == 4 else 1) == 2 * macs


@pytest.mark.parametrize("scheme", ["dense", "pattern:8+connectivity:2", "unstructured@3"])
@pytest.mark.parametrize(
    "shape",
    [
        Shape(16, 20, (3, 3), (9, 11)),
        Shape(16, 20, (3, 3), (9, 11), stride=2),
        Shape(18, 18, (5, 3), (9, 11), groups=3),
        Shape(40, 24, plane=(3, 1)),
    ],
)
def test_a_probe_is_a_network_that_computes(shape: Shape, scheme: str) -> None:
    if scheme.startswith("pattern") and shape.kernel != (3, 3):
        with pytest.raises(SchemeError):
            probes.network(shape, parse_scheme(scheme))
        return
    module = probes.network(shape, parse_scheme(scheme))
    x = np.random.default_rng(1).standard_normal(module.inputs[0].shape, np.float32)
    (wanted,) = reference.run(module, x)
    np.testing.assert_allclose(compiler.compile(module, num_threads=1)(x), wanted, atol=1e-4)
    assert np.count_nonzero(module.weights["weight"]) < module.weights["weight"].size or (
        scheme == "dense"
    )
    described = [layer for layer in compiler.describe(module) if layer.macs]
    assert Shape.of(described[0]) == shape


def test_probes_are_small() -> None:
    for shape in (
        Shape(512, 512, (3, 3), (224, 224)),
        Shape(3, 64, (7, 7), (224, 224), stride=2),
        Shape(4096, 4096, plane=(1, 1)),
    ):
        probe = shape.probe()
        assert probe.operations <= probes.MOST_OPERATIONS
        assert (probe.kernel, probe.stride, probe.plane[1]) == (
            shape.kernel,
            shape.stride,
            shape.plane[1],
        )
        assert probe.probe() == probe


def test_a_rate_too_high_for_the_probe_takes_the_layer_itself() -> None:
    shape = Shape(512, 512, (3, 3), (28, 28))
    module = probes.pruned(shape, KernelPattern(8, 256))
    assert module.weights["weight"].shape == (512, 512, 3, 3)


def test_the_timer_times_the_layer() -> None:
    timed = time_layer(probes.network(SMALL, PATTERN), 1)
    assert timed.seconds > 0
    assert timed.layer.kept_macs == timed.layer.macs * 4 // 18


@pytest.mark.parametrize("scheme", ["nm:2:4", "unstructured@2", "block-punched:8x4@6", "filter@2"])
def test_every_scheme_can_be_measured(machine: Machine, scheme: str) -> None:
    alpha = Calibration(cache=None, timer=machine).constants(SMALL, parse_scheme(scheme)).alpha
    layer = compiler.describe(probes.network(SMALL, parse_scheme(scheme)))[1]
    assert (alpha is not None) == calibration.runs_sparse(layer)
