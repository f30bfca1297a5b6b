// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// pconv_mlir/_mlir_libs/__init__.py looks for _site_initialize_<n> and calls it: every Context then
// knows the dialects, and every PassManager the passes.
#include "CAPI/Pconv.h"

#include "mlir/Bindings/Python/Nanobind.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"

NB_MODULE(_site_initialize_0, m) {
  pconvRegisterPasses();
  m.def("register_dialects", [](MlirDialectRegistry registry) { pconvRegisterDialects(registry); });
}
