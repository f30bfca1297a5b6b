# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Train, prune and retrain the Fashion-MNIST classifier that the demo ships.

    python examples/fashion_mnist/train.py                  # both stages, then the export
    python examples/fashion_mnist/train.py --stage export   # from the checkpoints in --work

The dense stage trains a small VGG-style network. The pruned stage starts from it, projects every
3x3 convolution but the first to the scheme, and retrains with the masks frozen. The last epoch is
what ships: no epoch is chosen by the test images. The export writes both networks as ONNX, the
first test images and their labels, and `metrics.json` into `data/`.

The images are those of Debian's package `dataset-fashion-mnist` (MIT licence).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from export import layer_zeros, to_onnx
from torch import Tensor, nn

from pconv_mlir import prune
from pconv_mlir.prune.recipes import accuracy
from pconv_mlir.prune.recipes.data import Images, fashion_mnist
from pconv_mlir.prune.recipes.networks import vgg_fashion

HERE = Path(__file__).resolve().parent
SHIPPED_IMAGES = 1000


@dataclass(frozen=True)
class Recipe:
    """How one stage trains: SGD with Nesterov momentum and a one-cycle learning rate."""

    seed: int
    epochs: int
    max_lr: float
    batch: int = 128
    momentum: float = 0.9
    weight_decay: float = 5e-4
    max_shift: int = 2


def augment(x: Tensor, max_shift: int) -> Tensor:
    """Mirror half of the images and shift each one by up to `max_shift` pixels both ways."""
    n, size = x.shape[0], x.shape[-1]
    x = torch.where(torch.rand(n, 1, 1, 1) < 0.5, x.flip(3), x)
    padded = nn.functional.pad(x, [max_shift] * 4)
    windows = padded.unfold(2, size, 1).unfold(3, size, 1)
    dy, dx = torch.randint(0, 2 * max_shift + 1, (2, n))
    return windows[torch.arange(n), :, dy, dx]


def fit(
    net: nn.Module,
    recipe: Recipe,
    train: Images,
    report: Callable[[nn.Module], float],
    after_step: Callable[[], None] = lambda: None,
) -> None:
    """Train in place; `after_step` runs after every update (it re-applies the masks)."""
    # One channel can be laid out in two ways; in this one, the seeds gave the networks that ship.
    x = train.normalise(train.pixels).clone(memory_format=torch.contiguous_format)
    y = train.labels
    steps = len(x) // recipe.batch
    for weight in net.parameters():  # channels last: the layout that torch trains fastest in
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        net.parameters(),
        recipe.max_lr,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=True,
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.max_lr, total_steps=steps * recipe.epochs, pct_start=0.25
    )
    for epoch in range(1, recipe.epochs + 1):
        start, total = time.time(), 0.0
        net.train()
        order = torch.randperm(len(x))[: steps * recipe.batch]
        for part in torch.split(order, recipe.batch):
            image = augment(x[part], recipe.max_shift).contiguous(memory_format=torch.channels_last)
            loss = nn.functional.cross_entropy(net(image), y[part])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            after_step()
            total += loss.item()
        seconds = time.time() - start
        print(
            f"epoch {epoch:2}/{recipe.epochs}  loss {total / steps:.4f}  "
            f"test {report(net):.2f} %  {seconds:.0f} s",
            flush=True,
        )


def zero_masks(net: nn.Module) -> dict[str, Tensor]:
    """The zeros of every convolution weight as a mask (1 = kept), by parameter name."""
    return {
        name: (weight != 0).to(weight.dtype)
        for name, weight in net.named_parameters()
        if weight.dim() == 4
    }


def retrain(
    net: nn.Module,
    recipe: Recipe,
    train: Images,
    report: Callable[[nn.Module], float],
) -> None:
    """Train on with the zeros that the network has now held at zero."""
    masks = zero_masks(net)
    weights = dict(net.named_parameters())

    @torch.no_grad()
    def hold() -> None:
        for name, mask in masks.items():
            weights[name].mul_(mask)

    fit(net, recipe, train, report, hold)
    assert not any(weights[name][mask == 0].any() for name, mask in masks.items())


