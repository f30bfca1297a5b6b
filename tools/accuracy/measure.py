# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles what run.py and guided.py have trained: accuracy on the whole test set, and latency.

    python tools/accuracy/measure.py --cifar10 DATA --out RESULTS

Writes RESULTS/measured.json: for each finished training the accuracy of torch and of the compiled
network, how many answers differ, and the time of one image on one thread. The networks of one
architecture take turns; times of different calls of this program are not to be compared, still less
of different machines, so each row names its own. Rows of networks that are not there any more are
kept, and so are accuracies of the same weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from jobs import FASHION_DENSE, JOBS, result

import pconv_mlir as pconv
from pconv_mlir import models
from pconv_mlir.bench import machine
from pconv_mlir.prune import read_weights, recipes
from pconv_mlir.prune.recipes.data import Images

ACCURACY = ("torch_accuracy", "compiled_accuracy", "images", "different_answers")
BATCH = 20  # divides the test sets
RUNS = 200


@dataclass(frozen=True)
class Trained:
    """A network with its weights."""

    name: str
    network: str
    weights: dict[str, Any]

    def digest(self) -> str:
        """Of the weights."""
        data = hashlib.sha256()
        for name in sorted(self.weights):
            data.update(name.encode() + np.ascontiguousarray(self.weights[name]).tobytes())
        return data.hexdigest()

    def onnx(self, batch: int) -> onnx.ModelProto:
        model = models.build(self.network, batch)
        known = models.weights(model)
        models.replace_weights(model, {k: v for k, v in self.weights.items() if k in known})
        return model

    def torch(self) -> torch.nn.Module:
        net = recipes.find(self.network).build()
        recipes.load_weights(net, self.weights)
        return net.eval()


def finished(out: Path, cifar10: Path) -> Iterable[Trained]:
    """What the trainings start from, the pruned network of the demo, and what there is so far."""
    resnet = recipes.find("resnet20-cifar")
    for name, network, path in (
        ("fashion-dense-shipped", "vgg-fashion", FASHION_DENSE),
        ("fashion-pruned-shipped", "vgg-fashion", FASHION_DENSE.with_stem("fashion_pruned")),
        ("resnet20-published", resnet.network, cifar10 / resnet.weights),
    ):
        yield Trained(name, network, read_weights(path))
    guided = out / "guided.json"
    contests = json.loads(guided.read_text()) if guided.exists() else {}
    made = [(job.name, job.network) for job in JOBS]
    made += [(name, facts["network"]) for name, facts in contests.items()]
    for name, network in made:
        if (path := result(name, out)).exists():
            yield Trained(name, network, read_weights(path))


def accuracies(trained: Trained, test: Images) -> dict[str, Any]:
    """Of torch and of the compiled network, on the same images."""
    net = trained.torch()
    compiled = pconv.compile(trained.onnx(BATCH))
    right = {"torch": 0, "compiled": 0}
    different = 0
    for x, labels in test.batches(BATCH):
        with torch.no_grad():
            wanted = net(x).argmax(1).numpy()
        found = np.argmax(compiled(np.ascontiguousarray(x.numpy())), axis=1)
        right["torch"] += int((wanted == labels.numpy()).sum())
        right["compiled"] += int((found == labels.numpy()).sum())
        different += int((wanted != found).sum())
    rates = {f"{name}_accuracy": 100 * count / len(test) for name, count in right.items()}
    return {**rates, "images": len(test), "different_answers": different}


def latencies(group: list[Trained]) -> dict[str, dict[str, Any]]:
    """Time of one image on one thread, turn by turn; how many layers run sparse."""
    runs: dict[str, Callable[[Any], Any]] = {}
    rows: dict[str, dict[str, Any]] = {}
    for trained in group:
        network = pconv.compile(trained.onnx(1), num_threads=1)
        names = {name.removesuffix(".weight") for name in trained.weights}
        # Without the shortcuts of ResNet-20, which are convolutions with zeros to the compiler.
        layers = [it for it in network.manifest.layers if it.weights and it.name in names]
        sparse = sum(bool(layer.index_bytes) for layer in layers)
        rows[trained.name] = {"sparse_layers": sparse, "layers": len(layers)}
        runs[trained.name] = network
    shape = (1, 1, 28, 28) if group[0].network == "vgg-fashion" else (1, 3, 32, 32)
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(RUNS):
        for name, run in runs.items():
            run(x)  # the others have emptied the caches
            start = time.perf_counter()
            run(x)
            times[name].append(1000 * (time.perf_counter() - start))
    for name, values in times.items():
        rows[name] |= {"median_ms": float(np.median(values)), "min_ms": min(values), "runs": RUNS}
    return rows


def this_machine() -> str:
    """The processor's name, which several generations may share, and LLVM's for its own."""
    facts = machine.describe()
    return f"{facts['processor']} ({facts['llvm_cpu']})"


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--cifar10", type=Path, required=True)
    cli.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    cli.add_argument("--out", type=Path, required=True)
    arguments = cli.parse_args()
    path = arguments.out / "measured.json"
    old = json.loads(path.read_text()) if path.exists() else {}
    rows: dict[str, dict[str, Any]] = {}
    known = sorted(finished(arguments.out, arguments.cifar10), key=lambda trained: trained.network)
    for network, members in groupby(known, key=lambda trained: trained.network):
        group = list(members)
        folder = arguments.fashion if network == "vgg-fashion" else arguments.cifar10
        test = recipes.find(network).load(folder, "test")
        times = latencies(group)
        for trained in group:
            row = {"network": network, "weights": trained.digest()}
            before = old.get(trained.name, {})
            if before.get("weights") == row["weights"]:
                row = {key: before[key] for key in (*row, *ACCURACY)}
            else:
                row |= accuracies(trained, test)
            rows[trained.name] = row | times[trained.name] | {"machine": this_machine()}
            print(trained.name, rows[trained.name], flush=True)
            path.write_text(json.dumps({**old, **rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
