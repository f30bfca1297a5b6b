# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Magnitude pruning of whole networks: torch modules and dicts of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pconv_mlir import prune
from pconv_mlir.errors import ConfigError, SchemeError, WeightsError

Weights = dict[str, NDArray[Any]]


@pytest.fixture
def weights() -> Weights:
    rng = np.random.default_rng(0)
    shapes = {
        "stem": (16, 3, 3, 3),
        "body.a": (24, 16, 3, 3),
        "body.dw": (24, 1, 3, 3),
        "body.pw": (32, 24, 1, 1),
        "body.b": (32, 32, 3, 3),
        "norm": (32,),
        "head": (10, 32),
    }
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def rows(report: prune.PruneReport) -> dict[str, prune.LayerReport]:
    return {layer.name: layer for layer in report.layers}


def test_defaults_prune_inner_convolutions_only(weights: Weights) -> None:
    before = dict(weights)
    report = rows(prune.magnitude(weights, "pattern:8+connectivity:4"))
    assert list(report) == ["stem", "body.a", "body.dw", "body.pw", "body.b", "head"]
    assert {n: r.note for n, r in report.items()} == {
        "stem": "first convolution",
        "body.a": "",
        "body.dw": "depthwise convolution",
        "body.pw": "1x1 convolution",
        "body.b": "",
        "head": "linear layer",
    }
    for name, row in report.items():
        assert row.zeros == pytest.approx(0 if row.note else 1 - 4 / 9 / 4)
        assert row.scheme == ("dense" if row.note else "pattern:8+connectivity:4")
        if row.note:
            assert weights[name] is before[name]
    for name in ("body.a", "body.b"):
        assert weights[name].dtype == np.float32
        assert np.all((weights[name] == 0) | (weights[name] == before[name]))
        share = np.linalg.norm(weights[name]) / np.linalg.norm(before[name])
        assert report[name].kept_norm == pytest.approx(share, rel=1e-6)
    assert before["body.a"].all()  # the caller's arrays are replaced, not written to


def test_pruning_twice_changes_nothing(weights: Weights) -> None:
    prune.magnitude(weights, "pattern:8+connectivity:2")
    once = dict(weights)
    report = rows(prune.magnitude(weights, "pattern:8+connectivity:2"))
    assert all(np.array_equal(weights[name], once[name]) for name in weights)
    assert report["body.b"].kept_norm == 1


def test_skip_by_name_and_by_kind(weights: Weights) -> None:
    report = rows(prune.magnitude(weights, "unstructured@4", skip=["body.[ab]"], leave_alone=()))
    assert {n for n, r in report.items() if r.note} == {"body.a", "body.b"}
    assert report["head"].zeros == pytest.approx(0.75)


def test_block_prunes_matrices(weights: Weights) -> None:
    report = rows(prune.magnitude(weights, "block:8x8@4"))
    assert {n for n, r in report.items() if not r.note} == {"body.a", "body.pw", "body.b", "head"}


def test_dense_leaves_all(weights: Weights) -> None:
    report = prune.magnitude(weights, "dense")
    assert {layer.note for layer in report.layers} == {"dense asked for"}


def test_mined_library_is_one_for_the_network(weights: Weights) -> None:
    inner = [weights["body.a"], weights["body.b"]]
    library = prune.mine_natural(inner, 6)
    prune.magnitude(weights, "pattern:mined6+connectivity:2")
    for name in ("body.a", "body.b"):
        found = prune.find_library(weights[name])
        assert isinstance(found, prune.FoundLibrary)
        assert set(found.library.patterns) <= set(library.patterns)


def test_mined_libraries_fit_each_kernel_size() -> None:
    rng = np.random.default_rng(1)
    weights = {f"c{k}": rng.standard_normal((8, 8, k, k)) for k in (7, 3, 5)}
    report = rows(prune.magnitude(weights, "pattern:mined4+connectivity:2"))
    assert report["c3"].zeros == pytest.approx(1 - 4 / 9 / 2)
    assert report["c5"].zeros == pytest.approx(1 - 11 / 25 / 2)


def test_empty_filters_are_counted() -> None:
    weights = {"stem": np.ones((4, 3, 3, 3)), "wide": np.ones((4, 4, 3, 3))}
    weights["wide"][2] *= 1e-3
    report = rows(prune.magnitude(weights, "pattern:8+connectivity:2/layer"))
    assert (
        report["wide"].empty_filters == 2
    )  # eight of sixteen kernels; ties keep the first filters


def test_report_is_a_table(weights: Weights) -> None:
    lines = str(prune.magnitude(weights, "pattern:8+connectivity:4")).splitlines()
    assert lines[0].split() == ["layer", "shape", "zeros", "norm", "kept", "scheme"]
    assert lines[2].startswith("body.a   24x16x3x3  88.9%")
    assert lines[3].endswith("dense (depthwise convolution)")


