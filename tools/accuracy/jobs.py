# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The trainings behind docs/Accuracy.md, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pconv_mlir.prune import random_library
from pconv_mlir.prune.schemes import KernelPattern

ROOT = Path(__file__).resolve().parents[2]
FASHION_DENSE = ROOT / "examples" / "fashion_mnist" / "data" / "fashion_dense.onnx"

BOTH, FEWER = "pattern:8+connectivity:3.6", "pattern:8+connectivity:2"
RANDOM8 = str(KernelPattern(random_library(8, seed=0), 3.6))


@dataclass(frozen=True)
class Job:
    """One `pconv prune`.

    Attributes:
        name: Of its files.
        network: A recipe's.
        scheme: What it is pruned to, or `dense`.
        start: The job whose result it starts from, or a file; empty: the recipe's weights.
        method: Of pruning.
        seed: Of its random numbers.
        settings: Other arguments of the command.
    """

    name: str
    network: str
    scheme: str
    start: str | Path = ""
    method: str = "magnitude"
    seed: int = 0
    settings: dict[str, float] = field(default_factory=dict)

    def arguments(self, data: Path, out: Path) -> list[str]:
        """The words after `pconv prune`."""
        words = [self.network, "--scheme", self.scheme, "--data", str(data)]
        words += ["--method", self.method, "--seed", str(self.seed), "--threads", "1"]
        for key, value in self.settings.items():
            words += [f"--{key}", str(value)]
        start = out / f"{self.start}.safetensors" if isinstance(self.start, str) else self.start
        words += ["--weights", str(start)] if self.start else []
        for option, suffix in (("-o", "safetensors"), ("--log", "jsonl"), ("--checkpoint", "pt")):
            words += [option, str(out / f"{self.name}.{suffix}")]
        return words


def _resnet(name: str, scheme: str, method: str, seed: int) -> Job:
    settings = {"epochs": 4, "retrain-epochs": 6, "lr": 0.01, "retrain-lr": 0.02, "distill": 0.5}
    if method == "magnitude":  # all epochs are retraining: as many as the others have
        settings["retrain-epochs"] = 10
    return Job(
        f"resnet20-{name}-{method}-{seed}",
        "resnet20-cifar",
        scheme,
        "resnet20-dense-1",
        method,
        seed,
        settings,
    )


def _longer(network: str, recipe: str, start: str, name: str, scheme: str, seed: int) -> Job:
    settings = {"epochs": 6, "retrain-epochs": 24, "lr": 0.01, "retrain-lr": 0.05, "distill": 0.5}
    return Job(f"{network}-{name}-long-{seed}", recipe, scheme, start, "admm", seed, settings)


def _fashion(name: str, scheme: str, method: str, seed: int) -> Job:
    settings = {"epochs": 4, "retrain-epochs": 8, "lr": 0.01, "retrain-lr": 0.03, "distill": 0.5}
    if method == "magnitude":
        settings["retrain-epochs"] = 12
    if scheme == "dense":
        settings = {"epochs": 12, "lr": 0.03}
    job_name = f"fashion-{name}-{method}-{seed}" if scheme != "dense" else f"fashion-{name}-{seed}"
    return Job(job_name, "vgg-fashion", scheme, FASHION_DENSE, method, seed, settings)


def _vgg(name: str, scheme: str, seed: int) -> Job:
    """In one shot: two epochs of ADMM and six of retraining ended no higher (docs/Accuracy.md)."""
    settings = {"retrain-epochs": 8, "retrain-lr": 0.03}
    job_name = f"vgg16-{name}-magnitude-{seed}"
    return Job(job_name, "vgg16-cifar", scheme, "vgg16-dense-4", "magnitude", seed, settings)


def _vgg_dense(number: int, epochs: int, lr: float) -> Job:
    start = f"vgg16-dense-{number - 1}" if number > 1 else ""
    settings = {"epochs": epochs, "lr": lr}
    return Job(f"vgg16-dense-{number}", "vgg16-cifar", "dense", start, settings=settings)


def _dense() -> list[Job]:
    settings = {"epochs": 5, "lr": 0.02}
    return [
        Job("resnet20-dense-1", "resnet20-cifar", "dense", settings=settings),
        # Again from the result: what it gains says whether the first one had converged.
        Job("resnet20-dense-2", "resnet20-cifar", "dense", "resnet20-dense-1", settings=settings),
        _vgg_dense(1, 10, 0.02),
        _vgg_dense(2, 7, 0.02),
        _vgg_dense(3, 8, 0.01),
        _vgg_dense(4, 16, 0.05),
        _vgg_dense(5, 8, 0.03),
    ]


def _goals_and_methods(seed: int) -> list[Job]:
    return [
        _fashion("p8c3.6", BOTH, "admm", seed),
        _fashion("random8c3.6", RANDOM8, "admm", seed),
        _fashion("dense", "dense", "magnitude", seed),
        _resnet("p8c2", FEWER, "admm", seed),
        _fashion("p8c3.6", BOTH, "magnitude", seed),
        _fashion("p8c3.6", BOTH, "gradual", seed),
        _resnet("p8c2", FEWER, "magnitude", seed),
        _resnet("p8c2", FEWER, "gradual", seed),
        _vgg("p8c3.6", BOTH, seed),
        _vgg("punched6", "block-punched:8x4@6", seed),
        _vgg("unstructured10", "unstructured@10", seed),
    ]


def _libraries_and_longer(seed: int) -> list[Job]:
    resnet = ("resnet20", "resnet20-cifar", "resnet20-dense-1")
    fashion = ("fashion", "vgg-fashion", f"fashion-dense-{seed}")
    return [
        _fashion("p4c3.6", "pattern:4+connectivity:3.6", "admm", seed),
        _fashion("p12c3.6", "pattern:12+connectivity:3.6", "admm", seed),
        _fashion("mined56c3.6", "pattern:mined56+connectivity:3.6", "admm", seed),
        _longer(*resnet, "p8", "pattern:8", seed),
        _longer(*fashion, "p8c3.6", BOTH, seed),
        _longer(*resnet, "p8c2", FEWER, seed),
    ]


JOBS = _dense()
for _seed in range(3):
    JOBS += _goals_and_methods(_seed)
for _seed in range(3):
    JOBS += _libraries_and_longer(_seed)
