# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Calling compiled networks: results, input checks, threads, memory."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import handmade
import numpy as np
import pytest

from pconv_mlir import errors
from pconv_mlir.artefact import Artefact
from pconv_mlir.manifest import Memory
from pconv_mlir.runtime import Network, load


def assert_right(network: Network, x: np.ndarray) -> None:
    for result, wanted in zip(network(x), handmade.expected(x), strict=True):
        np.testing.assert_allclose(result, wanted, rtol=1e-6)


@pytest.mark.parametrize("threads", [1, 2, 3, 8, 64])
def test_results_do_not_depend_on_the_thread_count(
    artefact: Artefact, x: np.ndarray, threads: int
) -> None:
    network = Network(artefact, num_threads=threads)
    assert_right(network, x)
    one = Network(artefact, num_threads=1)(x)
    for result, wanted in zip(network(x), one, strict=True):
        np.testing.assert_array_equal(result, wanted)


def test_inputs_and_outputs_are_described(network: Network) -> None:
    assert [(slot.name, slot.shape, slot.dtype) for slot in network.inputs] == [
        ("x", (2, 4), "float32")
    ]
    assert [slot.name for slot in network.outputs] == ["y", "e"]
    assert "x: [2, 4]" in repr(network)


def test_outputs_belong_to_the_caller(network: Network, x: np.ndarray) -> None:
    first, _ = network(x)
    kept = first.copy()
    network(x + 1)
    np.testing.assert_array_equal(first, kept)


def test_torch_in_torch_out(network: Network, x: np.ndarray) -> None:
    torch = pytest.importorskip("torch")
    y, e = network(torch.from_numpy(x).requires_grad_())
    assert isinstance(y, torch.Tensor) and isinstance(e, torch.Tensor)
    np.testing.assert_allclose(y.numpy(), handmade.expected(x)[0], rtol=1e-6)
    with pytest.raises(errors.DTypeError, match=r"got torch.float64; convert it with .float"):
        network(torch.from_numpy(x).double())


def test_any_strides_are_taken(network: Network, x: np.ndarray) -> None:
    wide = np.zeros((4, 16), np.float32)
    wide[::2, ::4] = x
    strided = wide[::2, ::4]
    assert not strided.flags.c_contiguous
    assert_right(network, strided)
    assert_right(network, np.asfortranarray(x))
    flipped = np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    assert_right(network, flipped)
    wide.flags.writeable = False
    assert_right(network, wide[::2, ::4])


@pytest.mark.parametrize("shape", [(8,), (4, 2), (2, 5), (1, 2, 4), ()])
def test_wrong_shape(network: Network, shape: tuple[int, ...]) -> None:
    with pytest.raises(errors.ShapeError, match=r"'x': expected shape \(2, 4\), got"):
        network(np.zeros(shape, np.float32))


@pytest.mark.parametrize("dtype", ["float64", "float16", "int32", "complex64", "bool", ">f4", "O"])
def test_wrong_dtype(network: Network, dtype: str) -> None:
    with pytest.raises(errors.DTypeError, match="'x': expected float32, got .*astype"):
        network(np.zeros((2, 4), dtype))


@pytest.mark.parametrize("value", [[[0.0] * 4] * 2, None, "x", 1.0])
def test_no_array(network: Network, value: object) -> None:
    with pytest.raises(errors.DTypeError, match="expected a NumPy array or a torch tensor, got"):
        network(value)


@pytest.mark.parametrize("count", [0, 2])
def test_wrong_number_of_inputs(network: Network, x: np.ndarray, count: int) -> None:
    with pytest.raises(errors.ShapeError, match=rf"expected 1 inputs \(x\), got {count}"):
        network(*[x] * count)


@pytest.mark.parametrize("count", [0, -1, 10_000, 1.5, "2", True])
def test_bad_thread_counts(artefact: Artefact, network: Network, count: object) -> None:
    with pytest.raises(errors.OptionError, match="expected a number of threads from 1 to"):
        Network(artefact, num_threads=count)  # type: ignore[arg-type]
    with pytest.raises(errors.OptionError, match="got"):
        network.num_threads = count  # type: ignore[assignment]
    assert network.num_threads == 2


def test_the_thread_count_can_be_changed(network: Network, x: np.ndarray) -> None:
    for threads in (1, 5, 2):
        network.num_threads = threads
        assert network.num_threads == threads
        assert network.arena_bytes == 4 * (64 + threads * handmade.SCRATCH)
        assert_right(network, x)


def test_calls_from_many_threads(network: Network) -> None:
    failures: list[Exception] = []

    def work(seed: int) -> None:
        x = np.random.default_rng(seed).standard_normal((2, 4), np.float32)
        try:
            for _ in range(200):
                assert_right(network, x)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_a_forked_child_can_run_too(network: Network, x: np.ndarray) -> None:
    assert_right(network, x)  # starts the threads, which a child does not inherit
    child = os.fork()
    if child == 0:
        try:
            assert_right(network, x)
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0


def test_profile_times_every_step(network: Network) -> None:
    profile = network.profile(5)
    assert len(profile.steps) == 2 and all(ms > 0 for ms in profile.steps)
    assert profile.ms > 0
    with pytest.raises(errors.OptionError, match="at least one run"):
        network.profile(0)
    with pytest.raises(errors.ShapeError, match="expected shape"):
        network.profile(1, np.zeros((1, 1), np.float32))


def test_memory_is_allocated_once(network: Network, x: np.ndarray) -> None:
    network(x)
    program: Any = network.prepare()
    arena = program._arena
    assert arena.ctypes.data % 64 == 0
    network(x)
    network.num_threads = 1
    network(x)
    assert program._arena is arena


def test_more_memory_than_there_is(artefact: Artefact, x: np.ndarray) -> None:
    memory = Memory(arena=1 << 45, scratch=0, values=8, indices=8)
    manifest = dataclasses.replace(artefact.manifest, memory=memory)
    network = Network(dataclasses.replace(artefact, manifest=manifest), num_threads=1)
    with pytest.raises(errors.ArtefactError, match="GiB of memory, more than this machine has"):
        network(x)


def test_loading_and_running_needs_numpy_only(saved: Path) -> None:
    """Neither MLIR nor anything but NumPy is imported, and torch is not even looked for."""
    program = f"""
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        top = name.split(".")[0]
        if top not in ("numpy", "pconv_mlir") and top not in sys.stdlib_module_names:
            raise ImportError(f"{{name}} is off limits")
        if name.startswith("pconv_mlir._mlir_libs"):
            raise ImportError("MLIR is off limits")
sys.meta_path.insert(0, Block())
import numpy as np
import pconv_mlir as pconv
net = pconv.load({str(saved)!r}, num_threads=2)
x = np.ones((2, 4), np.float32)
y, e = net(x)
assert (y == np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)).all()
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=60)


def test_a_loaded_network_gives_the_same_results(
    network: Network, saved: Path, x: np.ndarray
) -> None:
    for result, wanted in zip(load(saved, num_threads=2)(x), network(x), strict=True):
        np.testing.assert_array_equal(result, wanted)
