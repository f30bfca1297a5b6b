# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How much a filter or an input channel matters, said in other ways than by its norm."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pconv_mlir.errors import OptionError, SchemeError
from pconv_mlir.prune.config import Choice
from pconv_mlir.prune.schemes import Channel, Filter
from pconv_mlir.prune.units import Norms

#: `l2`: the norm. `geometric-median`: how far it is from the others, which could stand in for it.
#: `taylor`: how much the loss would change without it, to first order.
Importance = Literal["l2", "geometric-median", "taylor"]
IMPORTANCES: tuple[Importance, ...] = get_args(Importance)


def check_importance(importance: str) -> None:
    """
    Raises:
        OptionError: No importance is called so.
    """
    if importance not in IMPORTANCES:
        raise OptionError(
            f"expected an importance among {', '.join(IMPORTANCES)}, got {importance!r}"
        )


def check_ranked(choice: Choice, importance: Importance) -> None:
    """
    Raises:
        SchemeError: The layer's scheme ranks no filters or channels, and something else than their
            norm was asked for.
    """
    if importance != "l2" and not isinstance(choice.scheme, (Filter, Channel)):
        raise SchemeError(
            f"{importance} importance ranks filters and input channels, {choice.scheme} neither: "
            "use filter or channel schemes, or importance 'l2'",
            layer=choice.layer.name,
        )


def geometric_median(weight: NDArray[Any], scheme: Filter | Channel) -> Norms:
    """Sum of the distances of every filter (or input channel) from the others.

    The one nearest to the geometric median of them all is the one that the others replace best:
    He et al., Filter Pruning via Geometric Median for Deep Convolutional Neural Networks
    Acceleration (CVPR 2019, arXiv 1811.00250), section 3.3. Those that are gone already are
    nobody's neighbours and go first.
    """
    axis = 0 if isinstance(scheme, Filter) else 1
    rows = np.moveaxis(weight, axis, 0).reshape(weight.shape[axis], -1).astype(np.float64)
    squares = np.square(rows).sum(axis=1)
    alive = squares > 0
    distances = np.sqrt(np.maximum(squares[:, None] + squares - 2 * rows @ rows.T, 0))
    np.fill_diagonal(distances, 0)  # rounding leaves more
    return np.where(alive, distances @ alive, -1.0)
