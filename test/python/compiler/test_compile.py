# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The whole way: a model in, right numbers out, whatever is switched on or off."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("onnx", reason="models are read as ONNX")
pytest.importorskip("torch_mlir", reason="models are imported through torch-mlir")

import onnx

import pconv_mlir as pconv
from pconv_mlir import compiler, pipelines, reference, targets
from pconv_mlir.bench import selftest
from pconv_mlir.errors import ModelError, OptionError, ShapeError, TargetError
from pconv_mlir.models.builder import NetworkBuilder
from pconv_mlir.module import Module
from pconv_mlir.options import CompileOptions
from pconv_mlir.targets import features

SCHEME = "pattern:8+connectivity:2"


def small(batch: int = 1) -> onnx.ModelProto:
    """Every kind of layer that a passes treats specially: 11 x 13 planes, a shortcut, pooling."""
    net = NetworkBuilder((batch, 3, 22, 26), seed=0)
    x = net.relu(net.batch_norm(net.conv(net.input, "stem", 16, 3), "stem_bn"), "stem_relu")
    x = net.max_pool(x, "pool", 2, 2)
    y = net.relu(net.conv(x, "a", 16, 3, bias=True), "a_relu")
    x = net.relu(net.add(net.conv(y, "b", 16, 3), x, "sum"), "sum_relu")
    x = net.conv(x, "down", 24, 3, stride=2)
    x = net.linear(net.flatten(net.global_avg_pool(x, "mean")), "classify", 5)
    return net.model(x, "small")


@pytest.fixture(scope="module")
def pruned() -> onnx.ModelProto:
    model = small()
    weights = pconv.models.weights(model)
    pconv.prune.magnitude(weights, SCHEME)
    pconv.models.replace_weights(model, weights)
    return model


@pytest.fixture(scope="module")
def module(pruned: onnx.ModelProto) -> Module:
    return pconv.import_model(pruned)


@pytest.fixture(scope="module")
def x() -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((1, 3, 22, 26), np.float32)


@pytest.fixture(scope="module")
def wanted(module: Module, x: NDArray[np.float32]) -> NDArray[np.float64]:
    (result,) = reference.run(module, x)
    return result


def assert_close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * abs(wanted).max())


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_right_results(module: Module, x: Any, wanted: Any, threads: int) -> None:
    network = pconv.compile(module, num_threads=threads)
    assert_close(network(x), wanted)
    assert network.num_threads == threads


def test_results_are_the_same_for_any_thread_count(module: Module, x: Any) -> None:
    network = pconv.compile(module, num_threads=1)
    one = network(x)
    for threads in (2, 5):
        network.num_threads = threads
        np.testing.assert_array_equal(network(x), one)


@pytest.mark.parametrize("switch", CompileOptions.switches())
def test_every_switch_leaves_the_results(module: Module, x: Any, wanted: Any, switch: str) -> None:
    options = CompileOptions().without(switch)
    assert_close(pconv.compile(module, options=options, num_threads=1)(x), wanted)


def test_everything_off(module: Module, x: Any, wanted: Any) -> None:
    options = CompileOptions(
        sparse=False, fuse=False, reorder=False, eliminate_loads=False, opt_level=0
    )
    assert_close(pconv.compile(module, options=options, num_threads=1)(x), wanted)


@pytest.mark.parametrize("name", ["host", "x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"])
def test_every_width_of_vectors(module: Module, x: Any, wanted: Any, name: str) -> None:
    target = targets.parse(name)
    network = pconv.compile(module, target=target, num_threads=1)
    if target.required() <= features.of_this_machine()[1]:
        assert_close(network(x), wanted)
    else:
        with pytest.raises(TargetError, match="compile the model for this machine"):
            network(x)


def test_a_network_for_another_machine_can_be_saved(module: Module, x: Any, tmp_path: Path) -> None:
    other = "x86-64" if os.uname().machine == "aarch64" else "aarch64-linux-gnu"
    network = pconv.compile(module, target=other)
    network.save(tmp_path / "other.pconv")
    assert "conv2d" in network.explain(measure=False)
    with pytest.raises(TargetError, match="compile the model for this machine"):
        network(x)
    with pytest.raises(TargetError, match="compile the model for this machine"):
        pconv.load(tmp_path / "other.pconv")


def test_from_a_file_and_back(pruned: onnx.ModelProto, x: Any, wanted: Any, tmp_path: Path) -> None:
    onnx.save(pruned, tmp_path / "net.onnx")
    network = pconv.compile(str(tmp_path / "net.onnx"), num_threads=1)
    network.save(tmp_path / "net.pconv")
    loaded = pconv.load(tmp_path / "net.pconv", num_threads=2)
    np.testing.assert_array_equal(loaded(x), network(x))
    assert_close(loaded(x), wanted)
    assert [(slot.name, slot.shape) for slot in (*loaded.inputs, *loaded.outputs)] == [
        ("input", (1, 3, 22, 26)),
        ("output", (1, 5)),
    ]


