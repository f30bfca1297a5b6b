# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pconv demo: the whole story on the networks that come with the package."""

from __future__ import annotations

import argparse
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DependencyError, ModelError
from ..progress import Progress, progress
from . import common
from .bench import engines_table

if TYPE_CHECKING:
    from ..bench.compare import Result
    from ..sources import Source

DATA = Path(__file__).parents[1] / "data" / "fashion_mnist"
BIG, BIG_SCHEME = "vgg16-conv", "pattern:8+connectivity:3.6"


def add(commands: Any) -> None:
    """Adds the command."""
    parser = common.command(
        commands,
        "demo",
        _run,
        "Classify images with a network before and after pruning, and compare its speed.",
    )
    parser.add_argument(
        "--picture", default="pconv-demo.png", metavar="FILE", help="default: pconv-demo.png"
    )
    parser.add_argument("--data", default=str(DATA), metavar="FOLDER", help=argparse.SUPPRESS)
    common.add_threads(parser, 1)


def _run(arguments: argparse.Namespace) -> None:
    output = common.Output(arguments.json)
    output.check()
    common.check_writable(arguments.picture)
    from .. import compiler, models, sources
    from ..report import explain
    from ..runtime.network import check_threads

    threads = check_threads(arguments.threads)
    folder = Path(arguments.data)
    images, labels = _images(folder)
    output.text(f"Fashion-MNIST, {len(images)} test images")
    accuracies = {}
    with progress() as line:
        for name in ("dense", "pruned"):
            line(f"compiling {name}")
            source = sources.find(str(folder / f"fashion_{name}.onnx"))
            network = compiler.compile(source.module(), num_threads=threads)
            line("classifying")
            guesses = [int(np.argmax(network(image))) for image in images]
            accuracies[name] = float(np.mean(guesses == labels))
            output.text(f"  {name:<7} {accuracies[name]:.1%} right")
        line("measuring")
        output.text(f"\nThe pruned network:\n{explain.table(network, explain.measure(network))}\n")
        results = [_compare(source, threads, line, output)]
        line("building a large network")
        big = sources.find(BIG, scheme=BIG_SCHEME)
        results.append(_compare(big, threads, line, output))
    drawn = _draw(arguments.picture, models.weights(source.model), results, output)
    output.json(
        {
            "images": len(images),
            "accuracy": accuracies,
            "picture": arguments.picture if drawn else None,
            "comparisons": [result.record() for result in results],
        }
    )


def _images(folder: Path) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Images [1000, 1, 1, 28, 28] in 0..1, and their labels."""
    try:
        with np.load(folder / "test_images.npz", allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"cannot read the demo's images: {error}") from error
    return (images.astype(np.float32) / 255)[:, None, None], labels


def _compare(source: Source, threads: int, line: Progress, output: common.Output) -> Result:
    """Three bars: ours dense, ours sparse, and another engine where there is one."""
    from ..bench import compare

    result = compare.run(source, threads=threads, against=("onnxruntime",), progress=line)
    output.text(f"{engines_table(result)}\n")
    for note in result.notes:
        output.text(f"note: {note}")
    return result


def _draw(
    path: str, weights: dict[str, NDArray[Any]], results: list[Result], output: common.Output
) -> bool:
    """Whether there is a picture; the demo does not fail for want of matplotlib."""
    from ..report import picture

    bars = [
        picture.Bars(
            f"{result.rows[0].model}, {BIG_SCHEME}",
            {row.engine: row.timing.median_ms for row in result.rows},
        )
        for result in results
    ]
    try:
        picture.draw(path, picture.patterns_in_use(weights), bars)
    except DependencyError as error:
        output.text(f"no picture: {error}")
        return False
    output.text(f"picture: {path}")
    return True
