/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * The C interface: all that the Python extensions and the tools may use.
 * The aggregate exports only names that start with mlir or pconv. */
#ifndef CAPI_PCONV_H
#define CAPI_PCONV_H

#include "mlir-c/IR.h"

#ifdef __cplusplus
extern "C" {
#endif

MLIR_DECLARE_CAPI_DIALECT_REGISTRATION(Pattern, pattern);

/* All dialects and passes that the pipelines can meet, upstream's and ours. */
MLIR_CAPI_EXPORTED void pconvRegisterDialects(MlirDialectRegistry registry);
MLIR_CAPI_EXPORTED void pconvRegisterPasses(void);

/* Hands the bytes to `sink` once; returns false after a diagnostic. */
MLIR_CAPI_EXPORTED bool pconvEmitObject(MlirOperation module, MlirStringRef triple,
                                        MlirStringRef cpu, MlirStringRef features, int optLevel,
                                        bool assembly, MlirStringCallback sink, void *userData);

/* The name and the features (as +a,-b,...) of the CPU that this runs on. */
MLIR_CAPI_EXPORTED void pconvHostCpu(MlirStringCallback sink, void *userData);
MLIR_CAPI_EXPORTED void pconvHostFeatures(MlirStringCallback sink, void *userData);
MLIR_CAPI_EXPORTED void pconvHostTriple(MlirStringCallback sink, void *userData);

/* The main functions of the tools. */
MLIR_CAPI_EXPORTED int pconvOptMain(int argc, char **argv);
MLIR_CAPI_EXPORTED int pconvLspServerMain(int argc, char **argv);

#ifdef __cplusplus
}
#endif

#endif /* CAPI_PCONV_H */
