// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The extension module _pconv: what the generated Python bindings cannot do.
#include "CAPI/Pconv.h"

#include "mlir-c/Diagnostics.h"
#include "mlir/Bindings/Python/Nanobind.h"
#include "mlir/Bindings/Python/NanobindAdaptors.h"

#include <string>

namespace nb = nanobind;

namespace {

void append(MlirStringRef piece, void *text) {
  static_cast<std::string *>(text)->append(piece.data, piece.length);
}

/// Collects the diagnostics of a call, to become the message of an exception.
class Diagnostics {
public:
  explicit Diagnostics(MlirContext context)
      : context(context),
        handler(mlirContextAttachDiagnosticHandler(context, &take, this, nullptr)) {}
  Diagnostics(const Diagnostics &) = delete;
  ~Diagnostics() { mlirContextDetachDiagnosticHandler(context, handler); }

  nb::builtin_exception error(const std::string &otherwise) const {
    return nb::value_error((text.empty() ? otherwise : text).c_str());
  }

private:
  static MlirLogicalResult take(MlirDiagnostic diagnostic, void *self) {
    std::string &text = static_cast<Diagnostics *>(self)->text;
    if (!text.empty())
      text += '\n';
    mlirDiagnosticPrint(diagnostic, append, &text);
    return mlirLogicalResultSuccess();
  }

  MlirContext context;
  MlirDiagnosticHandlerID handler;
  std::string text;
};

MlirStringRef ref(const std::string &text) { return mlirStringRefCreate(text.data(), text.size()); }

nb::bytes emitObject(MlirOperation module, const std::string &triple, const std::string &cpu,
                     const std::string &features, int optLevel, bool assembly) {
  std::string bytes;
  Diagnostics diagnostics(mlirOperationGetContext(module));
  if (!pconvEmitObject(module, ref(triple), ref(cpu), ref(features), optLevel, assembly, append,
                       &bytes))
    throw diagnostics.error("no machine code could be made");
  return nb::bytes(bytes.data(), bytes.size());
}

std::string text(void (*give)(MlirStringCallback, void *)) {
  std::string result;
  give(append, &result);
  return result;
}

} // namespace

NB_MODULE(_pconv, m) {
  m.def("emit_object", &emitObject, nb::arg("module"), nb::arg("triple"), nb::arg("cpu"),
        nb::arg("features"), nb::arg("opt_level"), nb::arg("assembly"));
  m.def("host_cpu", [] { return text(pconvHostCpu); });
  m.def("host_features", [] { return text(pconvHostFeatures); });
  m.def("host_triple", [] { return text(pconvHostTriple); });
}