@pytest.mark.parametrize(
    ("scheme", "options", "message"),
    [
        ("pattern:8", {"leave_alone": ["first"]}, "layer 'body.pw': .* larger than 1x1"),
        ("pattern:8+connectivity:17", {}, "layer 'body.a': .* use at most 16"),
        ("filter@30", {}, "layer 'body.a': .* leave none of 24 filters"),
        ("pattern:8", {"skip": ["body.c"]}, "no layer is called 'body.c'"),
        ("pattern:8", {"skip": ["body.*"]}, "no layer is left to prune"),
    ],
)
def test_errors_name_the_layer_and_change_nothing(
    weights: Weights, scheme: str, options: Any, message: str
) -> None:
    before = dict(weights)
    with pytest.raises(SchemeError, match=message):
        prune.magnitude(weights, scheme, **options)
    assert all(weights[name] is before[name] for name in weights)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_no_numbers_are_refused(weights: Weights, bad: float) -> None:
    weights["body.b"][3, 2, 1, 0] = bad
    with pytest.raises(WeightsError, match=r"layer 'body\.b': a weight is NaN or infinite"):
        prune.magnitude(weights, "pattern:8")


def test_an_empty_layer_is_refused(weights: Weights) -> None:
    weights["body.b"][:] = 0
    with pytest.raises(WeightsError, match=r"layer 'body\.b': every weight is zero"):
        prune.magnitude(weights, "pattern:8")


def test_kinds_that_do_not_exist_are_refused(weights: Weights) -> None:
    with pytest.raises(ConfigError, match="'firts': did you mean first"):
        prune.magnitude(weights, "pattern:4", leave_alone=["firts"])


def test_other_models_are_refused() -> None:
    pytest.importorskip("torch", reason="the check of the model's type needs torch")
    no_model: Any = []
    with pytest.raises(SchemeError, match=r"expected a torch.nn.Module .* got list"):
        prune.magnitude(no_model, "pattern:8")
    with pytest.raises(WeightsError, match="layer 'a': expected a NumPy array, got list"):
        prune.magnitude({"a": [1, 2]}, "pattern:8")  # type: ignore[dict-item]


# Torch


def network() -> Any:
    torch = pytest.importorskip("torch", reason="pruning a torch module needs torch")
    nn = torch.nn
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 16, 1),
        nn.Conv2d(16, 16, 3, groups=2),
        nn.Conv2d(16, 16, 3),
        nn.Linear(16, 10),
    )


def test_torch_modules_are_pruned_in_place() -> None:
    net = network()
    parameter = net[4].weight
    before = parameter.detach().numpy().copy()
    report = rows(prune.magnitude(net, prune.KernelPattern(8, 2)))
    assert [r.note for r in report.values()] == [
        "first convolution",
        "depthwise convolution",
        "1x1 convolution",
        "",
        "",
        "linear layer",
    ]
    assert net[4].weight is parameter
    assert parameter.requires_grad
    want = before * prune.project(before, prune.KernelPattern(8, 2))
    assert np.array_equal(parameter.detach().numpy(), want)
    assert report["3"].shape == (16, 8, 3, 3)
    assert report["3"].zeros == pytest.approx(1 - 4 / 9 / 2)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_torch_and_numpy_agree(dtype: str) -> None:
    net = network()
    net.to(getattr(pytest.importorskip("torch"), dtype))
    arrays = {
        name: layer.weight.detach().numpy().copy()
        for name, layer in net.named_children()
        if name in ("0", "4")
    }
    prune.magnitude(net, "unstructured@3")
    prune.magnitude(arrays, "unstructured@3")
    assert np.array_equal(net[4].weight.detach().numpy(), arrays["4"])


def test_bfloat16_modules_are_pruned() -> None:
    net = network().bfloat16()
    prune.magnitude(net, "pattern:8+connectivity:2")
    found = prune.find_library(net[4].weight.detach().float().numpy())
    assert isinstance(found, prune.FoundLibrary)
    assert len(found.library) == 8


def test_a_parametrized_weight_is_refused() -> None:
    net = network()
    torch_prune: Any = pytest.importorskip("torch.nn.utils.prune")
    torch_prune.l1_unstructured(net[4], "weight", 0.5)
    with pytest.raises(SchemeError, match=r"layer '4': .*prune\.remove"):
        prune.magnitude(net, "pattern:8")
    torch_prune.remove(net[4], "weight")
    prune.magnitude(net, "pattern:8")


def test_wrapped_modules_have_the_names_of_their_own() -> None:
    net = network()
    torch: Any = pytest.importorskip("torch")
    for wrapped in (torch.compile(net), torch.nn.DataParallel(torch.compile(net))):
        assert list(rows(prune.magnitude(wrapped, "pattern:8"))) == list(
            rows(prune.magnitude(net, "pattern:8"))
        )


def test_modules_without_values_are_refused() -> None:
    with pytest.raises(WeightsError, match="layer '0': the weight has no values yet"):
        prune.magnitude(network().to("meta"), "pattern:8")
    lazy: Any = pytest.importorskip("torch.nn").LazyConv2d(4, 3)
    with pytest.raises(WeightsError, match="the weight has no values yet"):
        prune.magnitude(lazy, "pattern:8")