class Stages:
    """The two training stages and the export, each starting from what the one before wrote."""

    def __init__(self, data: Path, work: Path) -> None:
        self.work = work
        self.train = fashion_mnist(data, "train")
        self.test = fashion_mnist(data, "test")

    def report(self, net: nn.Module) -> float:
        return accuracy(net, self.test)

    def load(self, name: str) -> nn.Sequential:
        net = vgg_fashion()
        net.load_state_dict(torch.load(self.work / f"{name}.pt", weights_only=True))
        return net.eval()

    def dense(self, recipe: Recipe) -> None:
        torch.manual_seed(recipe.seed)
        net = vgg_fashion()
        fit(net, recipe, self.train, self.report)
        torch.save(net.state_dict(), self.work / "dense.pt")

    def pruned(self, recipe: Recipe, scheme: str) -> None:
        torch.manual_seed(recipe.seed)
        net = self.load("dense")
        print(prune.magnitude(net, scheme))
        print(f"after pruning, before retraining: test {self.report(net):.2f} %", flush=True)
        retrain(net, recipe, self.train, self.report)
        torch.save(net.state_dict(), self.work / "pruned.pt")

    def export(self, out: Path, facts: dict[str, Any]) -> None:
        out.mkdir(parents=True, exist_ok=True)
        shipped = self.test.first(SHIPPED_IMAGES)
        images = shipped.pixels[..., 0].numpy()
        labels = shipped.labels.numpy().astype(np.uint8)
        np.savez_compressed(out / "test_images.npz", images=images, labels=labels)
        for name in ("dense", "pruned"):
            net = self.load(name)
            onnx.save(to_onnx(net, f"fashion_{name}"), out / f"fashion_{name}.onnx")
            facts[name] = {
                "test_accuracy_10000": round(self.report(net), 2),
                f"test_accuracy_shipped_{SHIPPED_IMAGES}": round(accuracy(net, shipped), 2),
                "parameters": sum(p.numel() for p in net.parameters()),
                "layers": layer_zeros(net),
            }
        (out / "metrics.json").write_text(json.dumps(facts, indent=2) + "\n")


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--data", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    cli.add_argument("--out", type=Path, default=HERE / "data")
    cli.add_argument("--work", type=Path, default=HERE.parents[1] / "build" / "fashion_mnist")
    cli.add_argument("--stage", choices=["all", "dense", "pruned", "export"], default="all")
    cli.add_argument("--scheme", default="pattern:8+connectivity:3.6")
    cli.add_argument("--seed", type=int, default=2020)
    cli.add_argument("--epochs", type=int, default=12, help="of the dense stage")
    cli.add_argument("--retrain-epochs", type=int, default=12)
    cli.add_argument("--threads", type=int, default=1)
    args = cli.parse_args()
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)

    stages = Stages(args.data, args.work)
    recipes = {
        "dense": Recipe(seed=args.seed, epochs=args.epochs, max_lr=0.1),
        # An eighth of the weights needs less to hold them down.
        "pruned": Recipe(
            seed=args.seed + 1, epochs=args.retrain_epochs, max_lr=0.05, weight_decay=1e-4
        ),
    }
    if args.stage in ("all", "dense"):
        stages.dense(recipes["dense"])
    if args.stage in ("all", "pruned"):
        stages.pruned(recipes["pruned"], args.scheme)
    if args.stage in ("all", "export"):
        facts: dict[str, Any] = {name: asdict(recipe) for name, recipe in recipes.items()}
        stages.export(
            args.out, {"scheme": args.scheme, "torch": torch.__version__, "recipes": facts}
        )


if __name__ == "__main__":
    main()
