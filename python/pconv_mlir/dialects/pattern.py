# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The pattern dialect: generated op classes and enums."""

from typing import TYPE_CHECKING, Any

from ._pattern_enum_gen import *  # noqa: F403
from ._pattern_ops_gen import *  # noqa: F403

if TYPE_CHECKING:  # the build generates the classes

    def __getattr__(name: str) -> Any: ...
