# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What other tools pruned: masks from modules, state dicts, files; zeros moved to schemes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pconv_mlir import models, prune
from pconv_mlir.errors import (
    ConfigError,
    ModelError,
    OptionError,
    PruneError,
    SchemeError,
    WeightsError,
)

# Snapping, on arrays


def sparse(scheme: str, shape: tuple[int, ...] = (16, 16, 3, 3), seed: int = 0) -> NDArray[Any]:
    weight = np.random.default_rng(seed).standard_normal(shape)
    return np.asarray(weight * prune.project(weight, prune.parse_scheme(scheme)))


@pytest.mark.parametrize(
    "text",
    [
        "pattern:8",
        "pattern:8+connectivity:2",
        "pattern:sym12+connectivity:3/layer",
        "block-punched:8x4@4",
        "block:16x16@5",
    ],
)
def test_zeros_within_a_scheme_stay_as_they_are(text: str) -> None:
    weights = {"conv": sparse(text)}
    before = weights["conv"].copy()
    (row,) = prune.snap(weights).layers
    assert row.lost_norm == 0
    assert row.scheme.startswith(text.partition(":")[0].partition("@")[0])
    assert np.array_equal(weights["conv"], before)


def test_scattered_zeros_move_to_the_nearest_scheme() -> None:
    names = ["pattern:8", "block-punched:8x4@1", "block:16x16@1", "filter@1"]
    expected = [names[0] + "+connectivity:1.777778", *(name[:-1] + "4" for name in names[1:])]
    weight = sparse("unstructured@4")
    weights = {"conv": weight, "few": sparse("unstructured@1.05")}
    weights["head"] = sparse("unstructured@3", (32, 48))
    report = prune.snap(weights, names)
    rows = {row.name: row for row in report.layers}
    assert rows["few"].scheme == "dense"
    assert rows["head"].scheme.startswith("block:16x16@3")
    kept = {
        name: np.linalg.norm(weight * prune.project(weight, prune.parse_scheme(scheme)))
        for name, scheme in zip(names, expected, strict=True)
    }
    best = max(kept, key=lambda name: kept[name])
    assert rows["conv"].scheme.startswith(best)
    share = kept[best] / np.linalg.norm(weight)
    assert rows["conv"].kept_norm == pytest.approx(share)
    assert rows["conv"].lost_norm == pytest.approx(np.sqrt(1 - share**2))
    assert np.all((weights["conv"] == 0) | (weights["conv"] == weight))
    assert prune.parse_scheme(rows["conv"].scheme).check(weights["conv"])
    again = {"conv": weight, "few": weights["few"], "head": weights["head"]}
    assert prune.magnitude(again, report.config).layers[0] == rows["conv"]


def test_rates_may_be_taken_as_they_are() -> None:
    weights = {"conv": sparse("unstructured@2")}
    (row,) = prune.snap(weights, ["block-punched:4x4@3", "filter@4"], match_rates=False).layers
    assert row.scheme == "block-punched:4x4@3"
    (row,) = prune.snap(weights, ["pattern:mined4+connectivity:2"], match_rates=False).layers
    assert row.scheme.startswith("pattern:3x3[")
    assert row.scheme.endswith("]+connectivity:2")


def test_a_layer_that_nothing_fits_is_refused() -> None:
    weights = {"head": sparse("unstructured@3", (8, 12))}
    before = weights["head"]
    with pytest.raises(
        SchemeError, match="layer 'head': no candidate fits: pattern:8: expected a c"
    ):
        prune.snap(weights, ["pattern:8", "pattern:mined4"])
    assert weights["head"] is before
    with pytest.raises(OptionError, match="expected schemes to choose from"):
        prune.snap(weights, [])
    with pytest.raises(WeightsError, match="layer 'x': every weight is zero"):
        prune.snap({"x": np.zeros((4, 4))})


# Sources

torch = pytest.importorskip("torch", reason="reads what torch pruned")
from torch import nn  # noqa: E402
from torch.nn.utils import parametrizations, parametrize  # noqa: E402
from torch.nn.utils import prune as torch_prune  # noqa: E402


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 12, 3), nn.Linear(12, 8)
    )


