# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The sets of the schemes: projections are the nearest point, by brute force over small weights."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pconv_mlir import prune
from pconv_mlir.errors import SchemeError

# Schemes, and the smallest shapes on which all of their rules show. Blocks divide the layers: units
# at a ragged edge compete by their mean square.
SMALL = [
    ("unstructured@3", (2, 2, 1, 2)),
    ("filter@2", (5, 2, 1, 1)),
    ("channel@2", (2, 5, 1, 1)),
    ("block:2x2@2.5", (4, 3)),
    ("block-punched:2x1@2", (2, 2, 1, 3)),
    ("nm:2:4", (2, 4)),
    ("nm:1:3", (1, 4, 1, 2)),
    ("nm:2:3/flat", (2, 2, 1, 2)),
    ("pattern:1x3[0.1,2]+connectivity:2", (2, 2, 1, 3)),
    ("pattern:1x3[0.1,2]+connectivity:2/layer", (2, 2, 1, 3)),
    ("pattern:1x3[0.1,1.2]", (2, 2, 1, 3)),
]
EVERY = sorted({text for text, _ in SMALL} | {"dense", "pattern:8+connectivity:2/aligned"})


@cache
def members(scheme: prune.Scheme, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Every mask of a shape that is in the set."""
    cells = itertools.product([False, True], repeat=math.prod(shape))
    masks = (np.array(kept).reshape(shape) for kept in cells)
    return np.array([mask for mask in masks if scheme.check(mask)])


@pytest.mark.parametrize(("text", "shape"), SMALL)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_no_point_of_the_set_is_nearer(text: str, shape: tuple[int, ...], seed: int) -> None:
    scheme = prune.parse_scheme(text)
    weight = np.random.default_rng(seed).standard_normal(shape)
    squares = np.square(weight)
    inside = members(scheme, shape).reshape(-1, squares.size)
    assert squares[scheme.project(weight)].sum() == pytest.approx((inside @ squares.ravel()).max())
    assert inside.sum(axis=1).max() == scheme.count(shape)


def members_by_hand(text: str, mask: NDArray[np.bool_]) -> bool:
    """The definition of a set, said without the library."""
    out, inp = mask.shape[:2]
    match text:
        case "unstructured@3":
            return mask.sum() <= 3
        case "filter@2":
            return mask.any(axis=(1, 2, 3)).sum() <= 3
        case "channel@2":
            return mask.any(axis=(0, 2, 3)).sum() <= 3
        case "block:2x2@2.5":
            return mask.reshape(2, 2, 3).any(axis=1).sum() <= 2
        case "block-punched:2x1@2":
            return mask.any(axis=0).sum() <= 3
        case "nm:2:4":
            return all(row.sum() <= 2 for row in mask)
        case "nm:1:3":
            return all(mask[0, :3, 0, k].sum() <= 1 for k in range(2))
        case "nm:2:3/flat":
            return all(row.ravel()[:3].sum() <= 2 for row in mask)
    two = "0.1,2" in text
    for o, i in np.ndindex(out, inp):
        kept = set(np.flatnonzero(mask[o, i]))
        if not (kept <= {0, 1} or kept <= ({2} if two else {1, 2})):
            return False
    kernels = mask.any(axis=(2, 3))
    if not two:
        return True
    return bool(kernels.sum() <= 2 if "layer" in text else (kernels.sum(axis=1) <= 1).all())


@pytest.mark.parametrize(("text", "shape"), SMALL)
def test_the_check_says_what_the_definition_says(text: str, shape: tuple[int, ...]) -> None:
    scheme = prune.parse_scheme(text)
    generator = np.random.default_rng(0)
    answers = set()
    for _ in range(600):
        mask = generator.random(shape) < generator.random()
        expected = bool(members_by_hand(text, mask))
        assert scheme.check(mask.astype(np.float32)) == expected
        answers.add(expected)
    assert answers == {False, True}


@pytest.mark.parametrize(
    ("scheme", "message"),
    [
        ("pattern:scp4", "kernel [0, 0] wears none of the 4 patterns, nor do 31 others"),
        ("unstructured@2", "288 of 288 weights are kept, expected at most 144"),
        ("filter@2", "8 of 8 filters are kept, expected at most 4"),
        ("block-punched:4x2@3", "36 of 36 block positions are kept, expected at most 12"),
        ("nm:2:4", "72 of 72 groups of 4 keep more than 2 weights, up to 4"),
    ],
)
def test_a_violation_is_said_in_words(scheme: str, message: str) -> None:
    assert prune.parse_scheme(scheme).violation(np.ones((8, 4, 3, 3))) == message


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("", "filter 2 keeps 4 kernels, expected at most 2"),
        ("/layer", "18 kernels are kept, expected at most 16"),
        ("/aligned", "filter 2 keeps 4 kernels"),
    ],
)
def test_connectivity_is_checked(rule: str, message: str) -> None:
    weight = np.random.default_rng(0).standard_normal((8, 4, 3, 3))
    weight *= prune.project(weight, prune.parse_scheme("pattern:8+connectivity:2"))
    weight[2] = prune.parse_scheme("pattern:8").project(np.ones((1, 4, 3, 3)))
    scheme = prune.parse_scheme(f"pattern:8+connectivity:2{rule}")
    assert message in scheme.violation(weight)


@given(st.integers(0, 2**32), st.integers(3, 11))
@settings(max_examples=30)
def test_aligned_filters_are_found_in_any_order(seed: int, filters: int) -> None:
    generator = np.random.default_rng(seed)
    weight = generator.standard_normal((filters, 6, 3, 3))
    scheme = prune.parse_scheme("pattern:8+connectivity:2/aligned")
    weight *= scheme.project(weight)
    weight = generator.permutation(weight) * generator.uniform(0.1, 9, (filters, 1, 1, 1))
    assert scheme.check(weight)
    assert np.array_equal(weight * scheme.project(weight), weight)
    alone = prune.parse_scheme("pattern:8+connectivity:2")
    weight = generator.standard_normal(weight.shape)
    weight *= alone.project(weight)
    assert alone.check(weight)
    assert "no groups of four" in scheme.violation(weight)


def test_mined_patterns_need_their_library() -> None:
    weight = np.random.default_rng(0).standard_normal((4, 4, 3, 3))
    scheme = prune.parse_scheme("pattern:mined6+connectivity:2")
    library = prune.mine_natural(weight, 6)
    assert scheme.check(weight * scheme.project(weight, library), library)
    assert scheme.count(weight.shape, library) == 4 * 2 * 4
    with pytest.raises(SchemeError, match="mine_natural"):
        scheme.check(weight)


@pytest.mark.parametrize("text", EVERY)
def test_zeros_are_in_every_set(text: str) -> None:
    size = (1, 3) if "1x3" in text else (3, 3)
    shape = (8, 8, *size)
    assert prune.parse_scheme(text).check(np.zeros(shape))


def test_torch_tensors_are_weights_too() -> None:
    torch = pytest.importorskip("torch", reason="checks a torch tensor")
    scheme = prune.NM(2, 4)
    weight = torch.nn.Parameter(torch.randn(4, 8).bfloat16())
    mask = torch.from_numpy(scheme.project(weight))
    assert not scheme.check(weight)
    assert scheme.check(weight * mask)
    assert scheme.picture(weight).endswith("50.0% zeros")


# Pictures


def test_a_mask_as_text() -> None:
    weight = np.zeros((3, 2, 2, 3))
    weight[0, 0] = [[1, 2, 0], [0, 0, 3]]
    weight[1, 1, 1] = 5
    assert prune.mask_text(weight, filters=2).splitlines() == [
        "██· ···",
        "··█ ···",
        "",
        "··· ···",
        "··· ███",
        "83.3% zeros, 2 of 3 outputs",
    ]
    assert prune.mask_text(np.eye(2)) == "█·\n·█\n50.0% zeros"
    assert prune.NM(1, 2).picture(np.array([[1, 2, 4, 3.0]])) == "·██·\n50.0% zeros"


def test_masks_as_a_picture(tmp_path: Any) -> None:
    image = pytest.importorskip("matplotlib.image", reason="pictures need matplotlib")
    weights = {"conv": np.ones((8, 4, 3, 3)), "head": np.ones((5, 8))}
    shapes = set()
    for scheme in ("dense", "unstructured@4"):
        prune.magnitude(weights, scheme, leave_alone=())
        prune.draw_masks(tmp_path / "masks.png", weights)
        pixels = image.imread(tmp_path / "masks.png")
        green = np.abs(pixels[..., :3] - np.array([0x2A, 0x7F, 0x62]) / 255).max(axis=-1) < 0.02
        shapes.add((pixels.shape, round(float(green.mean()), 1)))
    assert len(shapes) == 2


@pytest.mark.parametrize("draw", [prune.mask_text, lambda w: prune.draw_masks("x.png", {"w": w})])
def test_what_cannot_be_drawn_is_refused(draw: Any) -> None:
    with pytest.raises(SchemeError, match=r"to draw"):
        draw(np.ones(3))
