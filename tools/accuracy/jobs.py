# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The trainings behind docs/Accuracy.md, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pconv_mlir.prune import random_library
from pconv_mlir.prune.schemes import KernelPattern

ROOT = Path(__file__).resolve().parents[2]
FASHION_DENSE = ROOT / "examples" / "fashion_mnist" / "data" / "fashion_dense.onnx"

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
        slow: It takes days without a GPU, and runs only with `--slow`.
    """

    name: str
    network: str
    scheme: str
    start: str | Path = ""
    method: str = "magnitude"
    seed: int = 0
    settings: dict[str, float] = field(default_factory=dict)
    slow: bool = False

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


def _jobs() -> list[Job]:
    dense = {"epochs": 5, "lr": 0.02}
    both, fewer = "pattern:8+connectivity:3.6", "pattern:8+connectivity:2"
    jobs = [
        Job("resnet20-dense-1", "resnet20-cifar", "dense", settings=dense),
        # Again from the result: what it gains says whether the first one had converged.
        Job("resnet20-dense-2", "resnet20-cifar", "dense", "resnet20-dense-1", settings=dense),
    ]
    for seed in range(3):
        jobs += [
            _fashion("p8c3.6", both, "admm", seed),
            _resnet("p8", "pattern:8", "admm", seed),
            _fashion("random8c3.6", RANDOM8, "admm", seed),
            _fashion("dense", "dense", "magnitude", seed),
            _resnet("p8c2", fewer, "admm", seed),
            _fashion("p8c3.6", both, "magnitude", seed),
            _fashion("p8c3.6", both, "gradual", seed),
            _resnet("p8c2", fewer, "magnitude", seed),
            _resnet("p8c2", fewer, "gradual", seed),
        ]
    for seed in range(3):
        jobs += [
            _fashion(f"{name}c3.6", f"pattern:{library}+connectivity:3.6", "admm", seed)
            for name, library in (("p4", "4"), ("p12", "12"), ("mined56", "mined56"))
        ]
        jobs += [_resnet("p8", "pattern:8", method, seed) for method in ("magnitude", "gradual")]
        resnet = ("resnet20", "resnet20-cifar", "resnet20-dense-1")
        fashion = ("fashion", "vgg-fashion", "fashion-dense-0")
        jobs.append(_longer(*resnet, "p8", "pattern:8", seed))
        jobs.append(_longer(*fashion, "p8c3.6", both, seed))
        jobs.append(_longer(*resnet, "p8c2", fewer, seed))
    # An epoch of these takes half an hour on one core.
    vgg = {"epochs": 30, "retrain-epochs": 30, "lr": 0.01, "retrain-lr": 0.02}
    jobs.append(
        Job("vgg16-dense", "vgg16-cifar", "dense", settings={"epochs": 100, "lr": 0.1}, slow=True)
    )
    for seed in range(3):
        jobs += [
            Job(
                f"vgg16-{name}-admm-{seed}", "vgg16-cifar", scheme, "vgg16-dense", "admm", seed, vgg
            )
            for name, scheme in (
                ("p8c3.6", both),
                ("punched6", "block-punched:8x4@6"),
                ("unstructured10", "unstructured@10"),
            )
        ]
    return jobs


JOBS = _jobs()
