# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruned models in files: what comes back, what other programs read, and what is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pconv_mlir import prune
from pconv_mlir.errors import ArtefactError, ConfigError, ModelError, PruneError, SchemeError
from pconv_mlir.prune.tensor_file import read_tensors

CONFIG = prune.PruneConfig("pattern:8+connectivity:2", kinds={"linear": "nm:2:4"})


def arrays() -> dict[str, NDArray[Any]]:
    generator = np.random.default_rng(0)
    return {
        "stem": generator.standard_normal((4, 3, 3, 3)).astype(np.float32),
        "conv": generator.standard_normal((6, 4, 3, 3)),
        "head": generator.standard_normal((5, 6)).astype(np.float16),
        "steps": np.array(7),
        "mask": np.array([True, False]),
    }


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    weights = arrays()
    prune.save(weights, tmp_path / "net.safetensors", prune.magnitude(weights, CONFIG))
    return tmp_path / "net.safetensors"


def test_arrays_come_back_with_report_and_config(saved: Path) -> None:
    weights = arrays()
    report = prune.magnitude(weights, CONFIG)
    found: dict[str, NDArray[Any]] = {}
    assert prune.load(found, saved) == report
    assert list(found) == list(weights)
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name], value, strict=True)
    assert report.config.layers == CONFIG.layers
    assert report.config.shapes == {"stem": (4, 3, 3, 3), "conv": (6, 4, 3, 3), "head": (5, 6)}
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_other_programs_read_the_file(saved: Path) -> None:
    safetensors = pytest.importorskip("safetensors.numpy", reason="compares with safetensors")
    weights = arrays()
    prune.magnitude(weights, CONFIG)
    found = safetensors.load_file(saved)
    assert set(found) == set(weights)
    assert all(np.array_equal(found[name], weights[name]) for name in weights)


def test_what_other_programs_write_is_read(tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch", reason="compares with safetensors")
    torch = pytest.importorskip("torch", reason="bfloat16 is a type of torch")
    tensors = {"a": torch.randn(3, 5).bfloat16(), "b": torch.zeros(0, 2), "c": torch.tensor(3)}
    safetensors.save_file(tensors, tmp_path / "x.safetensors", {"by": "another"})
    found, metadata = read_tensors(tmp_path / "x.safetensors")
    assert metadata == {"by": "another"}
    for name, tensor in tensors.items():
        assert found[name].shape == tuple(tensor.shape)
        np.testing.assert_array_equal(found[name], tensor.float().numpy())
    with pytest.raises(ModelError, match="was not written by pconv_mlir.prune.save"):
        prune.load({}, tmp_path / "x.safetensors")


def network() -> Any:
    torch = pytest.importorskip("torch", reason="saves torch modules")
    nn = torch.nn
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 6, 3), nn.Linear(6, 5))
    net.tied = net[1]  # saved under two names
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_modules_come_back_bit_by_bit(tmp_path: Path, dtype: str) -> None:
    import torch

    net = network().to(getattr(torch, dtype)).to(memory_format=torch.channels_last)
    report = prune.magnitude(net, CONFIG)
    prune.save(net, tmp_path / "net", report)
    other = network().to(getattr(torch, dtype))
    assert prune.load(other, tmp_path / "net") == report
    for name, tensor in net.state_dict().items():
        assert torch.equal(other.state_dict()[name], tensor)


def test_wrapped_modules_are_saved_under_their_own_names(tmp_path: Path) -> None:
    import torch

    net = network()
    report = prune.magnitude(torch.nn.DataParallel(net), CONFIG)
    prune.save(torch.compile(net), tmp_path / "net", report)
    assert set(prune.read_weights(torch.compile(net))) == set(net.state_dict())
    other = network()
    assert prune.load(torch.compile(other), tmp_path / "net") == report
    assert all(torch.equal(other.state_dict()[name], x) for name, x in net.state_dict().items())


def test_what_a_pruner_did_is_saved(tmp_path: Path) -> None:
    net, pruner = network(), prune.MagnitudePruner()
    pruner.prepare(net, CONFIG)
    with pytest.raises(PruneError, match="still wears masks: call squash_mask"):
        prune.save(net, tmp_path / "net", prune.PruneReport(()))
    config = pruner.config
    prune.save(net, tmp_path / "net", pruner.squash_mask())
    assert prune.load(network(), tmp_path / "net").config == config


def test_mined_patterns_are_saved(tmp_path: Path) -> None:
    weights: dict[str, NDArray[Any]] = {
        "conv": np.random.default_rng(0).standard_normal((8, 8, 3, 3))
    }
    config = prune.PruneConfig("dense", layers={"conv": "pattern:mined4+connectivity:2"})
    prune.save(weights, tmp_path / "net", prune.magnitude(weights, config))
    (row,) = prune.load({}, tmp_path / "net").layers
    assert row.scheme == "pattern:mined4+connectivity:2"
    assert prune.parse_scheme(row.mined).check(weights["conv"])


