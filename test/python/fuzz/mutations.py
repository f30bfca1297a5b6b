# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Damages the .mlir files of the test suite, and shows what pconv-opt makes of it.

python test/python/fuzz/mutations.py FIRST LAST     # seeds; prints what ends pconv-opt

Whatever the input, pconv-opt has to answer with an exit code: each seed makes one module of the
corpus malformed, and every pass of this project is run on it.
"""

from __future__ import annotations

import argparse
import math
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pconv_mlir
from pconv_mlir import pipelines, targets
from pconv_mlir.compiler import lower
from pconv_mlir.module import Module
from pconv_mlir.options import CompileOptions
from pconv_mlir.pipelines import STAGES

PCONV_OPT = Path(pconv_mlir.__file__).parent / "bin" / "pconv-opt"
TESTS = Path(__file__).parents[2]
SPLIT = "// -----\n"
TIMEOUT = 120  # seconds for a whole batch: a hang is a failure, too

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[%@#!^]?[\w.$-]+|\s+|.')
_ENTRY = re.compile(r"(\w+) = ((?:[^,{}\[\]<>()]|<[^<>]*>|\[[^\[\]]*\])+)")
_NUMBERS = [
    *("0", "1", "-1", "2", "3", "5", "127", "128", "255", "256", "1024", "65535", "65536"),
    *(str(2**n + d) for n in (26, 31, 32, 40, 62, 63, 64) for d in (-1, 0)),
    *("-9223372036854775808", "-2147483648", "1.0e+38", "0x7FC00000", "1000000007"),
]
_PLANNED = (
    "lanes|registers|l1|l2|rows|vectors|filter_block|channel_block|halo|row_stride|channel_stride"
    "|row_phases|col_phases|place|values|indices|count|arena|scratch|pairs"
)
_TYPES = ["f32", "f64", "bf16", "i8", "i32", "i64", "index", "none", "i1", "complex<f32>"]

Rng = random.Random


# --- What is damaged --------------------------------------------------------------------------


def corpus() -> list[str]:
    """Every module of the .mlir tests, and a network at every stage.

    Valid ones in generic form, too: damage to it reaches what our own parsers would refuse.
    """
    texts = list(_stages())
    for path in sorted(TESTS.rglob("*.mlir")):
        if {"python", "Output"} & set(path.relative_to(TESTS).parts):
            continue
        text = path.read_text()
        texts += [_without_comments(part) for part in text.split(SPLIT)]
    return [text for text in texts if text.strip()] + _generic(texts)


def _stages() -> Iterator[str]:
    """A network with every layer, on its way to two machines."""
    text = (TESTS / "python" / "Inputs" / "every-layer.mlir").read_text()
    for registers in (16, 32):
        target = targets.parse("x86-64").override(registers=registers)
        for stage in STAGES[:-2]:
            yield lower(Module(text, {}, [], []), target=target, stop_after=stage).ir


def _without_comments(text: str) -> str:
    return re.sub(r"^\s*//.*\n", "", text, flags=re.MULTILINE)


def _generic(texts: Sequence[str]) -> list[str]:
    command = [PCONV_OPT, "--split-input-file", "--mlir-print-op-generic"]
    done = subprocess.run(
        command, input=SPLIT.join(texts), capture_output=True, text=True, check=False
    )
    return [text for text in done.stdout.split(SPLIT) if text.strip()]


# --- How it is damaged ------------------------------------------------------------------------


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _places(tokens: Sequence[str], wanted: Callable[[str], object]) -> list[int]:
    return [i for i, token in enumerate(tokens) if wanted(token)]


def change_number(text: str, rng: Rng, pool: list[str]) -> str:
    """One number, also inside of a shape, becomes an extreme one or its neighbour."""
    found = list(re.finditer(r"-?\b\d+(?=\b|x)|(?<=x)\d+", text))
    if not found:
        return text
    match = rng.choice(found)
    near = str(int(match[0]) + rng.choice([-1, 1, 2]))
    new = near if rng.random() < 0.4 else rng.choice(_NUMBERS)
    return text[: match.start()] + new + text[match.end() :]


def change_number_everywhere(text: str, rng: Rng, pool: list[str]) -> str:
    """All numbers that are equal change alike: shapes may still fit each other then."""
    found = re.findall(r"(?<![\w.%])\d+(?=\b|x)|(?<=x)\d+", text)
    if not found:
        return text
    old = rng.choice(found)
    near = [str(int(old) + 1), str(max(int(old) - 1, 0)), str(int(old) * rng.choice([2, 17, 1000]))]
    new = rng.choice([*near, rng.choice(_NUMBERS)])
    return re.sub(rf"(?<![\w.%]){old}(?=\b|x)|(?<=x){old}(?=\b|x)", new, text)


def change_plan(text: str, rng: Rng, pool: list[str]) -> str:
    """A number of what passes decide, which no shape has to agree with."""
    found = list(re.finditer(rf"\b(?:{_PLANNED}) = (\d+)", text))
    if not found:
        return text
    match = rng.choice(found)
    old = int(match[1])
    new = rng.choice(
        [str(old + 1), str(old * 2), "1", "3", "7", "16", "1024", rng.choice(_NUMBERS)]
    )
    return text[: match.start(1)] + new + text[match.end(1) :]


_LIST = re.compile(r"(?:dense<\[|array<i(?:32|64): )([-\d, \[\]]+?)\]?>")


def change_packed(text: str, rng: Rng, pool: list[str]) -> str:
    """A number of an index stream, of the order of filters or the like becomes its neighbour, one
    that stands elsewhere in its list, or an extreme one.
    """
    found = [match for match in _LIST.finditer(text) if re.search(r"\d", match[1])]
    if not found:
        return text
    match = rng.choice(found)
    numbers = list(re.finditer(r"-?\d+", match[1]))
    number = rng.choice(numbers)
    near = str(int(number[0]) + rng.choice([-1, 1, 4, 16]))
    other = rng.choice(numbers)[0]
    new = rng.choice([near, near, other, "-1", "2147483647", "-2147483648", "1000", "65536"])
    start = match.start(1)
    return text[: start + number.start()] + new + text[start + number.end() :]


def swap_packed(text: str, rng: Rng, pool: list[str]) -> str:
    """Two numbers of one such list change places."""
    found = [match for match in _LIST.finditer(text) if len(re.findall(r"\d+", match[1])) > 1]
    if not found:
        return text
    match = rng.choice(found)
    parts = re.split(r"(-?\d+)", match[1])
    a, b = rng.sample(range(1, len(parts), 2), 2)
    parts[a], parts[b] = parts[b], parts[a]
    return text[: match.start(1)] + "".join(parts) + text[match.end(1) :]


def swap_numbers(text: str, rng: Rng, pool: list[str]) -> str:
    tokens = _tokens(text)
    places = _places(tokens, lambda t: re.fullmatch(r"-?\d+", t))
    if len(places) > 1:
        a, b = rng.sample(places, 2)
        tokens[a], tokens[b] = tokens[b], tokens[a]
    return "".join(tokens)


def drop_token(text: str, rng: Rng, pool: list[str]) -> str:
    tokens = _tokens(text)
    places = _places(tokens, str.strip)
    if places:
        tokens[rng.choice(places)] = ""
    return "".join(tokens)


def repeat_token(text: str, rng: Rng, pool: list[str]) -> str:
    tokens = _tokens(text)
    places = _places(tokens, str.strip)
    if places:
        place = rng.choice(places)
        tokens[place] *= 2
    return "".join(tokens)


def replace_token(text: str, rng: Rng, pool: list[str]) -> str:
    """By one of the same kind: an op by an op, a symbol by a symbol, a word by a word."""
    tokens = _tokens(text)
    places = _places(tokens, lambda t: re.match(r"[%@#!^\w\"]", t))
    if not places:
        return text
    place = rng.choice(places)
    others = [t for t in _tokens(rng.choice([text, rng.choice(pool)])) if _same(t, tokens[place])]
    if others:
        tokens[place] = rng.choice(others)
    return "".join(tokens)


def _same(a: str, b: str) -> bool:
    return a[:1] == b[:1] if b[:1] in '%@#!^"' else a[:1].isalpha() == b[:1].isalpha()


def change_type(text: str, rng: Rng, pool: list[str]) -> str:
    found = list(re.finditer(r"(?<=x|<|:|\s)(f32|i64|i32|i8|f64)\b", text))
    if not found:
        return text
    match = rng.choice(found)
    return text[: match.start()] + rng.choice(_TYPES) + text[match.end() :]


def change_shape(text: str, rng: Rng, pool: list[str]) -> str:
    """A tensor gains or loses a dimension, becomes dynamic, or loses its layout."""
    found = list(
        re.finditer(r"(tensor|vector|memref)<([\dx?]*x)?(\w+)(, [^<>]*(<[^<>]*>)?)?>", text)
    )
    if not found:
        return text
    match = rng.choice(found)
    shape = match[2] or ""
    shapes = ["", "?x", "*x", shape + "3x", shape.partition("x")[2], "0x" + shape, "1x" + shape]
    layout = rng.choice([match[4] or "", "", ", #pattern.dense", ", 3 : i32"])
    new = f"{match[1]}<{rng.choice([*shapes, shape])}{match[3]}{layout}>"
    return text[: match.start()] + new + text[match.end() :]


def _entries(text: str) -> list[re.Match[str]]:
    return list(_ENTRY.finditer(text))


def drop_attribute(text: str, rng: Rng, pool: list[str]) -> str:
    found = _entries(text)
    if not found:
        return text
    match = rng.choice(found)
    end = match.end() + (text[match.end() : match.end() + 2] == ", ") * 2
    return text[: match.start()] + text[end:]


def replace_attribute(text: str, rng: Rng, pool: list[str]) -> str:
    """One attribute gets the value of another one, or one that stands elsewhere."""
    found = _entries(text)
    others = found + _entries(rng.choice(pool))
    if not found:
        return text
    match, other = rng.choice(found), rng.choice(others)
    new = other[2] if rng.random() < 0.8 else rng.choice(_VALUES)
    return text[: match.start(2)] + new + text[match.end(2) :]


_VALUES = [
    *("unit", '""', "[]", "{}", "true", "@w", "f32", "tensor<2xf32>", "array<i64>", "array<i32>"),
    *("array<i64: -1, -1>", "array<i64: 9223372036854775807, 1>", "dense<> : tensor<0xi32>"),
    *("dense<1.0> : tensor<2xf32>", "dense<3> : tensor<3x3xi8>", "-1 : i64", "1 : i128"),
    *("0x7FF0000000000000 : f64", "0xFFC00000 : f32", "dense_resource<r> : tensor<4xi32>"),
    *("sparse<[[0]], [1]> : tensor<4xi32>", "#pattern.dense", "#pattern.form<panels>"),
    *("dense<-1> : tensor<9223372036854775807xi8>", "array<i32: 2147483647, -2147483648>"),
]


def move_attribute(text: str, rng: Rng, pool: list[str]) -> str:
    """An attribute of another op or module is added to a dictionary."""
    braces = [m.end() for m in re.finditer(r"\{(?=\w+ =)", text)]
    found = _entries(rng.choice([text, rng.choice(pool)]))
    if not braces or not found:
        return text
    at, entry = rng.choice(braces), rng.choice(found)
    return f"{text[:at]}{entry[0]}, {text[at:]}"


def drop_line(text: str, rng: Rng, pool: list[str]) -> str:
    lines = text.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return "".join(lines)


def repeat_line(text: str, rng: Rng, pool: list[str]) -> str:
    lines = text.splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines)), rng.choice(lines))
    return "".join(lines)


def move_line(text: str, rng: Rng, pool: list[str]) -> str:
    lines, others = text.splitlines(keepends=True), rng.choice(pool).splitlines(keepends=True)
    lines.insert(rng.randrange(len(lines)), rng.choice(others))
    return "".join(lines)


def change_stage(text: str, rng: Rng, pool: list[str]) -> str:
    """Claims to be at another stage, so that passes meet what they do not expect."""
    new = f'pattern.stage = "{rng.choice(STAGES[:-1])}"'
    if "pattern.stage" in text:
        return re.sub(r'pattern\.stage = "\w*"', new, text, count=1)
    target = "pattern.target = #pattern.target<lanes = 4, registers = 16, fma = true, l1 = 32768, "
    attributes = f"{{{new}, {target}l2 = 524288>, pattern.memory = {{values = 64, indices = 64}}}}"
    return f"module attributes {attributes} {{\n{text}\n}}"


def flip_character(text: str, rng: Rng, pool: list[str]) -> str:
    at = rng.randrange(len(text))
    return text[:at] + rng.choice('<>{}[]()=,:#@%"x0 \n\x01\u00e9') + text[at + 1 :]


def truncate(text: str, rng: Rng, pool: list[str]) -> str:
    return text[: rng.randrange(len(text))]


# Most often those that many verifiers have nothing against, so that passes get to see the module.
_MUTATIONS = [
    *[change_number_everywhere, change_plan] * 8,
    *[change_packed] * 4,
    *[drop_attribute, change_stage] * 5,
    *[change_number, move_attribute, replace_attribute] * 3,
    *[swap_numbers, swap_packed, change_shape, change_type, replace_token],
    *[drop_line, repeat_line, move_line],
    *[drop_token, repeat_token, flip_character, truncate],
]


def damaged(seed: int, pool: list[str]) -> str:
    """The module that a seed stands for."""
    rng = Rng(seed)
    while True:
        text = original = rng.choice(pool)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            text = rng.choice(_MUTATIONS)(text, rng, pool) or "\n"
        if text != original and not _ends_mlir(text, original):
            return text.replace(SPLIT, "")


# What MLIR's own parsers and verifiers assert on, so that no code of ours comes to see it: arrays
# of other types than numbers, constants with more than 2^63 elements, and the dimensions of
# linalg.broadcast and linalg.transpose.
_ARRAY = re.compile(r"array<(?:index|none|complex)")
_CONSTANT = re.compile(r"(?:dense|sparse|dense_resource)<.*?> : (?:tensor|vector)<([\dx]+)x\w+>")
_DIMENSIONS = re.compile(r"(?:permutation|dimensions) = (?:\[[^]]*]|array<[^>]*>|.{0,10})")


def _ends_mlir(text: str, original: str) -> bool:
    sizes = (
        math.prod(map(int, filter(None, found.split("x")))) for found in _CONSTANT.findall(text)
    )
    new = set(_DIMENSIONS.findall(text)) - set(_DIMENSIONS.findall(original))
    return bool(_ARRAY.search(text) or new) or any(size >= 2**63 for size in sizes)


# --- What becomes of it -----------------------------------------------------------------------


def passes() -> list[str]:
    """Each of this project's passes, what is left of the way from some stages on, and our hooks."""
    text = subprocess.run([PCONV_OPT, "--help"], capture_output=True, text=True, check=True).stdout
    own = re.findall(r"--(pattern-[\w-]+|convert-[\w-]*pattern[\w-]*|pconv-[\w-]+)\s", text)
    ways = (
        ",".join(step.text for step in pipelines.passes(CompileOptions(), start))
        for start in ("imported", "reordered", "laid_out", "scheduled", "packed")
    )
    stages = (f"pattern-verify-stage{{stage={stage}}}" for stage in STAGES[:-1])
    others = ("pattern-pack-weights{fkw-arrays=true}", "canonicalize", "cse,symbol-dce")
    return [*dict.fromkeys(own), *ways, *stages, *others]


