# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv prune MODEL --scheme S -o FILE"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DependencyError, OptionError
from ..progress import progress
from . import common

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..prune.config import PruneConfig
    from ..prune.recipes import Recipe
    from ..prune.report import PruneReport

    Weights = dict[str, NDArray[Any]]
    # The report, the weights, the model to be saved with the report, and the accuracies.
    Made = tuple[PruneReport, Weights, Any, dict[str, float]]

METHOD = "admm"

# Numbers of a recipe that an argument replaces.
_SETTINGS = ("epochs", "retrain_epochs", "lr", "retrain_lr", "batch", "distill")
# What else is of no use without a training.
_TRAINING = (
    "method",
    "limit",
    "device",
    "autocast",
    "compile",
    "recalibrate",
    "checkpoint",
    "log",
    "threads",
)


def add(commands: Any) -> None:
    """Adds the command."""
    parser = common.command(
        commands,
        "prune",
        _run,
        "Prune a model: at once, or with --data while a demo network trains on.",
    )
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="an .onnx or .safetensors file or the name of a built-in network",
    )
    scheme = parser.add_mutually_exclusive_group(required=True)
    scheme.add_argument("--scheme", help="e.g. pattern:8+connectivity:3.6; dense: only train")
    scheme.add_argument("--config", metavar="FILE", help="YAML with a scheme for each layer")
    parser.add_argument(
        "-o", "--output", required=True, metavar="FILE", help="an .onnx or .safetensors file"
    )
    parser.add_argument(
        "--weights", metavar="FILE", help=".onnx or .safetensors, for a built-in network"
    )
    train = parser.add_argument_group("training, for resnet20-cifar, vgg16-cifar and vgg-fashion")
    train.add_argument("--data", metavar="FOLDER", help="of CIFAR-10 packs or Fashion-MNIST")
    train.add_argument(
        "--method",
        choices=["admm", "gradual", "magnitude", "group-lasso"],
        help=f"default: {METHOD}",
    )
    train.add_argument("--epochs", type=int, metavar="N", help="until the masks are fixed")
    train.add_argument("--retrain-epochs", type=int, metavar="N", help="after it")
    train.add_argument("--lr", type=float, help="learning rate until the masks are fixed")
    train.add_argument("--retrain-lr", type=float, metavar="LR", help="after it, at first")
    train.add_argument("--batch", type=int, metavar="N", help="images of a step")
    train.add_argument("--distill", type=float, metavar="0..1", help="share of distillation")
    train.add_argument("--seed", type=int, default=0, help="of all random numbers (default 0)")
    train.add_argument("--limit", type=int, metavar="N", help="use only so many images: to try it")
    train.add_argument("--device", metavar="NAME", help="where to train, e.g. cuda (default: cpu)")
    train.add_argument(
        "--autocast", action="store_true", help="compute in bfloat16 where that is safe"
    )
    train.add_argument(
        "--compile",
        action="store_true",
        help="let torch.compile make faster code of the network: minutes at first, less after them",
    )
    train.add_argument(
        "--recalibrate",
        action="store_true",
        help="measure batch-norm statistics anew when the masks are fixed",
    )
    train.add_argument(
        "--checkpoint", metavar="FILE", help="kept while it trains; goes on from there"
    )
    train.add_argument("--log", metavar="FILE", help="JSON lines: settings, epochs, result")
    common.add_threads(train)


def _run(arguments: argparse.Namespace) -> None:
    output = common.Output(arguments.json)
    output.check()
    common.check_writable(arguments.output)
    from ..prune import files

    if files.check_suffix(arguments.output) == ".onnx" and arguments.model.endswith(".safetensors"):
        raise OptionError(f"{arguments.model} has weights but no network: write .safetensors")
    config = _config(arguments)
    make = _trained if arguments.data else _at_once
    report, weights, model, scores = make(arguments, config)
    layers = [dataclasses.asdict(layer) for layer in report.layers]
    _write(arguments, weights, model, report)
    if arguments.checkpoint:
        Path(arguments.checkpoint).unlink(missing_ok=True)
    output.text(str(report) if layers else "nothing pruned")
    for when, score in scores.items():
        output.text(f"accuracy {_WHEN[when]}: {score:.2f} %")
    output.text(f"wrote {arguments.output}")
    output.json(
        {
            "model": arguments.model,
            "config": config.to_dict(),
            "method": (arguments.method or METHOD) if arguments.data else "magnitude",
            "seed": arguments.seed,
            "scores": scores,
            "layers": layers,
            "file": arguments.output,
        }
    )