def test_a_file_of_a_module_is_read_into_a_dict(tmp_path: Path) -> None:
    net = network()
    report = prune.magnitude(net, CONFIG)
    prune.save(net, tmp_path / "net", report)
    found: dict[str, np.ndarray] = {}
    assert prune.load(found, tmp_path / "net") == report
    assert np.array_equal(found["0.weight"], net[0].weight.detach().numpy())
    weights = dict(found)
    assert prune.magnitude(weights, report.config).config == report.config


def test_another_network_is_refused(saved: Path, tmp_path: Path) -> None:
    weights = arrays()
    weights["conv"] = weights["conv"][:5]
    with pytest.raises(ConfigError, match="layer 'conv': .* made for another network"):
        prune.load(weights, saved)
    with pytest.raises(ConfigError, match="made for another network"):
        prune.save(weights, tmp_path / "x", prune.magnitude(arrays(), CONFIG))
    net = network()
    prune.save(net, tmp_path / "net", prune.magnitude(net, CONFIG))
    before = net[0].weight.detach().clone()
    net[1] = type(net[1])(5)
    net[0].weight.data += 1
    with pytest.raises(ConfigError, match=r"layer '1\.weight': .* has \(4,\), this one \(5,\)"):
        prune.load(net, tmp_path / "net")
    assert bool((net[0].weight == before + 1).all())


def test_types_that_the_format_lacks(tmp_path: Path) -> None:
    weights = arrays() | {"odd": np.zeros(3, np.complex128)}
    with pytest.raises(ModelError, match="layer 'odd': cannot save numbers of type complex128"):
        prune.save(weights, tmp_path / "x", prune.magnitude(weights, CONFIG))
    import torch

    net = network()
    report = prune.magnitude(net, CONFIG)
    net.register_buffer("scale", net[0].weight.detach().to(torch.float8_e5m2))
    with pytest.raises(ModelError, match="layer 'scale': cannot save numbers of type torch.float8"):
        prune.save(net, tmp_path / "x", report)
    assert not list(tmp_path.iterdir())


def test_other_models_are_refused(saved: Path) -> None:
    pytest.importorskip("torch", reason="the check of the model's type needs torch")
    no_model: Any = None
    report = prune.load({}, saved)
    with pytest.raises(SchemeError, match="expected a torch.nn.Module or a dict"):
        prune.save(no_model, saved, report)
    with pytest.raises(SchemeError, match="expected a torch.nn.Module or a dict"):
        prune.load(no_model, saved)


def test_files_that_cannot_be_written_or_read(saved: Path, tmp_path: Path) -> None:
    weights = arrays()
    with pytest.raises(ArtefactError, match="cannot write"):
        prune.save(weights, tmp_path / "no" / "x", prune.magnitude(weights, CONFIG))
    with pytest.raises(ModelError, match="cannot read .*: No such file"):
        prune.load({}, tmp_path / "no")
    (tmp_path / "empty").touch()
    with pytest.raises(ModelError, match="damaged or no safetensors file: it is empty"):
        prune.load({}, tmp_path / "empty")
    (tmp_path / "cut").write_bytes(saved.read_bytes()[:-1])
    with pytest.raises(ModelError, match="'mask' does not have the bytes that its shape needs"):
        prune.load({}, tmp_path / "cut")


def rewrite(path: Path, change: Any) -> None:
    """Change the JSON of the header in place."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    facts = json.loads(header["__metadata__"]["pconv.prune"])
    change(header, facts)
    if "__metadata__" in header:
        header["__metadata__"] = {"pconv.prune": json.dumps(facts)}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda header, facts: facts.update(version=2), "has version 2 of the format, expected 1"),
        (lambda header, facts: facts.pop("layers"), "the report in .* is damaged: 'layers'"),
        (lambda header, facts: facts["layers"][0].update(zeros="x"), "the report in .* is damaged"),
        (lambda header, facts: facts["config"].update(scheme="x"), "unknown scheme 'x'"),
        (lambda header, facts: header["conv"].update(dtype="C64"), "unknown type, 'C64'"),
        (lambda header, facts: header["conv"].update(shape=[6, -4]), "'conv' is malformed"),
        (lambda header, facts: header["conv"].update(shape=[7, 4, 3, 3]), "bytes that its shape"),
        (lambda header, facts: header["conv"].update(data_offsets=[]), "bytes that its shape"),
        (lambda header, facts: header.update(conv=3), "'conv' is no JSON object"),
    ],
)
def test_damaged_headers_are_refused(saved: Path, change: Any, message: str) -> None:
    rewrite(saved, change)
    found: dict[str, NDArray[Any]] = {}
    with pytest.raises(ModelError, match=message):
        prune.load(found, saved)
    assert not found


@given(st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_is_a_typed_error_or_harmless(saved: Path, data: st.DataObject) -> None:
    bad = bytearray(saved.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        bad[data.draw(st.integers(0, len(bad) - 1))] = data.draw(st.integers(0, 255))
    bad = bad[: data.draw(st.integers(0, len(bad)))]
    path = saved.with_name("bad")
    path.write_bytes(bad)
    try:
        prune.load({}, path)
    except (ModelError, ConfigError):
        return
