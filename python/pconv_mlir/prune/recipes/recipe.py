# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How each demo network is trained and pruned."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pconv_mlir.errors import ModelError, OptionError, WeightsError
from pconv_mlir.prune.config import PruneConfig
from pconv_mlir.prune.recipes import data, networks
from pconv_mlir.prune.report import PruneReport
from pconv_mlir.prune.saving import COUNTER
from pconv_mlir.prune.training.fit import fit
from pconv_mlir.prune.training.loop import Epoch
from pconv_mlir.prune.training.pruner import Pruner

Load = Callable[[Path, str], data.Images]


@dataclass(frozen=True)
class Recipe:
    """A network, its data and the numbers of its training; `dataclasses.replace` changes them.

    Attributes:
        network: Its name in `models.names()`.
        build: Makes it, with random weights.
        load: Reads a split, `train` or `test`, from a folder.
        weights: Published ones, a file in the folder of the data; empty: there are none.
        batch: Images of a step.
        shift: Pixels by which images are moved at most, in training.
        epochs: Of pruning; of training for the scheme `dense`.
        retrain_epochs: After it.
        lr: Learning rate while the network is pruned, or is trained dense.
        retrain_lr: At the begin of retraining.
        weight_decay: Of SGD with Nesterov momentum 0.9.
        distill: Share of the loss that copies the dense network, while it is pruned.
    """

    network: str
    build: Callable[[], torch.nn.Module]
    load: Load
    weights: str
    batch: int
    shift: int
    epochs: int
    retrain_epochs: int
    lr: float
    retrain_lr: float
    weight_decay: float
    distill: float = 0.0

    def optimizer(self, parameters: Any, lr: float) -> torch.optim.Optimizer:
        """Made anew for each part of the training."""
        settings = {"momentum": 0.9, "weight_decay": self.weight_decay, "nesterov": True}
        return torch.optim.SGD(parameters, lr, **settings)

    def settings(self) -> dict[str, Any]:
        """All that is plain, for a log."""
        return {key: value for key, value in asdict(self).items() if not callable(value)}


RECIPES = {
    recipe.network: recipe
    for recipe in (
        Recipe(
            network="resnet20-cifar",
            build=networks.ResNet20,
            load=data.cifar10,
            weights="cifar10-resnet20.safetensors",
            batch=128,
            shift=4,
            epochs=6,
            retrain_epochs=6,
            lr=0.01,
            retrain_lr=0.02,
            weight_decay=1e-4,
        ),
        Recipe(
            network="vgg16-cifar",
            build=networks.vgg16_cifar,
            load=data.cifar10,
            weights="",
            batch=128,
            shift=4,
            epochs=30,
            retrain_epochs=30,
            lr=0.01,
            retrain_lr=0.02,
            weight_decay=5e-4,
        ),
        Recipe(
            network="vgg-fashion",
            build=networks.vgg_fashion,
            load=data.fashion_mnist,
            weights="",
            batch=128,
            shift=2,
            epochs=6,
            retrain_epochs=6,
            lr=0.01,
            retrain_lr=0.05,
            weight_decay=1e-4,
        ),
    )
}


@dataclass(frozen=True)
class Outcome:
    """What a recipe gave.

    Attributes:
        model: The trained network, in eval mode.
        layers: What was pruned; nothing for the scheme `dense`.
        scores: Accuracy on the whole test set in per cent: `before`, at the `hard` prune, `after`.
        losses: Mean loss of each epoch.
    """

    model: torch.nn.Module
    layers: PruneReport
    scores: dict[str, float]
    losses: tuple[float, ...]

    def weights(self) -> dict[str, NDArray[Any]]:
        """The network's weights under the names that `models.build` gives them."""
        state = self.model.state_dict().items()
        return {key: value.cpu().numpy() for key, value in state if not key.endswith(COUNTER)}


def find(name: str) -> Recipe:
    """The recipe of a network.

    Raises:
        ModelError: There is none.
    """
    if name not in RECIPES:
        raise ModelError(f"there is no recipe for {name!r}, only for {', '.join(RECIPES)}")
    return RECIPES[name]


def accuracy(model: torch.nn.Module, images: data.Images, *, autocast: bool = False) -> float:
    """Share of images that a network classifies right, in per cent; leaves it in eval mode.

    With `autocast` it computes in bfloat16 where that is safe, as in training.
    """
    model.eval()
    place = images.pixels.device.type
    with torch.inference_mode(), torch.autocast(place, torch.bfloat16, enabled=autocast):
        right = sum(int((model(x).argmax(1) == y).sum()) for x, y in images.batches(500))
    return 100 * right / len(images)


def load_weights(model: torch.nn.Module, values: Mapping[str, NDArray[Any]]) -> None:
    """Put weights by name into a network; counters that old checkpoints lack stay as they are.

    Raises:
        WeightsError: A name is missing or unknown, or a shape differs.
    """
    state = {name: torch.from_numpy(np.array(value)) for name, value in values.items()}
    counters = {key: value for key, value in model.state_dict().items() if key.endswith(COUNTER)}
    try:
        model.load_state_dict({**counters, **state})
    except RuntimeError as error:
        text = " ".join(str(error).split())
        raise WeightsError(f"the weights are of another network: {text}") from error


