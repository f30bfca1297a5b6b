# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The engines that are compared: our own, and others where they are installed.

All get the same ONNX model with the same zeros, the same number of threads, and float32.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import DependencyError, OptionError
from ..runtime import Network

Arrays = list[NDArray[np.float32]]


class Engine(Protocol):
    """Something that runs a network."""

    name: str

    def run(self, inputs: Arrays) -> Arrays:
        """One run, NCHW in and out."""


class OwnEngine:
    """A network that we compiled."""

    def __init__(self, name: str, network: Network) -> None:
        self.name = name
        self.network = network

    def run(self, inputs: Arrays) -> Arrays:
        result = self.network(*inputs)
        return list(result) if isinstance(result, tuple) else [result]


class OnnxRuntime:
    """onnxruntime on its CPU provider, all graph optimizations on."""

    name = "onnxruntime"

    def __init__(self, model: Path, threads: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        self._names = [value.name for value in self._session.get_inputs()]

    def run(self, inputs: Arrays) -> Arrays:
        results = self._session.run(None, dict(zip(self._names, inputs, strict=True)))
        return [np.asarray(result) for result in results]


class OpenVino:
    """OpenVINO on its CPU plugin: one stream, float32, tuned for latency."""

    name = "openvino"

    def __init__(self, model: Path, threads: int) -> None:
        import openvino

        core = openvino.Core()
        config = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        compiled = core.compile_model(core.read_model(str(model)), "CPU", config)
        self._request = compiled.create_infer_request()
        self._outputs = len(compiled.outputs)

    def run(self, inputs: Arrays) -> Arrays:
        results = self._request.infer(inputs)
        return [np.asarray(results[i]) for i in range(self._outputs)]


class Mnn:
    """MNN on its CPU backend, float32. It computes 3x3 convolutions by Winograd's method."""

    name = "mnn"

    def __init__(self, model: Path, threads: int) -> None:
        import MNN
        import onnx

        converted = model.with_suffix(".mnn")
        # Its command-line converter reports to a server on the network; this is what it wraps.
        convert = "import sys, _tools; _tools.mnnconvert(sys.argv)"
        files = ["--modelFile", str(model), "--MNNModel", str(converted)]
        subprocess.run(
            [sys.executable, "-c", convert, "-f", "ONNX", *files, "--bizCode", "pconv"],
            check=True,
            capture_output=True,
            timeout=600,
        )
        graph = onnx.load(model, load_external_data=False).graph
        constants = {tensor.name for tensor in graph.initializer}
        names = [value.name for value in graph.input if value.name not in constants]
        self._expr = MNN.expr
        runtime = MNN.nn.create_runtime_manager(({"backend": "CPU", "numThread": threads},))
        self._module = MNN.nn.load_module_from_file(
            str(converted), names, [value.name for value in graph.output], runtime_manager=runtime
        )
        self._variables: list[Any] = []

    def run(self, inputs: Arrays) -> Arrays:
        if not self._variables:
            for array in inputs:
                shape = list(array.shape)
                self._variables.append(self._expr.placeholder(shape, self._expr.NCHW))
        for variable, array in zip(self._variables, inputs, strict=True):
            variable.write(array.ravel())
        results = self._module.forward(self._variables)
        results = results if isinstance(results, list | tuple) else [results]
        nchw = [self._expr.convert(result, self._expr.NCHW) for result in results]
        return [np.array(result.read(), np.float32) for result in nchw]


#: Other engines by name: the class, and the package to install.
OTHERS: dict[str, tuple[Callable[[Path, int], Engine], str]] = {
    "onnxruntime": (OnnxRuntime, "onnxruntime"),
    "openvino": (OpenVino, "openvino"),
    "mnn": (Mnn, "mnn"),
}

#: What a reader of a comparison should know about an engine.
NOTES = {"mnn": "3x3 convolutions by Winograd's method"}


def check_names(names: Sequence[str]) -> None:
    """
    Raises:
        OptionError: A name is not in `OTHERS`.
    """
    for name in names:
        if name not in OTHERS:
            raise OptionError(f"expected engines from {', '.join(OTHERS)}, got {name!r}")


def make(name: str, model: Path, threads: int) -> Engine:
    """Another engine with a model loaded.

    Args:
        name: A key of `OTHERS`.
        model: An ONNX file in a folder that may be written to.
        threads: How many threads it may use.

    Raises:
        DependencyError: It is not installed, or cannot load the model.
    """
    kind, package = OTHERS[name]
    try:
        with silence():
            return kind(model, threads)
    except ImportError as error:
        raise DependencyError(
            f"{name} cannot be imported ({error}); pip install {package}"
        ) from error
    except Exception as error:  # every engine has errors of its own
        text = str(error).strip().partition("\n")[0]
        raise DependencyError(f"{name} cannot run this model: {text}") from error


@contextmanager
def silence() -> Iterator[None]:
    """Engines greet on standard output, below Python; a pipe expects results there."""
    sys.stdout.flush()
    saved = os.dup(1)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        os.close(null)
