# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The trainings behind docs/Accuracy.md, in the order in which they run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pconv_mlir.prune import random_library
from pconv_mlir.prune.schemes import KernelPattern

ROOT = Path(__file__).resolve().parents[2]
KEPT = Path(__file__).with_name("weights")  # of trainings that take a processor hours; see keep.py
FASHION_DENSE = ROOT / "examples" / "fashion_mnist" / "data" / "fashion_dense.onnx"

BOTH, FEWER = "pattern:8+connectivity:3.6", "pattern:8+connectivity:2"
VGG_SCHEMES = {
    "p8c3.6": BOTH,
    "punched6": "block-punched:8x4@6",
    "unstructured10": "unstructured@10",
}
RANDOM8 = str(KernelPattern(random_library(8, seed=0), 3.6))


def result(name: str, out: Path) -> Path:
    """The weights that a job gave: in the folder of results, else kept in the project."""
    made = out / f"{name}.safetensors"
    kept = KEPT / made.name
    return kept if kept.exists() and not made.exists() else made


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
        start = result(self.start, out) if isinstance(self.start, str) else self.start
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


def _longer(name: str, recipe: str, start: str, scheme: str, seed: int, epochs: int = 40) -> Job:
    pruning = epochs // 5
    settings = {
        "epochs": pruning,
        "retrain-epochs": epochs - pruning,
        "lr": 0.02,
        "retrain-lr": 0.05,
        "distill": 0.5,
    }
    job_name = f"{name}-gradual{epochs}-{seed}"
    return Job(job_name, recipe, scheme, start, "gradual", seed, settings)


def _fashion(name: str, scheme: str, method: str, seed: int) -> Job:
    settings = {"epochs": 4, "retrain-epochs": 8, "lr": 0.01, "retrain-lr": 0.03, "distill": 0.5}
    if method == "magnitude":
        settings["retrain-epochs"] = 12
    if scheme == "dense":
        settings = {"epochs": 12, "lr": 0.03}
    job_name = f"fashion-{name}-{method}-{seed}" if scheme != "dense" else f"fashion-{name}-{seed}"
    return Job(job_name, "vgg-fashion", scheme, FASHION_DENSE, method, seed, settings)


def _vgg(name: str, scheme: str) -> Job:
    settings = {"retrain-epochs": 8, "retrain-lr": 0.03}
    job_name = f"vgg16-{name}-magnitude-0"
    return Job(job_name, "vgg16-cifar", scheme, "vgg16-dense-4", settings=settings)


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
        # In one part: the recipe did not begin with He's weights when the five above were run.
        Job("vgg16-dense-he", "vgg16-cifar", "dense", settings={"epochs": 25, "lr": 0.05}),
    ]


def _methods(seed: int) -> list[Job]:
    return [
        _fashion("p8c3.6", BOTH, "admm", seed),
        _fashion("random8c3.6", RANDOM8, "admm", seed),
        _fashion("dense", "dense", "magnitude", seed),
        _resnet("p8c2", FEWER, "admm", seed),
        _fashion("p8c3.6", BOTH, "magnitude", seed),
        _fashion("p8c3.6", BOTH, "gradual", seed),
        _resnet("p8c2", FEWER, "magnitude", seed),
        _resnet("p8c2", FEWER, "gradual", seed),
    ]


def _libraries(seed: int) -> list[Job]:
    return [
        _fashion("p4c3.6", "pattern:4+connectivity:3.6", "admm", seed),
        _fashion("p12c3.6", "pattern:12+connectivity:3.6", "admm", seed),
        _fashion("mined56c3.6", "pattern:mined56+connectivity:3.6", "admm", seed),
    ]


def _vgg_start(name: str, seed: int) -> str:
    """The dense VGG-16 from He's weights, but for two that were pruned before there was one."""
    older = seed == 0 and name in ("p8c3.6", "unstructured10")
    return "vgg16-dense-4" if older else "vgg16-dense-he"


def _goals_in_more_epochs(seed: int) -> list[Job]:
    resnet = ("resnet20-cifar", "resnet20-dense-1")
    return [
        _longer("resnet20-p8", *resnet, "pattern:8", seed),
        _longer("resnet20-p8c2", *resnet, FEWER, seed),
        _longer("fashion-p8c3.6", "vgg-fashion", f"fashion-dense-{seed}", BOTH, seed),
        *(
            _longer(f"vgg16-{name}", "vgg16-cifar", _vgg_start(name, seed), scheme, seed, epochs=20)
            for name, scheme in VGG_SCHEMES.items()
        ),
    ]


JOBS = _dense() + [_vgg(name, scheme) for name, scheme in VGG_SCHEMES.items()]
for _part in (_methods, _libraries, _goals_in_more_epochs):
    JOBS += [job for seed in range(3) for job in _part(seed)]