def run(
    recipe: Recipe,
    config: PruneConfig | str,
    folder: Path,
    *,
    weights: Mapping[str, NDArray[Any]] | None,
    method: str | Pruner = "admm",
    seed: int = 0,
    limit: int | None = None,
    device: str = "cpu",
    autocast: bool = False,
    compiled: bool = False,
    recalibrate: bool = False,
    checkpoint: Path | None = None,
    log: Path | None = None,
    progress: Callable[[Epoch], None] = lambda epoch: None,
) -> Outcome:
    """Prune a demo network while it trains on; with the scheme `dense`, only train it.

    Args:
        recipe: From `find`.
        config: As for `fit`, or `dense`.
        folder: Of the data.
        weights: To start with; random ones where there are none.
        method: As for `fit`.
        seed: Of random weights, batches and augmentation.
        limit: Use only so many images of each split: for tests.
        device: Where to train, as torch calls it, for example `cuda`. The images are kept there.
        autocast: As for `fit`.
        compiled: As for `fit`.
        recalibrate: As for `fit`.
        checkpoint: As for `fit`.
        log: A file of JSON lines that gets one for the settings, each epoch with its accuracy on
            the test set (as it is computed in training), and the end. When a training goes on, its
            lines are added.
        progress: As for `fit`.

    Raises:
        ModelError: The data is missing or damaged.
        WeightsError: The weights are of another network.
        OptionError: There is no such device, or as for `fit`.
        SchemeError, ConfigError, PruneError: As for `fit`.
    """
    if limit is not None and limit < 1:
        raise OptionError(f"expected at least 1 image of each split, got {limit}")
    place = _device(device)
    torch.manual_seed(seed)
    model = recipe.build()
    if weights is not None:
        load_weights(model, weights)
    model = model.to(place, memory_format=torch.channels_last)
    images, test = (
        recipe.load(folder, split).first(limit).to(place) for split in ("train", "test")
    )
    batches = data.Augmented(images, min(recipe.batch, len(images)), recipe.shift)
    config = PruneConfig.of(config)
    if only_train := config == PruneConfig("dense"):
        method = "magnitude"
        recipe = replace(recipe, retrain_epochs=recipe.epochs, retrain_lr=recipe.lr)
    lines = _Log(log, fresh=checkpoint is None or not checkpoint.exists())
    ways: dict[str, Any] = {"autocast": autocast, "compiled": compiled, "recalibrate": recalibrate}
    lines.write("start", **_start(recipe, config, method, seed), device=device, **ways)

    def after_epoch(epoch: Epoch) -> None:
        score = {} if log is None else {"accuracy": accuracy(model, test, autocast=autocast)}
        lines.write("epoch", **asdict(epoch), **score)
        progress(epoch)

    report = fit(
        model,
        config,
        batches,
        method=method,
        epochs=recipe.epochs,
        retrain_epochs=recipe.retrain_epochs,
        lr=recipe.lr,
        retrain_lr=recipe.retrain_lr,
        optimizer=recipe.optimizer,
        distill=recipe.distill,
        **ways,
        evaluate=lambda net: accuracy(net, test),
        seed=seed,
        checkpoint=checkpoint,
        progress=after_epoch,
    )
    scores = {
        when: score for when, score in report.scores.items() if when != "hard" or not only_train
    }
    rows = [asdict(layer) for layer in report.layers.layers]
    lines.write("end", scores=scores, images=len(test), layers=rows)
    return Outcome(model.eval(), report.layers, scores, report.losses)


def _device(name: str) -> torch.device:
    """
    Raises:
        OptionError: This machine, or this build of torch, has no such device.
    """
    try:
        torch.zeros(1, device=name).item()  # fails where there are no values, as on `meta`
    except (RuntimeError, AssertionError) as error:  # torch raises both
        reason = str(error).partition("\n")[0]
        raise OptionError(f"cannot train on device {name!r}: {reason}") from error
    return torch.device(name)


def _start(recipe: Recipe, config: PruneConfig, method: str | Pruner, seed: int) -> dict[str, Any]:
    """All that the result depends on."""
    return {
        "config": config.to_dict(),
        "method": method if isinstance(method, str) else type(method).__name__,
        "seed": seed,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        **recipe.settings(),
    }


class _Log:
    """JSON lines, each written as soon as it is known."""

    def __init__(self, path: Path | None, fresh: bool) -> None:
        self._path = path
        if path is not None and fresh:
            try:
                path.write_text("")
            except OSError as error:
                raise OptionError(f"cannot write {path}: {error.strerror}") from error

    def write(self, event: str, **fields: Any) -> None:
        if self._path is not None:
            with self._path.open("a") as file:
                file.write(json.dumps({"event": event, **fields}) + "\n")
