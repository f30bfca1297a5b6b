# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the trainings of jobs.py; run again, it goes on where it was.

python tools/accuracy/run.py --cifar10 DATA --out RESULTS             all that is not done yet
python tools/accuracy/run.py --cifar10 DATA --out RESULTS --status    says how far each one is

On a CPU: --convolutions for VGG-16, --compile for ResNet-20 (docs/Rationale.md has the times).
With a GPU: --workers 8 --device cuda --autocast. What still runs after --minutes is stopped; its
last finished epoch is in its checkpoint.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from jobs import JOBS, Job, result

PCONV = ("-c", "import sys; from pconv_mlir.cli import main; sys.exit(main())")
FASTER = (str(Path(__file__).with_name("convolutions.py")),)
# glibc gives large tensors back to the system after each use, and gets them again page by page.
MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 33)}
Process = subprocess.Popen[bytes]


def state(job: Job, out: Path) -> str:
    """How far a job is, in a few words."""
    log = out / f"{job.name}.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    epochs = [line for line in lines if line["event"] == "epoch"]
    if (out / f"{job.name}.safetensors").exists():
        end = [line for line in lines if line["event"] == "end"][-1]
        return "done: " + ", ".join(f"{when} {x:.2f} %" for when, x in end["scores"].items())
    if not epochs:
        return "kept" if result(job.name, out).exists() else "started" if lines else "waits"
    last = epochs[-1]
    return f"{last['part']} {last['number']}/{last['of']}: {last['accuracy']:.2f} %"


@dataclass
class Queue:
    """Runs jobs in their order, several at a time, each after the one that it starts from.

    Attributes:
        jobs: What is to be run.
        out: Folder of results.
        folders: Of the data, by network.
        options: Further words of every command.
        program: What python runs as `pconv`.
        running: The processes, by name of the job.
        tried: Names of all jobs that were started.
    """

    jobs: list[Job]
    out: Path
    folders: dict[str, Path]
    options: list[str]
    program: tuple[str, ...] = PCONV
    running: dict[str, Process] = field(default_factory=dict)
    tried: set[str] = field(default_factory=set)

    def run(self, workers: int, seconds: float) -> None:
        """All that is not done, until the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._reap()
            while len(self.running) < workers and (job := self._next()):
                self._start(job)
            if not self.running:
                break
            time.sleep(0.2)
        self._stop()
        for job in self.jobs:
            if not self._done(job.name) and job.name not in self.tried and not self._ready(job):
                print(f"{job.name}: left out, there is no result of {job.start} yet", flush=True)

    def _done(self, name: str) -> bool:
        return result(name, self.out).exists()

    def _ready(self, job: Job) -> bool:
        return not isinstance(job.start, str) or not job.start or self._done(job.start)

    def _next(self) -> Job | None:
        waiting = (j for j in self.jobs if not self._done(j.name) and j.name not in self.tried)
        return next(filter(self._ready, waiting), None)

    def _start(self, job: Job) -> None:
        print(f"{time.strftime('%F %T')} {job.name}", flush=True)
        words = job.arguments(self.folders[job.network], self.out) + self.options
        command = [sys.executable, *self.program, "prune", *words]
        self.running[job.name] = subprocess.Popen(command, env=os.environ | MEMORY)
        self.tried.add(job.name)

    def _reap(self) -> None:
        for name, process in list(self.running.items()):
            if process.poll() is not None:
                del self.running[name]
                if process.returncode:
                    print(f"{name}: failed with {process.returncode}", flush=True)

    def _stop(self) -> None:
        for name, process in self.running.items():
            process.terminate()
            process.wait()
            print(f"{name}: stopped", flush=True)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--cifar10", type=Path, required=True, help="folder of the CIFAR-10 packs")
    cli.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    cli.add_argument("--out", type=Path, required=True, help="folder of results and logs")
    cli.add_argument("--only", default="*", help="names of jobs; * and ? match as in file names")
    cli.add_argument("--workers", type=int, default=1, help="jobs at a time (default 1)")
    cli.add_argument("--minutes", type=float, default=float("inf"), help="stop after this time")
    cli.add_argument("--device", help="where to train, e.g. cuda (default: cpu)")
    cli.add_argument("--autocast", action="store_true", help="compute in bfloat16")
    cli.add_argument("--compile", action="store_true", help="compile what is trained")
    cli.add_argument("--convolutions", action="store_true", help="those of convolutions.py")
    cli.add_argument("--status", action="store_true", help="say how far each job is, run nothing")
    arguments = cli.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    jobs = [job for job in JOBS if fnmatchcase(job.name, arguments.only)]
    if arguments.status:
        for job in jobs:
            print(f"{job.name:32} {state(job, arguments.out)}")
        return
    folders = {job.network: arguments.cifar10 for job in jobs} | {"vgg-fashion": arguments.fashion}
    options = ["--device", arguments.device] if arguments.device else []
    options += ["--autocast"] if arguments.autocast else []
    options += ["--compile"] if arguments.compile else []
    program = FASTER if arguments.convolutions else PCONV
    queue = Queue(jobs, arguments.out, folders, options, program)
    queue.run(max(1, arguments.workers), 60 * arguments.minutes)


if __name__ == "__main__":
    main()
