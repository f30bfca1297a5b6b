# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How fast a layer would be at which sparsity: SkimCaffe's model, calibrated on this machine.

`model` has the formulas, `probes` and `calibration` their constants, `prediction` the answers.
"""

from __future__ import annotations

from pconv_mlir.performance.calibration import Calibration
from pconv_mlir.performance.model import LayerModel
from pconv_mlir.performance.prediction import Row, WhatIf, layer_models, what_if

__all__ = ["Calibration", "LayerModel", "Row", "WhatIf", "layer_models", "what_if"]
