# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes the skeleton of a pass on the pattern dialect.

python tools/dev/new_pass.py pattern-merge-layers "Make two layers one"

Adds the entry in dialects/Pattern/Transforms/Passes.td, the source file and its line in
CMakeLists.txt, and two test files. The skeleton builds; its tests fail until what is marked FILL IN
has been written. docs/AddingAPass.md says what comes next.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

DEFINITION = """\
def @Class@ : Pass<"@flag@", "::mlir::ModuleOp"> {
  let summary = "@summary@";
  let description = [{
    FILL IN: what changes, and why that is worth it.

    *Requires*: stage FILL IN. *Ensures*: FILL IN.

    ```mlir
    FILL IN: before and after, as in the test.
    ```

    *Limitations*: FILL IN: what is left alone.
  }];
  let dependentDialects = ["PatternDialect"];
}

"""

SOURCE = """\
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// FILL IN: what this pass does, in one sentence.
#include "Pattern/IR/Pattern.h"
#include "Pattern/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"

#define DEBUG_TYPE "@flag@"

namespace pconv::pattern {
#define GEN_PASS_DEF_@CLASS@
#include "Pattern/Transforms/Passes.h.inc"
} // namespace pconv::pattern

using namespace mlir;
using namespace pconv::pattern;

namespace {

struct @Class@ : pconv::pattern::impl::@Class@Base<@Class@> {
  void runOnOperation() override {
    getOperation().emitError("FILL IN: @flag@ does nothing yet");
    signalPassFailure();
  }
};

} // namespace
"""

TEST = """\
// RUN: pconv-opt %s -split-input-file -@flag@ | FileCheck %s
// FILL IN: one behaviour per function, named for it, with minimal and asymmetric shapes.

// CHECK-LABEL: func.func @changes
// CHECK: FILL IN
func.func @changes(%x: tensor<1x3x5x7xf32>) -> tensor<1x3x5x7xf32> {
  return %x : tensor<1x3x5x7xf32>
}

// -----

// CHECK-LABEL: func.func @leaves_alone
// CHECK: FILL IN
func.func @leaves_alone(%x: tensor<1x3x5x7xf32>) -> tensor<1x3x5x7xf32> {
  return %x : tensor<1x3x5x7xf32>
}
"""

INVALID_TEST = """\
// RUN: pconv-opt %s -split-input-file -verify-diagnostics -@flag@

// expected-error @+1 {{FILL IN: the message, with both values}}
module attributes {pattern.stage = "FILL IN"} {
}
"""


def insert_before(path: Path, marker: str, text: str) -> None:
    """Puts `text` before the last place where `marker` stands in a file."""
    before, found, after = path.read_text().rpartition(marker)
    if not found:
        raise SystemExit(f"{path.relative_to(ROOT)}: expected a line {marker!r}")
    path.write_text(before + text + found + after)


def add_source(cmake: Path, name: str) -> None:
    """Names a source file in CMakeLists.txt, in the order of the alphabet."""
    lines = cmake.read_text().splitlines(keepends=True)
    names = [number for number, line in enumerate(lines) if line.strip().endswith(".cpp")]
    place = next((n for n in names if lines[n].strip() > name), names[-1] + 1)
    lines.insert(place, f"  {name}\n")
    cmake.write_text("".join(lines))


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the skeleton of a pass.")
    parser.add_argument("flag", help="pattern-<verb>-<noun>")
    parser.add_argument("summary", help="one phrase without a full stop")
    arguments = parser.parse_args()
    if not re.fullmatch(r"pattern(-[a-z0-9]+){2,}", arguments.flag):
        parser.error(f"expected a flag like pattern-merge-layers, got {arguments.flag}")

    file_name = arguments.flag.removeprefix("pattern-")
    class_name = "".join(word.capitalize() for word in file_name.split("-"))
    library = ROOT / "lib" / "Dialect" / "Pattern" / "Transforms"
    tests = ROOT / "test" / "Dialect" / "Pattern"
    new_files = {
        library / f"{class_name}.cpp": SOURCE,
        tests / f"{file_name}.mlir": TEST,
        tests / f"{file_name}-invalid.mlir": INVALID_TEST,
    }
    taken = [path for path in new_files if path.exists()]
    if taken:
        parser.error(f"{taken[0].relative_to(ROOT)} exists already")

    def fill(template: str) -> str:
        values = {"Class": class_name, "CLASS": class_name.upper(), "flag": arguments.flag}
        values["summary"] = arguments.summary
        return re.sub(r"@(Class|CLASS|flag|summary)@", lambda m: values[m[1]], template)

    for path, template in new_files.items():
        path.write_text(fill(template))
    definitions = ROOT / "dialects" / "Pattern" / "Transforms" / "Passes.td"
    insert_before(definitions, "#endif", fill(DEFINITION))
    add_source(library / "CMakeLists.txt", f"{class_name}.cpp")
    for path in [definitions, library / "CMakeLists.txt", *new_files]:
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
