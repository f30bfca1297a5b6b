/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 * The C interface of libpconv_runtime.so: what loads and runs compiled networks. It knows neither
 * MLIR nor Python. */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#define PCONV_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

/* --- What compiled code calls --------------------------------------------- */

/* Items begin .. end-1 of a step; `thread` picks the private scratch. */
typedef void PconvBody(int64_t begin, int64_t end, int64_t thread, float *arena,
                       const float *values, const int32_t *indices);

/* Cuts items 0 .. items-1 into some contiguous ranges for each thread of the run, which the threads
 * take as they get free, and returns when all are done. With one thread or one item the caller's
 * thread does it all as thread 0. */
PCONV_EXPORT void pconv_parallel_for(void *run, int64_t step, PconvBody *body, int64_t items,
                                     float *arena, const float *values, const int32_t *indices);

/* --- Running --------------------------------------------------------------- */

/* The entry of compiled code: `run` is passed through to pconv_parallel_for. */
typedef void PconvNetwork(void *run, float *arena, const float *values, const int32_t *indices);

/* Runs a network once. The arena holds the planned floats and then one scratch for each thread.
 * With `stepNs` (of `steps` numbers, else NULL) the nanoseconds of every step are added to it.
 * Allocates nothing, may be called from several threads with an arena each. */
PCONV_EXPORT void pconv_execute(PconvNetwork *entry, int64_t threads, float *arena,
                                const float *values, const int32_t *indices, int64_t *stepNs,
                                int64_t steps);

/* --- Loading --------------------------------------------------------------- */

typedef struct PconvCode PconvCode;

/* Loads a relocatable ELF object for this machine into the process. It may refer to
 * pconv_parallel_for and to a few functions of libc and libm, and to nothing else.
 * Returns NULL and a message when the object is damaged or not fit for this; never crashes. */
PCONV_EXPORT PconvCode *pconv_code_load(const void *object, size_t size, char *error,
                                        size_t errorSize);

/* The address of a global function of the object, or NULL. */
PCONV_EXPORT void *pconv_code_lookup(const PconvCode *code, const char *name);

PCONV_EXPORT void pconv_code_free(PconvCode *code);

#ifdef __cplusplus
}
#endif

#endif /* RUNTIME_RUNTIME_H */
