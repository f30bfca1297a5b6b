# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The picture of the demo."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pconv_mlir import prune
from pconv_mlir.errors import ArtefactError, DependencyError
from pconv_mlir.report import picture

BARS = [picture.Bars("net", {"pconv": 1.0, "pconv-dense": 3.0, "onnxruntime": 5.5})]


def test_patterns_are_counted_over_all_layers() -> None:
    weights = {
        "first": np.random.default_rng(0).standard_normal((4, 1, 3, 3), np.float32),
        "a": np.random.default_rng(1).standard_normal((8, 6, 3, 3), np.float32),
        "b": np.random.default_rng(2).standard_normal((4, 8, 3, 3), np.float32),
        "linear": np.ones((3, 3), np.float32),
    }
    prune.magnitude(weights, "pattern:4+connectivity:2")
    used = picture.patterns_in_use(weights)
    assert sum(used.values()) == 8 * 3 + 4 * 4
    assert all(len(cells) == 4 for cells in used) and len(used) <= 4


def test_a_png_is_written(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    path = tmp_path / "p.png"
    picture.draw(str(path), {(0, 1, 3, 4): 10, (1, 2, 4, 5): 7}, BARS * 2)
    assert path.read_bytes()[:4] == b"\x89PNG"
    pixels = matplotlib.image.imread(path)
    assert pixels.shape[:2] == (720, 1200)
    assert pixels[..., :3].std() > 0.1  # something is drawn


def test_a_picture_without_patterns(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture.draw(str(tmp_path / "p.png"), {}, BARS)
    assert (tmp_path / "p.png").exists()


def test_no_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(DependencyError, match=r"pip install 'pconv-mlir\[plot\]'"):
        picture.draw(str(tmp_path / "p.png"), {}, BARS)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    with pytest.raises(ArtefactError, match="cannot write"):
        picture.draw(str(tmp_path / "no" / "p.png"), {}, BARS)
