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
import gzip
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
from numpy.typing import NDArray
from torch import Tensor, nn

from pconv_mlir import prune

HERE = Path(__file__).resolve().parent
BLOCKS = ((32,), (64, 64), (128, 128))
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


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read one gzipped idx file of unsigned bytes: magic 0x000008DD, D sizes (big endian), data."""
    raw = gzip.decompress(path.read_bytes())
    if len(raw) < 4 or raw[:3] != b"\0\0\x08":
        raise SystemExit(f"{path}: expected an idx file of unsigned bytes")
    rank = raw[3]
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", rank, 4))
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)


def load_split(folder: Path, split: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images [N,28,28] and labels [N] of `train` or `t10k`."""
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz")
    return images, read_idx(folder / f"{split}-labels-idx1-ubyte.gz")


def to_input(images: NDArray[np.uint8]) -> Tensor:
    """[N,28,28] bytes -> [N,1,28,28] floats in 0..1, which is what the networks take."""
    return torch.from_numpy(images[:, None].astype(np.float32) / 255.0)


def build() -> nn.Sequential:
    """VGG-style classifier: 3x3 convolution + batch norm + ReLU, max-pooling between blocks."""
    net = nn.Sequential()
    channels = 1
    for b, block in enumerate(BLOCKS, 1):
        for c, width in enumerate(block, 1):
            conv = nn.Conv2d(channels, width, 3, padding=1, bias=False)
            net.add_module(f"conv{b}_{c}", conv)
            net.add_module(f"bn{b}_{c}", nn.BatchNorm2d(width))
            net.add_module(f"relu{b}_{c}", nn.ReLU(inplace=True))
            channels = width
        last = b == len(BLOCKS)
        net.add_module(f"pool{b}", nn.AdaptiveAvgPool2d(1) if last else nn.MaxPool2d(2))
    net.add_module("flatten", nn.Flatten())
    net.add_module("fc", nn.Linear(channels, 10))
    return net


def augment(x: Tensor, max_shift: int) -> Tensor:
    """Mirror half of the images and shift each one by up to `max_shift` pixels both ways."""
    n, size = x.shape[0], x.shape[-1]
    x = torch.where(torch.rand(n, 1, 1, 1) < 0.5, x.flip(3), x)
    padded = nn.functional.pad(x, [max_shift] * 4)
    windows = padded.unfold(2, size, 1).unfold(3, size, 1)
    dy, dx = torch.randint(0, 2 * max_shift + 1, (2, n))
    return windows[torch.arange(n), :, dy, dx]


def accuracy(net: nn.Module, x: Tensor, labels: NDArray[np.uint8]) -> float:
    """Share of images classified right, in per cent."""
    net.eval()
    with torch.no_grad():
        found = torch.cat([net(part).argmax(1) for part in torch.split(x, 500)])
    return 100.0 * float((found.numpy() == labels).mean())


def fit(
    net: nn.Module,
    recipe: Recipe,
    train: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    report: Callable[[nn.Module], float],
    after_step: Callable[[], None] = lambda: None,
) -> None:
    """Train in place; `after_step` runs after every update (it re-applies the masks)."""
    x, y = to_input(train[0]), torch.from_numpy(train[1].astype(np.int64))
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
    train: tuple[NDArray[np.uint8], NDArray[np.uint8]],
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
        self.train = load_split(data, "train")
        self.test = load_split(data, "t10k")
        self.test_input = to_input(self.test[0])

    def report(self, net: nn.Module) -> float:
        return accuracy(net, self.test_input, self.test[1])

    def load(self, name: str) -> nn.Sequential:
        net = build()
        net.load_state_dict(torch.load(self.work / f"{name}.pt", weights_only=True))
        return net.eval()

    def dense(self, recipe: Recipe) -> None:
        torch.manual_seed(recipe.seed)
        net = build()
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
        images, labels = (part[:SHIPPED_IMAGES] for part in self.test)
        np.savez_compressed(out / "test_images.npz", images=images, labels=labels)
        for name in ("dense", "pruned"):
            net = self.load(name)
            onnx.save(to_onnx(net, f"fashion_{name}"), out / f"fashion_{name}.onnx")
            facts[name] = {
                "test_accuracy_10000": round(self.report(net), 2),
                f"test_accuracy_shipped_{SHIPPED_IMAGES}": round(
                    accuracy(net, to_input(images), labels), 2
                ),
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
