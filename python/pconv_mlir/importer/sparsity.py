# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Finds out, from the zeros of the weights alone, how each layer was pruned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pconv_mlir import ir
from pconv_mlir.attributes import read_batch_norm
from pconv_mlir.checks import check_shape, is_finite
from pconv_mlir.dialects import pattern
from pconv_mlir.errors import ModelError, WeightsError
from pconv_mlir.module import Module
from pconv_mlir.parsing import main_function, parse, stage
from pconv_mlir.prune.patterns import FoundLibrary, find_library

MIN_ZEROS = 0.1  # a matrix with a smaller share of zeros counts as dense

Kernels = NDArray[np.int8]
Weights = Mapping[str, NDArray[np.float32]]


def find_scheme(weight: NDArray[np.float32]) -> tuple[str, Kernels | None, str]:
    """Find the scheme that the zeros of a convolution's or a matrix's weight show.

    Args:
        weight: [O, I, KH, KW] or [O, I], not wholly zero.

    Returns:
        Text of the scheme attribute; for kernel patterns the pattern of every kernel (0 = removed),
        else None; a note for the user that starts with the name of the scheme.
    """
    if weight.ndim != 4:
        zeros = 1 - np.count_nonzero(weight) / weight.size
        name = "unstructured" if zeros >= MIN_ZEROS else "dense"
        return f"#pattern.{name}", None, f"{name}: {zeros:.1%} of the weights are zero"
    found = find_library(weight)
    if not isinstance(found, FoundLibrary):
        name = "unstructured" if found.kind == "unstructured" else "dense"
        return f"#pattern.{name}", None, f"{name}: {found.reason}"
    kept = np.count_nonzero(found.kernels)
    note = f"kernel: {len(found.library)} kernel patterns, {kept} of {found.kernels.size} kernels"
    return f"#pattern.kernel<#pattern.library<{found.library}>>", found.kernels, note


def describe_weights(module: ir.Module, weights: Weights) -> dict[str, str]:
    """Check the weights of an imported network and give each symbol its scheme, in place.

    Returns:
        What was found, or why a layer is dense, by layer.

    Raises:
        WeightsError: A weight is NaN or infinite, or a layer has no filter left.
    """
    ops = {op.sym_name.value: op for op in module.body if isinstance(op, pattern.WeightsOp)}
    notes = {}
    for layer, prunable, symbols in _layers(module):
        for name in symbols:
            _check_finite(layer, name, weights[name])
        if prunable:
            name = symbols[0]
            if not weights[name].any():
                raise WeightsError(
                    f"zero filters left: every weight of {name!r} is zero; prune less, or take the "
                    "layer out of the network",
                    layer=layer,
                )
            scheme, kernels, notes[layer] = find_scheme(weights[name])
            _set_scheme(ops[name], scheme, kernels)
    return notes


def refresh(module: Module) -> Module:
    """The same network with the schemes that its weights show now, for example after pruning.

    Raises:
        ModelError: The network is past the stage `imported`, or its IR is malformed.
        WeightsError: As for `describe_weights`; also where a weight is missing or has changed its
            shape or type.
    """
    with ir.Context(), ir.Location.unknown():
        parsed = parse(module.ir)
        if (found := stage(parsed)) != "imported":
            raise ModelError(f"expected a network at the stage 'imported', got {found!r}")
        for op in parsed.body:
            if isinstance(op, pattern.WeightsOp):
                check_shape(op.operation, module.weights)
        notes = describe_weights(parsed, module.weights)
        return Module(
            str(parsed), module.weights, module.inputs, module.outputs, {**module.notes, **notes}
        )


def prunable_weights(module: Module) -> dict[str, str]:
    """The symbol of the weight of every layer that can be pruned, by the layer's name.

    Raises:
        ModelError: The IR of the network is malformed.
    """
    with ir.Context():
        layers = list(_layers(parse(module.ir)))
    return {layer: symbols[0] for layer, prunable, symbols in layers if prunable}


def _layers(module: ir.Module) -> Iterator[tuple[str, bool, list[str]]]:
    """Every layer with weights: its name, whether its first weight can be pruned, its symbols."""
    for op in main_function(module).regions[0].blocks[0]:
        symbols = weight_symbols(op.operation)
        if symbols:
            prunable = "weights" in op.operation.attributes
            yield op.operation.attributes["layer"].value, prunable, symbols


def weight_symbols(op: ir.Operation) -> list[str]:
    """Symbols of the weights that an op of an imported network uses."""
    if op.name == "pattern.batch_norm":
        return list(read_batch_norm(op.attributes["parameters"]).symbols)
    return [op.attributes[key].value for key in ("weights", "bias") if key in op.attributes]


def _set_scheme(op: pattern.WeightsOp, scheme: str, kernels: Kernels | None) -> None:
    op.operation.attributes["scheme"] = ir.Attribute.parse(scheme)
    if kernels is not None:
        op.operation.attributes["kernels"] = ir.DenseElementsAttr.get(kernels)
    elif "kernels" in op.operation.attributes:
        del op.operation.attributes["kernels"]


def _check_finite(layer: str, name: str, values: NDArray[np.float32]) -> None:
    if not is_finite(values):
        raise WeightsError(
            f"the weight {name!r} holds NaN or infinity: repair or retrain the network", layer=layer
        )
