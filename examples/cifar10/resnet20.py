# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Prune the CIFAR-10 ResNet-20, compile it, and compare accuracy and latency with the dense one.

    python examples/cifar10/resnet20.py DATA                            # hours on one core
    python examples/cifar10/resnet20.py DATA --epochs 1 --limit 2000    # minutes, to see it work

DATA holds `cifar10-train.npz` and `cifar10-test.npz`; `--weights` are those of a trained network.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

import pconv_mlir as pconv
from pconv_mlir.prune import read_weights, recipes
from pconv_mlir.prune.recipes.data import Images

RUNS = 50


def compiled_accuracy(net: torch.nn.Module, test: Images) -> tuple[float, int]:
    """Accuracy of the compiled network in per cent, and how many answers differ from torch's."""
    right = different = 0
    size = next(n for n in (100, 50, 20, 10, 1) if len(test) % n == 0)
    batches = test.batches(size)
    compiled = pconv.compile(net, (torch.zeros(size, 3, 32, 32),))
    for x, labels in batches:
        answers = compiled(x.contiguous()).argmax(1)
        with torch.no_grad():
            different += int((answers != net(x).argmax(1)).sum())
        right += int((answers == labels).sum())
    return 100 * right / len(test), different


def milliseconds(nets: dict[str, torch.nn.Module]) -> dict[str, float]:
    """Median time of one image on one thread; the networks take turns."""
    x = np.zeros((1, 3, 32, 32), np.float32)
    compiled = {
        name: pconv.compile(net, (torch.from_numpy(x),), num_threads=1)
        for name, net in nets.items()
    }
    times: dict[str, list[float]] = {name: [] for name in nets}
    for _ in range(RUNS):
        for name, run in compiled.items():
            run(x)  # brings its weights back into the caches
            start = time.perf_counter()
            run(x)
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: float(np.median(values)) for name, values in times.items()}


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("data", type=Path)
    cli.add_argument("--weights", type=Path, help="default: DATA/cifar10-resnet20.safetensors")
    cli.add_argument("--scheme", default="pattern:8+connectivity:2")
    cli.add_argument("--epochs", type=int, default=5, help="of ADMM, and as many of retraining")
    cli.add_argument("--batch", type=int, default=128)
    cli.add_argument("--seed", type=int, default=0)
    cli.add_argument("--limit", type=int, help="use only so many images")
    args = cli.parse_args()

    recipe = recipes.find("resnet20-cifar")
    recipe = replace(recipe, epochs=args.epochs, retrain_epochs=args.epochs, batch=args.batch)
    weights = read_weights(args.weights or args.data / recipe.weights)

    # Prune: the weights that the scheme removes are zero afterwards, the rest has been retrained.
    result = recipes.run(
        recipe,
        args.scheme,
        args.data,
        weights=weights,
        seed=args.seed,
        limit=args.limit,
        progress=lambda epoch: print(epoch, flush=True),
    )
    print(result.layers)

    # Compile both and compare.
    dense = recipe.build()
    recipes.load_weights(dense, weights)
    nets = {"dense": dense.eval(), args.scheme: result.model}
    test = recipe.load(args.data, "test").first(args.limit)
    times = milliseconds(nets)
    print(f"\n{len(test)} test images; one image at a time on one thread")
    for name, net in nets.items():
        accuracy, different = compiled_accuracy(net, test)
        print(
            f"{name}: torch {recipes.accuracy(net, test):.2f} %, compiled {accuracy:.2f} % "
            f"({different} other answers), {times[name]:.2f} ms"
        )


if __name__ == "__main__":
    main()