@dataclass(frozen=True)
class Crash:
    """A module that pconv-opt did not survive."""

    way: str
    text: str
    error: str


def crashes(modules: Sequence[str], way: str) -> Iterator[Crash]:
    """Runs passes on all modules in one process; after a crash on halves of them."""
    error = _run(modules, way)
    if error and len(modules) == 1:
        yield Crash(way, modules[0], error)
    elif error:
        middle = len(modules) // 2
        yield from crashes(modules[:middle], way)
        yield from crashes(modules[middle:], way)


def _run(modules: Sequence[str], way: str) -> str:
    """What pconv-opt said before it died, or nothing if it has not."""
    text = SPLIT.join(f"{module}\n" for module in modules)
    command = [PCONV_OPT, "--split-input-file", f"--pass-pipeline={pipelines.text([way])}"]
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {TIMEOUT} s"
    if done.returncode in (0, 1):
        return ""
    return f"exit code {done.returncode}: {done.stderr.decode(errors='replace')[-2000:]}"


def main() -> None:
    """Looks for crashes among many seeds."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("last", type=int)
    parser.add_argument("--batch", type=int, default=250)
    arguments = parser.parse_args()
    pool, ways = corpus(), passes()
    for start in range(arguments.first, arguments.last, arguments.batch):
        seeds = range(start, min(start + arguments.batch, arguments.last))
        modules = [damaged(seed, pool) for seed in seeds]
        for crash in (crash for way in ways for crash in crashes(modules, way)):
            sys.stdout.write(f"--- {crash.way}: {crash.error}\n{crash.text}\n")
            sys.stdout.flush()
        sys.stderr.write(f"seeds {seeds.start} to {seeds.stop - 1} done\n")


if __name__ == "__main__":
    main()
