# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# For type checkers only: the build puts MLIR's own module in this place.
from typing import Any

def __getattr__(name: str) -> Any: ...
