# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The performance model of a pruned layer, as formulas.

After Park et al., Faster CNNs with Direct Sparse Convolutions and Guided Pruning (SkimCaffe, ICLR
2017, arXiv 1608.01409), section 2.2. A layer that keeps a share x of its weights takes

    max((f + alpha x) C/F, (S_A + beta x S_W) / B)

with C its dense operations, S_A and S_W the bytes of its activations and weights, F and B what the
machine does at best. alpha says how much dearer an operation of the sparse loop is, beta how many
bytes a kept weight takes, with its index, for each of its own. f is not in the paper: what the loop
does however few weights there are, such as copying its input; it bounds what sparsity can bring.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pconv_mlir.errors import OptionError


@dataclass(frozen=True)
class LayerModel:
    """How fast one layer is at every sparsity. Sparsity is 1 - x.

    Args:
        name: Of the layer.
        flops: C: operations of the dense layer, two for each multiplication.
        activation_bytes: S_A: of its input and output.
        weight_bytes: S_W: of its dense weights.
        peak: F: operations in a second.
        bandwidth: B: bytes in a second.
        alpha: Time of the sparse loop over that of the same operations at the peak; None where the
            compiler has no sparse loop for the scheme, so that the layer runs dense.
        beta: Bytes of a kept weight and its index over those of a weight.
        dense: What alpha is for the dense kernel: 1 for one that reaches the peak, as in the paper.
        fixed: f: of the sparse loop at any sparsity, in times of the dense layer at the peak.

    Raises:
        OptionError: A number is not positive and finite.
    """

    name: str
    flops: float
    activation_bytes: float
    weight_bytes: float
    peak: float
    bandwidth: float
    alpha: float | None
    beta: float = 2.0
    dense: float = 1.0
    fixed: float = 0.0

    def __post_init__(self) -> None:
        for field in self.__dataclass_fields__:
            value = getattr(self, field)
            if field == "name" or (field == "alpha" and value is None):
                continue
            zero_allowed = field == "fixed" and value == 0
            if isinstance(value, bool) or not (zero_allowed or 0 < value < math.inf):
                raise OptionError(
                    f"expected a positive number as {field} of the performance model, got "
                    f"{value!r}: calibrate again",
                    layer=self.name,
                )

    @property
    def dense_seconds(self) -> float:
        """Time of the dense kernel."""
        return max(self.dense * self.flops / self.peak, self._traffic_seconds(1, 1))

    def seconds(self, x: float) -> float:
        """Time of the layer when a share `x` of its weights is kept."""
        if self.alpha is None:
            return self.dense_seconds
        compute = (self.fixed + self.alpha * x) * self.flops / self.peak
        return max(compute, self._traffic_seconds(x, self.beta))

    def speedup(self, x: float) -> float:
        """How many times faster than dense it then is; below 1, slower."""
        return self.dense_seconds / self.seconds(x)

    @property
    def x_hi(self) -> float:
        """Below this share of kept weights the layer is faster than dense; 1/alpha in the paper."""
        if self.alpha is None:
            return 0.0
        compute = self.dense_seconds * self.peak / self.flops - self.fixed
        room = self.dense_seconds * self.bandwidth - self.activation_bytes
        most = min(compute / self.alpha, room / (self.beta * self.weight_bytes))
        return min(max(most, 0.0), 1.0)

    @property
    def x_lo(self) -> float:
        """Below this share fewer weights bring little; 1 if they always do.

        Where (f + alpha x) C/F = (S_A + beta x S_W) / B, so that memory is the limit, or where half
        of the loop's time does not depend on the weights: alpha x = f.
        """
        if self.alpha is None:
            return 1.0
        ideal = self.flops / self.peak
        saved = self.alpha * ideal - self.beta * self.weight_bytes / self.bandwidth
        if saved <= 0:
            return 1.0
        memory = (self.activation_bytes / self.bandwidth - self.fixed * ideal) / saved
        return min(max(memory, self.fixed / self.alpha), 1.0)

    @property
    def useless(self) -> str:
        """Why pruning the layer promises no speed, or nothing if it does."""
        if self.alpha is None:
            return "the compiler runs it dense"
        balance, intensity = self.peak / self.bandwidth, self.intensity
        if intensity < balance:
            return (
                f"memory is its limit: {intensity:.3g} operations a byte, and the machine can do "
                f"{balance:.3g}"
            )
        if self.x_lo >= self.x_hi:
            return "what does not depend on the weights is its limit at every sparsity"
        return ""

    @property
    def intensity(self) -> float:
        """Operations of the dense layer for each byte that it moves."""
        return self.flops / (self.activation_bytes + self.weight_bytes)

    def sparse_intensity(self, x: float) -> float:
        """Operations that are left for each byte that is left."""
        return x * self.flops / (self.activation_bytes + self.beta * x * self.weight_bytes)

    def _traffic_seconds(self, x: float, beta: float) -> float:
        return (self.activation_bytes + beta * x * self.weight_bytes) / self.bandwidth
