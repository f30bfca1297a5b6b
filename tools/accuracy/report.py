# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the tables of docs/Accuracy.md and its pictures from the logs in docs/accuracy.

python tools/accuracy/report.py --from RESULTS    copies the logs of run.py and measure.py first
python tools/accuracy/report.py                   writes the page anew
python tools/accuracy/report.py --check           fails if the page is not what would be written
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from jobs import JOBS, ROOT, Job

PAGE = ROOT / "docs" / "Accuracy.md"
LOGS = ROOT / "docs" / "accuracy"
NOT_YET = "not run yet"

# By the start of the jobs' names.
NETWORKS = {
    "resnet20": "ResNet-20, CIFAR-10",
    "vgg16": "VGG-16, CIFAR-10",
    "fashion": "Fashion-MNIST VGG",
}
# Trained beside the pruned networks that start from a file; the others start from a dense network
# that has been trained to its end, and are compared with that.
BESIDE = ("fashion-dense-0", "fashion-dense-1", "fashion-dense-2")
# What is to be reached: the scheme, the start of the jobs' names, the goal in points.
GOALS = (
    ("`pattern:8`, in 40 epochs", "resnet20-p8-gradual40", 0.3),
    ("`pattern:8+connectivity:2`, in 10 epochs", "resnet20-p8c2-gradual", 1.0),
    ("`pattern:8+connectivity:2`, in 40 epochs", "resnet20-p8c2-gradual40", 1.0),
    ("`pattern:8+connectivity:3.6`, in one shot", "vgg16-p8c3.6-magnitude", 0.3),
    ("`pattern:8+connectivity:3.6`, in 20 epochs", "vgg16-p8c3.6-gradual20", 0.3),
    ("`block-punched:8x4@6`, in one shot", "vgg16-punched6-magnitude", 0.5),
    ("`block-punched:8x4@6`, in 20 epochs", "vgg16-punched6-gradual20", 0.5),
    ("`unstructured@10`, in one shot", "vgg16-unstructured10-magnitude", 0.5),
    ("`unstructured@10`, in 20 epochs", "vgg16-unstructured10-gradual20", 0.5),
    ("`pattern:8+connectivity:3.6`, in 12 epochs", "fashion-p8c3.6-gradual", 0.2),
    ("`pattern:8+connectivity:3.6`, in 40 epochs", "fashion-p8c3.6-gradual40", 0.2),
    ("`pattern:8+connectivity:3.6`, ADMM, in 12 epochs", "fashion-p8c3.6-admm", 0.2),
    ("the same with random patterns", "fashion-random8c3.6-admm", None),
)
METHODS = ("magnitude", "gradual", "admm")
CONTESTS = (
    ("`pattern:8+connectivity:2`", "resnet20-p8c2"),
    ("`pattern:8+connectivity:3.6`", "fashion-p8c3.6"),
)
LIBRARIES = (("4", "p4"), ("8", "p8"), ("12", "p12"), ("56, mined", "mined56"))


@dataclass(frozen=True)
class Result:
    """The log of a job: settings, epochs, and the end if it has been reached."""

    start: dict[str, Any]
    epochs: list[dict[str, Any]]
    scores: dict[str, float] | None

    @staticmethod
    def read(path: Path) -> Result:
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        ends = [line["scores"] for line in lines if line["event"] == "end"]
        epochs = {(e["part"], e["number"]): e for e in lines if e["event"] == "epoch"}
        return Result(lines[0], list(epochs.values()), ends[-1] if ends else None)


