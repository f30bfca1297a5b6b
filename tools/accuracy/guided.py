# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Guided sparsity learning (GESL) against one rate for all layers, at equal predicted speed.

    python tools/accuracy/guided.py --data DATA --out RESULTS

Both start from the same dense network and train for as many epochs. The rate of all layers is the
one whose predicted time is that of the guided network; it is pruned gradually. Writes logs and
weights of the two trainings, and RESULTS/guided.json: accuracies and predicted times. Peak,
bandwidth and dense kernels are measured on this machine and kept in RESULTS/models-NETWORK.json;
for a loop over single weights, which the compiler lacks, that of the paper stands in: alpha = 3 as
on its Xeon, beta = 2 (SkimCaffe, ICLR 2017, section 2.2).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jobs import FASHION_DENSE

from pconv_mlir import models, performance
from pconv_mlir.performance.model import LayerModel
from pconv_mlir.prune import GESLPruner, GradualPruner, read_weights, recipes, save

MOST = 20.0  # the rate to which a layer is pruned at most
PAPER = {"alpha": 3.0, "beta": 2.0, "fixed": 0.0}
Models = Mapping[str, LayerModel]


def layer_models(network: str, path: Path) -> Models:
    """Of every layer that may be pruned; measured once."""
    if not path.exists():
        found = performance.layer_models(models.build(network), scheme=f"unstructured@{MOST:g}")
        rows = [asdict(replace(it, **PAPER)) for it in found.values()]
        path.write_text(json.dumps(rows, indent=2) + "\n")
    return {row["name"]: LayerModel(**row) for row in json.loads(path.read_text())}


def predicted_ms(layers: Models, kept: Mapping[str, float]) -> float:
    """Of all layers that may be pruned: `kept` has the share that is left, but of dense ones."""
    return 1e3 * sum(
        model.seconds(kept[name]) if name in kept else model.dense_seconds
        for name, model in layers.items()
    )


def uniform_ms(layers: Models, rate: float) -> float:
    """The same, all pruned to one rate."""
    return predicted_ms(layers, dict.fromkeys(layers, 1 / rate))


def equal_rate(layers: Models, ms: float) -> float:
    """The rate at which all layers together take so long."""
    least, most = 1.0, 1000.0
    for _ in range(50):
        middle = (least * most) ** 0.5
        if uniform_ms(layers, middle) > ms:
            least = middle
        else:
            most = middle
    return round(most, 2)


@dataclass(frozen=True)
class Contest:
    """The two trainings of one seed."""

    layers: Models
    train: Callable[..., recipes.Outcome]
    steps: int
    out: Path
    network: str
    seed: int

    def run(self, strength: float, threshold: float) -> dict[str, Any]:
        """Both, one after the other; facts of each by name."""
        pruner = GESLPruner(self.steps, self.layers, strength=strength, threshold=threshold)
        guided = self._train("gesl", MOST, pruner)
        kept = {
            row.name: 1 - row.zeros
            for row in guided.layers.layers
            if row.name in self.layers and not row.note
        }
        ms = predicted_ms(self.layers, kept)
        rate = equal_rate(self.layers, ms)
        uniform = self._train("uniform", rate, GradualPruner(self.steps))
        return {
            self._name("gesl"): self._facts(guided, ms),
            self._name("uniform"): self._facts(uniform, uniform_ms(self.layers, rate)),
        }

    def _name(self, method: str) -> str:
        return f"{self.network}-{self.seed}-{method}"

    def _train(self, method: str, rate: float, pruner: Any) -> recipes.Outcome:
        path = self.out / self._name(method)
        outcome = self.train(
            config=f"unstructured@{rate:g}",
            method=pruner,
            log=path.with_suffix(".jsonl"),
            checkpoint=path.with_suffix(".pt"),
        )
        save(outcome.model, path.with_suffix(".safetensors"), outcome.layers)
        return outcome

    def _facts(self, outcome: recipes.Outcome, ms: float) -> dict[str, Any]:
        rows = [row for row in outcome.layers.layers if row.name in self.layers]
        return {
            "network": self.network,
            "accuracy": outcome.scores,
            "predicted_ms": ms,
            "dense_ms": predicted_ms(self.layers, {}),
            "layers": {row.name: {"zeros": row.zeros, "note": row.note} for row in rows},
        }


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--network", default="vgg-fashion")
    cli.add_argument("--weights", type=Path, default=FASHION_DENSE, help="of the dense network")
    cli.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    cli.add_argument("--out", type=Path, required=True)
    cli.add_argument("--seed", type=int, default=0)
    cli.add_argument("--epochs", type=int, default=8)
    cli.add_argument("--retrain-epochs", type=int, default=8)
    cli.add_argument("--strength", type=float, default=2e-4, help="of the lasso")
    cli.add_argument("--threshold", type=float, default=1e-3, help="magnitude that counts as zero")
    cli.add_argument("--limit", type=int, help="use only so many images")
    cli.add_argument("--device", default="cpu")
    cli.add_argument("--autocast", action="store_true", help="compute in bfloat16")
    arguments = cli.parse_args()
    torch.set_num_threads(1)
    arguments.out.mkdir(parents=True, exist_ok=True)
    recipe = replace(
        recipes.find(arguments.network),
        epochs=arguments.epochs,
        retrain_epochs=arguments.retrain_epochs,
    )
    train = partial(
        recipes.run,
        recipe,
        folder=arguments.data,
        weights=read_weights(arguments.weights),
        seed=arguments.seed,
        limit=arguments.limit,
        device=arguments.device,
        autocast=arguments.autocast,
        progress=print,
    )
    images = len(recipe.load(arguments.data, "train").first(arguments.limit))
    contest = Contest(
        layers=layer_models(recipe.network, arguments.out / f"models-{recipe.network}.json"),
        train=train,
        steps=recipe.epochs * (images // min(recipe.batch, images)),
        out=arguments.out,
        network=recipe.network,
        seed=arguments.seed,
    )
    facts = contest.run(arguments.strength, arguments.threshold)
    path = arguments.out / "guided.json"
    old = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**old, **facts}, indent=2) + "\n")


if __name__ == "__main__":
    main()