def pruned_by_torch() -> nn.Sequential:
    net = network()
    torch_prune.l1_unstructured(net[2], "weight", 0.5)
    torch_prune.random_unstructured(net[2], "weight", 0.3)
    torch_prune.ln_structured(net[3], "weight", 0.25, 2, 0)
    torch_prune.l1_unstructured(net[2], "bias", 2)
    return net


def pruned_by_sparsifier() -> nn.Sequential:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated there
        from torch.ao.pruning import WeightNormSparsifier

        net = network()
        sparsifier = WeightNormSparsifier(
            sparsity_level=1.0, sparse_block_shape=(1, 4), zeros_per_block=2
        )
        sparsifier.prepare(net, [{"tensor_fqn": "3.weight"}])
        sparsifier.step()
    return net


MAKERS = [pruned_by_torch, pruned_by_sparsifier]


def effective(net: nn.Module) -> dict[str, NDArray[Any]]:
    """What the modules compute with."""
    return {name: net[int(name)].weight.detach().numpy().copy() for name in "023"}


@pytest.mark.parametrize("make", MAKERS)
def test_masks_of_a_module_become_zeros(make: Any) -> None:
    net = make()
    for module in net:  # hooks compute the masked weights in forward
        for hook in list(module._forward_pre_hooks.values()):
            hook(module, None)
    expected, dense = effective(net), effective(network())
    report = prune.adopt(net)
    assert set(net.state_dict()) == set(network().state_dict())
    assert not any(parametrize.is_parametrized(module) for module in net)
    found = effective(net)
    for row in report.layers:
        assert np.array_equal(found[row.name], expected[row.name])
        assert row.zeros == pytest.approx(np.mean(expected[row.name] == 0))
        share = np.linalg.norm(expected[row.name]) / np.linalg.norm(dense[row.name])
        assert row.kept_norm == pytest.approx(share)
    assert report.layers[2].zeros == pytest.approx(0.25 if make is pruned_by_torch else 0.5)
    if make is pruned_by_sparsifier:
        assert prune.parse_scheme("nm:2:4/flat").check(found["3"])


@pytest.mark.parametrize("make", MAKERS)
def test_retraining_keeps_what_was_adopted(make: Any) -> None:
    net = make()
    report = prune.adopt(net)
    before = effective(net)
    pruner = prune.MagnitudePruner()
    pruner.prepare(net, report.config)
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for module in (net[2], net[3]):
        module.weight.square().sum().backward()
    optimizer.step()
    pruner.squash_mask()
    for name, weight in effective(net).items():
        assert np.array_equal(weight == 0, before[name] == 0)
    assert not np.array_equal(effective(net)["3"], before["3"])


@pytest.mark.parametrize("make", MAKERS)
def test_state_dicts_and_files_say_the_same(make: Any, tmp_path: Path) -> None:
    net = make()
    state = net.state_dict()
    prune_copy = make()
    prune.adopt(prune_copy)
    expected = {name: value.numpy() for name, value in prune_copy.state_dict().items()}
    torch.save(state, tmp_path / "a.pt")
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "b.pth")
    sources = [net, state, tmp_path / "a.pt", str(tmp_path / "b.pth")]
    if make is pruned_by_sparsifier:
        for source in sources[1:]:
            with pytest.raises(ModelError, match=r"layer '3.weight': the mask is not in the state"):
                prune.read_weights(source)
        sources = [net]
    for source in sources:
        weights = prune.read_weights(source)
        assert set(weights) == set(expected)
        for name, value in expected.items():
            np.testing.assert_array_equal(weights[name], value)
        masks = prune.read_masks(source)
        assert set(masks) == {"0.weight", "2.weight", "3.weight"}
        assert np.array_equal(masks["3.weight"], expected["3.weight"] != 0)


def test_safetensors_and_onnx_files(tmp_path: Path) -> None:
    import onnx

    weights = {"conv.weight": sparse("unstructured@3").astype(np.float32)}
    weights["conv.bias"] = np.zeros(16, np.float32)
    report = prune.adopt(weights)
    prune.save(weights, tmp_path / "net.safetensors", report)
    masks = prune.read_masks(tmp_path / "net.safetensors")
    assert list(masks) == ["conv.weight"]
    assert np.array_equal(masks["conv.weight"], weights["conv.weight"] != 0)

    model = models.build("resnet20-cifar")
    arrays = models.weights(model)
    prune.magnitude(arrays, "pattern:8+connectivity:2")
    models.replace_weights(model, arrays)
    onnx.save(model, tmp_path / "net.onnx")
    for source in (model, tmp_path / "net.onnx"):
        found = prune.read_weights(source)
        assert all(np.array_equal(found[name], value) for name, value in arrays.items())


