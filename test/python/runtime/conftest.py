# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from __future__ import annotations

from pathlib import Path

import handmade
import numpy as np
import pytest

from pconv_mlir.artefact import Artefact, save
from pconv_mlir.runtime import Network


@pytest.fixture(scope="session")
def artefact() -> Artefact:
    return handmade.artefact()


@pytest.fixture
def network(artefact: Artefact) -> Network:
    return Network(artefact, num_threads=2)


@pytest.fixture
def x() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((2, 4), np.float32)


@pytest.fixture
def saved(artefact: Artefact, tmp_path: Path) -> Path:
    """A good file, to be damaged."""
    path = tmp_path / "model.pconv"
    save(artefact, path)
    return path