_WHEN = {"before": "before pruning", "hard": "at the hard prune", "after": "at the end"}


def _config(arguments: argparse.Namespace) -> PruneConfig:
    from ..prune import PruneConfig

    if arguments.scheme is not None:
        return PruneConfig(arguments.scheme)
    try:
        text = Path(arguments.config).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"cannot read {arguments.config}: {error}") from error
    return PruneConfig.from_yaml(text)


def _at_once(arguments: argparse.Namespace, config: PruneConfig) -> Made:
    """By magnitude, without training."""
    from .. import models, prune

    settings = {name: getattr(arguments, name) for name in (*_SETTINGS, *_TRAINING)}
    given = [name for name, value in settings.items() if value is not None and value is not False]
    if given:
        option = given[0].replace("_", "-")
        raise OptionError(f"--{option} is for training, which needs --data FOLDER")
    weights = _weights(arguments)
    if weights is None:
        weights = models.weights(_network(arguments))
    return prune.magnitude(weights, config), weights, weights, {}


def _trained(arguments: argparse.Namespace, config: PruneConfig) -> Made:
    """By the recipe of a demo network."""
    try:
        import torch

        from ..prune import read_weights, recipes
        from ..runtime.network import check_threads
    except ImportError as error:
        raise DependencyError(
            f"training needs {error.name}: pip install 'pconv-mlir[train]'"
        ) from error
    recipe = _changed(recipes.find(arguments.model), arguments)
    weights = _weights(arguments)
    published = Path(arguments.data) / recipe.weights
    if weights is None and recipe.weights and published.exists():
        weights = read_weights(published)
    if weights is None and str(config.scheme) != "dense":
        raise OptionError("pruning starts from a trained network: give its --weights FILE")
    if arguments.threads is not None:
        torch.set_num_threads(check_threads(arguments.threads))
    for path in (arguments.checkpoint, arguments.log):
        if path:
            common.check_writable(path)
    checkpoint, log = (Path(p) if p else None for p in (arguments.checkpoint, arguments.log))
    with progress() as line:
        line("reading the data")
        outcome = recipes.run(
            recipe,
            config,
            Path(arguments.data),
            weights=weights,
            method=arguments.method or METHOD,
            seed=arguments.seed,
            limit=arguments.limit,
            device=arguments.device or "cpu",
            autocast=arguments.autocast,
            compiled=arguments.compile,
            recalibrate=arguments.recalibrate,
            checkpoint=checkpoint,
            log=log,
            progress=lambda epoch: line(str(epoch), epoch.number, epoch.of),
        )
    return outcome.layers, outcome.weights(), outcome.model, outcome.scores


def _changed(recipe: Recipe, arguments: argparse.Namespace) -> Recipe:
    """The recipe with the numbers of the command line."""
    found = {name: getattr(arguments, name) for name in _SETTINGS}
    return dataclasses.replace(recipe, **{k: v for k, v in found.items() if v is not None})


def _is_file(arguments: argparse.Namespace) -> bool:
    return Path(arguments.model).suffix in (".onnx", ".safetensors")


def _weights(arguments: argparse.Namespace) -> Weights | None:
    """Those of the file that was named; None where none was."""
    from ..prune import files, read_weights

    if _is_file(arguments) and arguments.weights:
        raise OptionError("--weights is for built-in networks: a file has its own")
    path = arguments.model if _is_file(arguments) else arguments.weights
    if not path:
        return None
    files.check_suffix(path)
    return read_weights(path)


def _network(arguments: argparse.Namespace) -> Any:
    """The network as ONNX, with random weights if it is a built-in one."""
    from .. import models, sources

    if arguments.model in models.names():
        return models.build(arguments.model, seed=arguments.seed)
    return sources.find(arguments.model).model


def _write(
    arguments: argparse.Namespace, weights: Weights, model: Any, report: PruneReport
) -> None:
    from .. import models, prune
    from ..prune import files, saving

    if Path(arguments.output).suffix == ".safetensors":
        prune.save(model, arguments.output, report)
        return
    network = _network(arguments)
    models.replace_weights(network, weights)
    saving.annotate(network, report)
    files.write_model(arguments.output, network)
