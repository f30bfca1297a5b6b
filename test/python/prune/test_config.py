# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Pruning configs: which layer gets which scheme, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pconv_mlir
from pconv_mlir import prune
from pconv_mlir.errors import ConfigError, PConvError, SchemeError
from pconv_mlir.prune.layers import find_layers

SHAPES = {
    "stem": (16, 3, 3, 3),
    "body.0.conv": (24, 16, 3, 3),
    "body.0.dw": (24, 1, 3, 3),
    "body.1.conv": (32, 24, 3, 3),
    "body.1.pw": (32, 24, 1, 1),
    "head": (10, 32),
}
YAML = """
scheme: pattern:8+connectivity:2
kinds:
  1x1: block:8x8@4
layers:
  "body.1.*": unstructured@4
  body.1.conv: dense
  head: block:5x8@2
"""


@pytest.fixture
def weights() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype("f4") for name, shape in SHAPES.items()}


def schemes(config: prune.PruneConfig, weights: dict[str, Any]) -> dict[str, str]:
    return {
        choice.layer.name: choice.note or str(choice.scheme)
        for choice in config.choose(find_layers(weights))
    }


def test_only_inner_convolutions_are_pruned_unless_said(weights: dict[str, Any]) -> None:
    assert schemes(prune.PruneConfig(), weights) == {
        "stem": "first convolution",
        "body.0.conv": "pattern:8+connectivity:3.6",
        "body.0.dw": "depthwise convolution",
        "body.1.conv": "pattern:8+connectivity:3.6",
        "body.1.pw": "1x1 convolution",
        "head": "linear layer",
    }


def test_names_win_over_globs_and_globs_over_kinds(weights: dict[str, Any]) -> None:
    pytest.importorskip("yaml", reason="configs as text need PyYAML")
    assert schemes(prune.PruneConfig.from_yaml(YAML), weights) == {
        "stem": "first convolution",
        "body.0.conv": "pattern:8+connectivity:2",
        "body.0.dw": "depthwise convolution",
        "body.1.conv": "dense asked for",
        "body.1.pw": "unstructured@4",
        "head": "block:5x8@2",
    }


def test_the_first_glob_that_matches_wins(weights: dict[str, Any]) -> None:
    config = prune.PruneConfig("filter@2", layers={"b*": "dense", "body.*": "channel@2"})
    with pytest.raises(SchemeError, match="no layer is left to prune"):
        schemes(config, weights)


def test_matrices_get_blocks_by_default(weights: dict[str, Any]) -> None:
    found = schemes(prune.PruneConfig("block:8x8@4"), weights)
    assert found["head"] == found["body.1.pw"] == "block:8x8@4"
    assert found["stem"] == "first convolution"
    assert found["body.0.dw"] == "depthwise convolution"


def test_a_config_is_read_back_as_it_was(weights: dict[str, Any]) -> None:
    pytest.importorskip("yaml", reason="configs as text need PyYAML")
    config = prune.PruneConfig.from_yaml(YAML).made_for(find_layers(weights))
    assert config.shapes["head"] == (10, 32)
    assert prune.PruneConfig.from_yaml(config.to_yaml()) == config
    assert prune.PruneConfig.of(config.to_dict()) == config
    assert prune.PruneConfig.of("filter@2") == prune.PruneConfig(prune.Filter(2))


def test_magnitude_takes_a_config(weights: dict[str, Any]) -> None:
    config = prune.PruneConfig("pattern:8", {"linear": "filter@2"}, {"body.0.conv": "filter@2"})
    report = {layer.name: layer for layer in prune.magnitude(weights, config).layers}
    assert {name: layer.scheme for name, layer in report.items()} == {
        **dict.fromkeys(SHAPES, "dense"),
        "body.0.conv": "filter@2",
        "body.1.conv": "pattern:8",
        "head": "filter@2",
    }
    assert report["head"].empty_filters == 5


def test_libraries_are_mined_from_the_layers_that_want_them(weights: dict[str, Any]) -> None:
    config = prune.PruneConfig("pattern:mined5", layers={"body.0.conv": "pattern:mined3"})
    choices = {choice.layer.name: choice for choice in config.choose(find_layers(weights))}
    assert choices["body.0.conv"].library == prune.mine_natural(weights["body.0.conv"], 3)
    assert choices["body.1.conv"].library == prune.mine_natural(weights["body.1.conv"], 5)
    assert choices["stem"].library is None