def test_batches(x: Any) -> None:
    module = pconv.import_model(small(batch=3))
    batch = np.concatenate([x, x + 1, x - 1])
    (wanted,) = reference.run(module, batch)
    assert_close(pconv.compile(module, num_threads=2)(batch), wanted)


def test_a_torch_module() -> None:
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(16, 16, 3)
    ).eval()
    pconv.prune.magnitude(model, SCHEME)
    x = torch.randn(1, 3, 9, 11)
    network = pconv.compile(model, (x,), num_threads=1)
    torch.testing.assert_close(network(x), model(x), rtol=1e-4, atol=1e-5)


def test_explain_knows_every_layer(module: Module) -> None:
    layers = pconv.compile(module).manifest.layers
    weighted = {layer.name: layer for layer in layers if layer.weights}
    assert list(weighted) == ["stem", "a", "b", "down", "classify"]
    assert weighted["stem"].scheme == "dense" and weighted["stem"].reason
    a = weighted["a"]
    assert (a.scheme, a.kernels, a.kept_kernels) == ("pattern:8+connectivity:2", 256, 128)
    assert a.zeros == 16 * 16 * 9 - 128 * 4
    assert a.macs == 16 * 16 * 9 * 11 * 13 and a.kept_macs == 128 * 4 * 11 * 13
    assert weighted["down"].macs == 24 * 16 * 9 * 6 * 7
    assert 0 < a.index_bytes < a.csr_bytes


def test_without_sparsity_all_weights_count_as_dense(module: Module) -> None:
    made = compiler.build(module, options=CompileOptions(sparse=False))
    assert {layer.scheme for layer in made.manifest.layers if layer.weights} == {"dense"}
    assert made.manifest.memory.indices <= 1


# --- step by step ---------------------------------------------------------------


@pytest.mark.parametrize("stage", pipelines.STAGES[:-1])
def test_every_stage_can_be_looked_at(module: Module, stage: str) -> None:
    lowered = pconv.lower(module, target="aarch64-linux-gnu", stop_after=stage)
    assert f'pattern.stage = "{stage}"' in lowered.ir
    assert "lanes = 4, registers = 32" in lowered.ir
    assert lowered.weights is module.weights


def test_stage_by_stage_is_the_whole_way(module: Module) -> None:
    stepwise = module
    for stage in pipelines.STAGES:
        stepwise = pconv.lower(stepwise, target="x86-64-v3", stop_after=stage)
    assert stepwise.ir == pconv.lower(module, target="x86-64-v3").ir
    assert "llvm.func @pconv_network" in stepwise.ir


def test_the_reference_is_the_same_after_fusing(module: Module, x: Any, wanted: Any) -> None:
    (found,) = reference.run(pconv.lower(module, stop_after="reordered"), x)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * abs(wanted).max())


def test_bad_stages(module: Module) -> None:
    with pytest.raises(OptionError, match="expected a stage"):
        pconv.lower(module, stop_after="finished")
    with pytest.raises(OptionError, match="already, past 'fused'"):
        pconv.lower(pconv.lower(module, stop_after="planned"), stop_after="fused")


# --- bad input ------------------------------------------------------------------


def test_bad_input_is_found_before_the_work(module: Module, monkeypatch: Any) -> None:
    def never(*arguments: Any, **options: Any) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr(compiler, "_run", never)
    monkeypatch.setattr(compiler, "_import", never)
    with pytest.raises(OptionError, match="number of threads"):
        pconv.compile(module, num_threads=10_000)
    with pytest.raises(TargetError, match="did you mean"):
        pconv.compile(module, target="x86-46")


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        pconv.compile(tmp_path / "missing.onnx")
    with pytest.raises(ModelError):
        pconv.compile(42)


def test_a_wrong_input(module: Module) -> None:
    network = pconv.compile(module)
    with pytest.raises(ShapeError, match=r"'input': expected shape \(1, 3, 22, 26\)"):
        network(np.zeros((1, 3, 26, 22), np.float32))


@pytest.mark.parametrize(
    "use",
    [
        pconv.compile,
        compiler.describe,
        compiler.lower,
        pconv.import_model,
        reference.run,
        lambda module: pconv.performance.what_if(module, scheme=SCHEME),
    ],
)
def test_malformed_ir(use: Any) -> None:
    with pytest.raises(ModelError, match=r"the IR of the network is malformed: [^\n]*$"):
        use(Module("module {", {}, [], []))


@pytest.mark.parametrize("use", [pconv.compile, pconv.import_model, reference.run])
def test_a_module_without_a_network(use: Any) -> None:
    with pytest.raises(ModelError, match="no function @main"):
        use(Module("module {}", {}, [], []))


@pytest.mark.parametrize("use", [compiler.lower, compiler.describe, compiler.build])
def test_options_of_another_kind(module: Module, use: Any) -> None:
    with pytest.raises(OptionError, match="expected CompileOptions, got dict"):
        use(module, options={"fuse": False})


def test_the_self_test_passes() -> None:
    assert selftest.problem() is None
