# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Masks to look at: as text, and as a PNG (needs matplotlib)."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import figure
from pconv_mlir.errors import SchemeError
from pconv_mlir.prune.layers import find_layers

if TYPE_CHECKING:
    import torch

KEPT, REMOVED = "█", "·"


def mask_text(weight: NDArray[Any], *, filters: int = 8, channels: int = 8) -> str:
    """The zeros of a layer's weight or mask, drawn with characters.

    A convolution is a table of kernels, a row for each filter; a matrix is drawn as it is.

    Args:
        weight: Of a convolution [out, in, height, width], or a matrix [out, in].
        filters: Outputs that are drawn: the first.
        channels: Inputs that are drawn: the first.

    Raises:
        SchemeError: The weight has another number of dimensions.

    >>> print(mask_text(np.eye(3)))
    █··
    ·█·
    ··█
    66.7% zeros
    """
    _check(weight)
    shown = weight[:filters, :channels] != 0
    if weight[0, 0].size == 1:
        text = "\n".join(map(_line, shown.reshape(shown.shape[:2])))
    else:
        text = "\n\n".join(map(_kernels_text, shown))
    facts = [f"{1 - np.count_nonzero(weight) / weight.size:.1%} zeros"]
    for what, drawn, there in zip(("outputs", "inputs"), shown.shape, weight.shape, strict=False):
        facts += [f"{drawn} of {there} {what}"] if drawn < there else []
    return text + "\n" + ", ".join(facts)


def _kernels_text(kernels: NDArray[np.bool_]) -> str:
    """The kernels [in, height, width] of a filter, side by side."""
    return "\n".join(" ".join(map(_line, rows)) for rows in kernels.transpose(1, 0, 2))


def _line(kept: NDArray[np.bool_]) -> str:
    return "".join(KEPT if cell else REMOVED for cell in kept)


def draw_masks(
    path: str | os.PathLike[str], model: torch.nn.Module | MutableMapping[str, NDArray[Any]]
) -> None:
    """Writes a PNG of the zeros of every layer with a weight; kernels lie side by side.

    Args:
        path: The file.
        model: A torch module, or weights by name.

    Raises:
        DependencyError: matplotlib is not installed.
        SchemeError: There is no layer to draw.
        ArtefactError: The file cannot be written.
    """
    figure.check_available()
    from matplotlib.colors import ListedColormap

    layers = find_layers(model)
    if not layers:
        raise SchemeError("there is nothing to draw: no layer has a weight")
    columns = min(4, len(layers))
    rows = -(-len(layers) // columns)
    picture = figure.new(3 * columns, 3.2 * rows)
    panels = np.ravel(picture.subplots(rows, columns, squeeze=False))
    colours = ListedColormap(["#f0f0f0", "#2a7f62"])
    for panel in panels:
        panel.set(xticks=[], yticks=[])
        panel.spines[:].set_visible(False)
    for panel, layer in zip(panels, layers, strict=False):
        kept = mosaic(layer.value)
        panel.imshow(kept, cmap=colours, vmin=0, vmax=1, interpolation="nearest", aspect="auto")
        panel.set_title(f"{layer.name}: {1 - kept.mean():.1%} zeros", fontsize=8)
    figure.save(picture, path, dpi=150)


def mosaic(weight: NDArray[Any]) -> NDArray[np.bool_]:
    """Non-zeros as a matrix: kernels side by side, inputs to the right, outputs downwards."""
    _check(weight)
    kept: NDArray[np.bool_] = weight != 0
    if kept.ndim == 2:
        return kept
    out_channels, in_channels, height, width = kept.shape
    side_by_side = kept.transpose(0, 2, 1, 3)
    return side_by_side.reshape(out_channels * height, in_channels * width)


def _check(weight: NDArray[Any]) -> None:
    if weight.ndim not in (2, 4) or not weight.size:
        raise SchemeError(
            f"expected the weight of a convolution or a matrix to draw, got shape {weight.shape}"
        )