def test_kernels_of_another_size_are_left_alone_unless_named() -> None:
    weights = {f"c{k}": np.ones((8, 8, k, k)) for k in (7, 5, 3, 2)}
    fixed = prune.PruneConfig("pattern:8").choose(find_layers(weights))
    assert [choice.note for choice in fixed] == [
        "first convolution",
        "5x5 kernels, 3x3 patterns",
        "",
        "2x2 kernels, 3x3 patterns",
    ]
    mined = prune.PruneConfig("pattern:mined4").choose(find_layers(weights))
    assert [choice.note for choice in mined][1:] == ["", "", "2x2 kernels, which have no centre"]
    for config in ({"layers": {"c5": "pattern:8"}}, {"kinds": {"conv": "pattern:8"}}):
        with pytest.raises(SchemeError, match="layer 'c5': expected 3x3 kernels"):
            prune.magnitude(dict(weights), prune.PruneConfig.of(config))
    del weights["c3"]
    with pytest.raises(SchemeError, match=r"no layer is left .*first convolution, 5x5 kernels, 3x"):
        prune.magnitude(weights, "pattern:8")


def test_the_page_says_the_same_in_python_and_yaml() -> None:
    pytest.importorskip("yaml", reason="configs as text need PyYAML")
    page = (Path(__file__).parents[3] / "docs" / "Pruning.md").read_text()
    code = re.search(r"^config = .*?^\)$", page, re.MULTILINE | re.DOTALL)
    text = re.search(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert code and text
    names: dict[str, Any] = {"pconv": pconv_mlir}
    exec(code[0], names)
    assert prune.PruneConfig.from_yaml(text[1]) == names["config"]


# Refusals

BAD_TEXT = {
    "- a\n- b": "expected a config, a scheme or a dict, got list",
    "schem: dense": "no key of a config is called 'schem': did you mean scheme",
    "kinds: {3x3: dense}": "no kind of layer is called '3x3': there are first, 1x1",
    "layers: [a, b]": "expected a dict as layers, got list",
    "layers: {0: dense}": "expected names as keys of layers, got int 0: quote it",
    "layers: {a: 4}": "expected a scheme as the scheme of 'a', got int 4",
    "scheme: 3": "expected a scheme as the scheme, got int 3",
    "scheme: pattern:7": "expected 4, 8 or 12 patterns, got 7",
    "shapes: {a: [x]}": "expected shapes as lists of numbers",
    "scheme: [": "no valid YAML",
    "scheme: !!python/object/apply:os.getcwd []": "no valid YAML",
    "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nscheme: *c": "no key of a config is called 'a'",
}


@pytest.mark.parametrize("text", BAD_TEXT)
def test_malformed_text_is_refused(text: str) -> None:
    pytest.importorskip("yaml", reason="configs as text need PyYAML")
    with pytest.raises(PConvError, match=BAD_TEXT[text]):
        prune.PruneConfig.from_yaml(text)


def test_a_small_text_cannot_become_a_huge_error() -> None:
    pytest.importorskip("yaml", reason="configs as text need PyYAML")
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    with pytest.raises(ConfigError) as error:
        prune.PruneConfig.from_yaml("\n".join([*lines, "scheme: *a29"]).replace("a0:", "layers:"))
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"layers": {"body.0.con": "dense"}}, "called 'body.0.con': did you mean body.0.conv"),
        ({"layers": {"x*": "dense"}}, r"called 'x\*': there are stem, body.0.conv"),
        ({"layers": {"head": "block:8x8@999"}}, "layer 'head': .* leave none of 64 block columns"),
        ({"scheme": "filter@25"}, "layer 'body.0.conv': .* leave none of 24 filters"),
        ({"shapes": {**SHAPES, "head": (7, 32)}}, r"'head': .* it has \(7, 32\), this one \(10"),
        ({"shapes": {**SHAPES, "x": (7, 32)}}, r"'x': .*another network.* no such layer"),
        ({"shapes": {"head": (10, 32)}}, "'stem': .* it has no such layer"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(
    weights: dict[str, Any], config: dict[str, Any], message: str
) -> None:
    before = dict(weights)
    with pytest.raises(SchemeError, match=message):
        prune.magnitude(weights, prune.PruneConfig.of(config))
    assert all(weights[name] is before[name] for name in weights)