def _facts(path: Path) -> dict[str, Any]:
    """Of each training by name; nothing where there is no such file."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


class Results:
    """All logs by name of the job."""

    def __init__(self, folder: Path) -> None:
        self.logs = {path.stem: Result.read(path) for path in sorted(folder.glob("*.jsonl"))}
        self.measured = _facts(folder / "measured.json")
        self.guided = _facts(folder / "guided.json")

    def scores(self, names: Iterable[str], when: str = "after") -> list[float]:
        """Of those of these jobs that are done."""
        found = [self.logs[name].scores for name in names if name in self.logs]
        return [scores[when] for scores in found if scores]

    def seeds(self, prefix: str, when: str = "after") -> list[float]:
        """Of every seed that is done, of the jobs called `prefix-SEED`."""
        return self.scores((f"{prefix}-{seed}" for seed in range(3)), when)

    def compared_with(self, prefix: str) -> float | None:
        """Mean of the dense networks that the jobs called `prefix-SEED` are compared with."""
        jobs = [job for job in JOBS if re.fullmatch(rf"{prefix}-\d+", job.name)]
        starts = {job.start for job in jobs if isinstance(job.start, str)}
        if starts:
            found = self.seeds(prefix, "before") or self.scores(starts)
        else:
            found = self.scores(BESIDE)
        return sum(found) / len(found) if found else None


def network(job: str) -> str:
    """What the page calls the network of a job."""
    return NETWORKS[job.partition("-")[0]]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def listed(values: Sequence[float]) -> str:
    """The value of each seed."""
    return ", ".join(f"{value:.2f}" for value in values) or NOT_YET


def goals(results: Results) -> str:
    rows = []
    for scheme, prefix, goal in GOALS:
        found, dense = results.seeds(prefix), results.compared_with(prefix)
        lost = "" if not found or dense is None else f"{sum(found) / len(found) - dense:+.2f}"
        verdict = ""
        if lost and goal is not None:
            verdict = "met" if float(lost) >= -goal else "missed"
            verdict += f" with {len(found)} of 3 seeds" if len(found) < 3 else ""
        wanted = "worse?" if goal is None else f"-{goal}"
        baseline = NOT_YET if dense is None else f"{dense:.2f}"
        rows.append((network(prefix), scheme, baseline, listed(found), lost, wanted, verdict))
    head = ("network, data", "scheme", "dense %", "pruned %, each seed", "points", "goal", "")
    return table(head, rows)


def contests(results: Results) -> str:
    rows = [
        (
            network(name),
            scheme,
            method,
            *(listed(results.seeds(f"{name}-{method}", when)) for when in WHEN),
        )
        for scheme, name in CONTESTS
        for method in METHODS
    ]
    head = ("network, data", "scheme", "method", "at the hard prune %", "at the end %")
    return table(head, rows)


WHEN = ("hard", "after")
# What a log says of how it was computed, as arguments.
WAYS = {"autocast": "--autocast", "compiled": "--compile"}


def libraries(results: Results) -> str:
    rows = [
        (label, *(listed(results.seeds(f"fashion-{name}c3.6-admm", when)) for when in WHEN))
        for label, name in LIBRARIES
    ]
    return table(("patterns", "at the hard prune %", "at the end %"), rows)


def guided(results: Results) -> str:
    rows = []
    for name, facts in results.guided.items():
        layers = facts["layers"].values()
        zeros = [layer["zeros"] for layer in layers]
        rows.append(
            (
                f"`{name}`",
                f"{facts['predicted_ms']:.3f}",
                f"{facts['dense_ms']:.3f}",
                f"{min(zeros):.1%} to {max(zeros):.1%}",
                f"{sum(bool(layer['note']) for layer in layers)} of {len(layers)}",
                *(f"{facts['accuracy'][when]:.2f}" for when in WHEN),
            )
        )
    head = ("training", "predicted ms", "dense ms", "zeros of a layer", "layers left dense")
    return table((*head, "at the end of pruning %", "at the end %"), rows) if rows else NOT_YET


def dense(results: Results) -> str:
    rows = []
    for job in JOBS:
        if job.scheme == "dense":
            log = results.logs.get(job.name)
            done = log.scores if log else None
            cells = [f"{done[when]:.2f}" if done else NOT_YET for when in ("before", "after")]
            rows.append((f"`{job.name}`", *cells))
    return table(("training", "before %", "after %"), rows)


def _network_then_name(measured: tuple[str, dict[str, Any]]) -> tuple[str, str]:
    name, row = measured
    return row["network"], name


def compiled(results: Results) -> str:
    rows = [
        (
            f"`{name}`",
            f"{row['torch_accuracy']:.2f}",
            f"{row['compiled_accuracy']:.2f}",
            f"{row['different_answers']} of {row['images']}",
            f"{row['sparse_layers']} of {row['layers']}",
            f"{row['median_ms']:.3f}",
            f"{row['min_ms']:.3f}",
            row["machine"],
        )
        for name, row in sorted(results.measured.items(), key=_network_then_name)
    ]
    head = ("network", "torch %", "compiled %", "other answers", "layers run sparse")
    return table((*head, "median ms", "shortest ms", "machine"), rows) if rows else NOT_YET


def unfinished(results: Results) -> str:
    rows = []
    for name, log in results.logs.items():
        if not log.scores and log.epochs:
            last = log.epochs[-1]
            rows.append(
                (
                    f"`{name}`",
                    f"{last['part']} {last['number']} of {last['of']}",
                    f"{last['accuracy']:.2f}",
                )
            )
    return table(("training", "epoch", "test set %"), rows) if rows else "None."


def commands(results: Results) -> str:
    """What produces the results, for each kind of job."""
    shown: list[Job] = [job for job in JOBS if job.seed == 0]
    lines = []
    for job in shown:
        words = job.arguments(Path("DATA"), Path("RESULTS"))
        text = " ".join(words).replace(f"{ROOT}/", "")
        for option in ("--log", "--checkpoint"):
            text = re.sub(rf" {option} \S+", "", text)
        log = results.logs.get(job.name)
        ways = [way for key, way in WAYS.items() if log and log.start.get(key)]
        lines.append(" ".join(["pconv prune", text, *ways]))
    return "```sh\n" + "\n".join(lines) + "\n```"


SECTIONS = {
    "goals": goals,
    "dense": dense,
    "methods": contests,
    "libraries": libraries,
    "guided": guided,
    "compiled": compiled,
    "unfinished": unfinished,
    "commands": commands,
}


def written(page: str, results: Results) -> str:
    """The page with every section replaced."""
    for name, section in SECTIONS.items():
        begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
        head, _, rest = page.partition(begin)
        tail = rest.partition(end)[2]
        page = f"{head}{begin}\n{section(results)}\n{end}{tail}"
    return page


def _kind(job: str) -> str:
    """What the seeds of a training have in common."""
    return re.sub(r"-\d+(?=-|$)", "", job)


def _by_kind(jobs: Iterable[str]) -> list[tuple[str, str, list[str]]]:
    """A colour, the kind, and its jobs."""
    from matplotlib import colormaps

    kinds = groupby(sorted(jobs, key=_kind), key=_kind)
    colours = colormaps["tab20"].colors
    return [(colours[n % 20], kind, list(names)) for n, (kind, names) in enumerate(kinds)]


def draw_curves(results: Results, path: Path) -> None:
    """Accuracy on the test set after every epoch: a panel a network, a colour for all seeds."""
    from matplotlib import pyplot

    panels = {
        prefix: {
            name.removeprefix(f"{prefix}-"): log
            for name, log in results.logs.items()
            if name.startswith(prefix) and log.epochs
        }
        for prefix in NETWORKS
    }
    shown = {prefix: logs for prefix, logs in panels.items() if logs}
    if not shown:
        return
    figure, axes = pyplot.subplots(
        1, len(shown), figsize=(5.5 * len(shown), 4.5), layout="constrained", squeeze=False
    )
    for axis, (prefix, logs) in zip(axes[0], shown.items(), strict=True):
        for colour, kind, seeds in _by_kind(logs):
            for again, name in enumerate(seeds):
                scores = [epoch["accuracy"] for epoch in logs[name].epochs]
                line = {"color": colour, "label": None if again else kind}
                axis.plot(range(1, len(scores) + 1), scores, marker=".", **line)
        axis.set(title=NETWORKS[prefix], xlabel="epoch", ylabel="right answers on the test set, %")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})


def draw_pareto(results: Results, path: Path) -> None:
    """Accuracy over latency, one panel for what may be compared; hollow: without a sparse layer."""
    from matplotlib import pyplot

    panels = sorted({(row["network"], row["machine"]) for row in results.measured.values()})
    if not panels:
        return
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    figure, axes = pyplot.subplots(
        down, across, figsize=(5.5 * across, 4.5 * down), layout="constrained", squeeze=False
    )
    for axis in axes.flat[len(panels) :]:
        axis.remove()
    for axis, (network, machine) in zip(axes.flat, panels, strict=False):
        shown = {
            name.partition("-")[2]: row
            for name, row in results.measured.items()
            if (row["network"], row["machine"]) == (network, machine)
        }
        for colour, kind, seeds in _by_kind(shown):
            rows = [shown[name] for name in seeds]
            axis.plot(
                [row["median_ms"] for row in rows],
                [row["compiled_accuracy"] for row in rows],
                "o",
                color=colour,
                markerfacecolor=colour if rows[0]["sparse_layers"] else "none",
                label=kind,
            )
        axis.set(
            title=f"{network} on {machine}",
            xlabel="ms for one image, one thread",
            ylabel="compiled accuracy, %",
        )
        axis.set_xlim(left=0)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    figure.savefig(path, metadata={"Date": None})


def _same_bytes_each_time() -> None:
    from matplotlib import rcParams

    rcParams["svg.hashsalt"] = "pconv"


def collect(source: Path) -> None:
    """Copies the logs of jobs, and the measurements."""
    LOGS.mkdir(exist_ok=True)
    trainings = [*(job.name for job in JOBS), *_facts(source / "guided.json")]
    models = [path.name for path in source.glob("models-*.json")]
    for name in [*(f"{name}.jsonl" for name in trainings), *models, "guided.json", "measured.json"]:
        if (source / name).exists():
            shutil.copyfile(source / name, LOGS / name)


def main() -> int:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--from", dest="source", type=Path, help="folder of run.py")
    cli.add_argument("--check", action="store_true")
    arguments = cli.parse_args()
    if arguments.source:
        collect(arguments.source)
    results = Results(LOGS)
    page = PAGE.read_text()
    new = written(page, results)
    if arguments.check:
        if new != page:
            print(f"{PAGE.name} is not up to date: run tools/accuracy/report.py", file=sys.stderr)
        return int(new != page)
    PAGE.write_text(new)
    _same_bytes_each_time()
    draw_curves(results, LOGS / "curves.svg")
    draw_pareto(results, LOGS / "pareto.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