def test_masks_from_elsewhere_are_applied() -> None:
    net = network()
    before = effective(net)
    mask = np.random.default_rng(0).random((12, 8, 3, 3)) < 0.5
    report = prune.adopt(net, {"2.weight": mask.astype(np.float32), "extra": np.ones((2, 2))})
    assert np.array_equal(effective(net)["2"], before["2"] * mask)
    share = np.linalg.norm(before["2"] * mask) / np.linalg.norm(before["2"])
    assert [row.kept_norm for row in report.layers] == [1, pytest.approx(share), 1]
    arrays = {"conv": np.ones((4, 4))}
    prune.adopt(arrays, {"conv": np.eye(4)})
    assert np.array_equal(arrays["conv"], np.eye(4))


# Refusals


def test_masks_that_do_not_fit_are_refused() -> None:
    state = pruned_by_torch().state_dict()
    half = dict(state, **{"2.weight_mask": state["2.weight_mask"] * 0.5})
    with pytest.raises(ModelError, match=r"layer '2.weight': expected a mask of zeros and ones"):
        prune.read_weights(half)
    short = dict(state, **{"2.weight_mask": state["2.weight_mask"][:3]})
    with pytest.raises(
        ModelError, match=r"layer '2.weight': .* shape .*\(12, 8, 3, 3\), got \(3, 8"
    ):
        prune.read_masks(short)
    with pytest.raises(ModelError, match=r"layer '2': .* got \(3, 3\)"):
        prune.adopt(network(), {"2.weight": np.eye(3)})
    with pytest.raises(ConfigError, match="'1.conv', which is no layer here: did you mean"):
        prune.adopt({"0.conv": np.ones((3, 3))}, {"1.conv": np.eye(3)})
    with pytest.raises(ConfigError, match="for none of the layers"):
        prune.adopt(network(), {"bias": np.zeros(3)})


def test_a_module_with_a_bad_mask_is_left_alone() -> None:
    net = pruned_by_torch()
    net[2].weight_mask *= 2
    names = list(net.state_dict())
    with pytest.raises(ModelError, match="layer '2.weight': expected a mask of zeros and ones"):
        prune.adopt(net)
    assert list(net.state_dict()) == names


def test_other_parametrizations_are_refused() -> None:
    net = network()
    parametrizations.spectral_norm(net[3])
    with pytest.raises(ModelError, match=r"layer '3.weight': a parametrization that is no mask"):
        prune.adopt(net)


def test_a_model_in_training_is_refused() -> None:
    net = network()
    prune.MagnitudePruner().prepare(net, "pattern:8")
    with pytest.raises(PruneError, match="call squash_mask"):
        prune.adopt(net)


def test_a_layer_without_weights_is_refused() -> None:
    net = network()
    torch_prune.l1_unstructured(net[2], "weight", 1.0)
    with pytest.raises(WeightsError, match="layer '2': every weight is zero"):
        prune.adopt(net)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "x.pt").write_bytes(b"no zip")
    (tmp_path / "x.onnx").write_bytes(b"\xff\xff\xff")
    (tmp_path / "x.txt").touch()
    torch.save(3, tmp_path / "three.pt")
    torch.save(network(), tmp_path / "module.pth")
    torch.save({"lr": 0.1}, tmp_path / "other.pth")
    for name, message in {
        "x.pt": "damaged or holds more than tensors",
        "x.onnx": "damaged or holds more than tensors",
        "module.pth": "damaged or holds more than tensors",
        "x.txt": "expected a .safetensors, .onnx, .pt or .pth file",
        "missing.pt": "there is no file",
        "missing.safetensors": "cannot read",
        "three.pt": "expected a state dict",
        "other.pth": "layer 'lr': expected a tensor or an array, got float",
    }.items():
        with pytest.raises(ModelError, match=message):
            prune.read_weights(tmp_path / name)
    with pytest.raises(ModelError, match=r"expected a torch module, .* got int"):
        prune.read_weights(3)
