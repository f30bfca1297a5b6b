# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the trainings of jobs.py one after the other; run again, it goes on where it was.

python tools/accuracy/run.py --cifar10 DATA --out RESULTS             all that is not done yet
python tools/accuracy/run.py --cifar10 DATA --out RESULTS --status    says how far each one is
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path

from jobs import JOBS, Job

PCONV = "import sys; from pconv_mlir.cli import main; sys.exit(main())"


def state(job: Job, out: Path) -> str:
    """How far a job is, in a few words."""
    log = out / f"{job.name}.jsonl"
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    epochs = [line for line in lines if line["event"] == "epoch"]
    if (out / f"{job.name}.safetensors").exists():
        end = [line for line in lines if line["event"] == "end"][-1]
        return "done: " + ", ".join(f"{when} {x:.2f} %" for when, x in end["scores"].items())
    if not epochs:
        return "started" if lines else "waits"
    last = epochs[-1]
    return f"{last['part']} {last['number']}/{last['of']}: {last['accuracy']:.2f} %"


def run(job: Job, data: Path, out: Path) -> None:
    """Runs a job unless it is done or what it starts from is missing."""
    if (out / f"{job.name}.safetensors").exists():
        return
    if isinstance(job.start, str) and job.start and not (out / f"{job.start}.safetensors").exists():
        print(f"{job.name}: left out, there is no result of {job.start} yet", flush=True)
        return
    print(f"{time.strftime('%F %T')} {job.name}", flush=True)
    done = subprocess.run([sys.executable, "-c", PCONV, "prune", *job.arguments(data, out)])
    if done.returncode:
        print(f"{job.name}: failed with {done.returncode}", flush=True)


def main() -> None:
    cli = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    cli.add_argument("--cifar10", type=Path, required=True, help="folder of the CIFAR-10 packs")
    cli.add_argument("--fashion", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    cli.add_argument("--out", type=Path, required=True, help="folder of results and logs")
    cli.add_argument("--only", default="*", help="names of jobs; * and ? match as in file names")
    cli.add_argument("--slow", action="store_true", help="those too that take days without a GPU")
    cli.add_argument("--status", action="store_true", help="say how far each job is, run nothing")
    arguments = cli.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    for job in JOBS:
        if not fnmatchcase(job.name, arguments.only) or (job.slow and not arguments.slow):
            continue
        if arguments.status:
            print(f"{job.name:32} {state(job, arguments.out)}")
        else:
            data = arguments.fashion if job.network == "vgg-fashion" else arguments.cifar10
            run(job, data, arguments.out)


if __name__ == "__main__":
    main()
