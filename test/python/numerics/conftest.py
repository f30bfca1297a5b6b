# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
from __future__ import annotations

from pathlib import Path

import native
import pytest


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled networks become programs."""
    if missing := native.HOST.missing():
        pytest.skip(f"needs {', '.join(missing)} to link compiled networks")
    return tmp_path_factory.mktemp("workshop")
