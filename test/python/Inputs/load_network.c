// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a compiled network once as an application does: the runtime loads its object file.
//
//   load_network OBJECT ARENA VALUES INDICES ARENA_FLOATS SCRATCH_FLOATS
//
// The file ARENA holds the arena with the inputs in their places, and has the results afterwards.
#include "Runtime/Runtime.h"

#include <stdio.h>
#include <stdlib.h>

enum { kThreads = 3, kAlignment = 64 };

static void fail(const char *what) {
  perror(what);
  exit(2);
}

static void *allocate(size_t bytes) {
  void *memory = aligned_alloc(kAlignment, (bytes / kAlignment + 1) * kAlignment);
  if (!memory)
    fail("aligned_alloc");
  return memory;
}

// A file's bytes, and `room` more behind them.
static void *read_file(const char *path, size_t room, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END))
    fail(path);
  *size = ftell(file);
  rewind(file);
  void *bytes = allocate(*size + room);
  if (fread(bytes, 1, *size, file) != *size)
    fail(path);
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc != 7)
    return 2;
  size_t arena_bytes = 4 * strtoull(argv[5], NULL, 10), size;
  size_t scratch_bytes = 4 * kThreads * strtoull(argv[6], NULL, 10);
  void *object = read_file(argv[1], 0, &size);
  char error[256] = "";
  PconvCode *code = pconv_code_load(object, size, error, sizeof error);
  free(object);
  PconvNetwork *network = code ? (PconvNetwork *)pconv_code_lookup(code, "pconv_network") : NULL;
  if (!network) {
    fprintf(stderr, "cannot load %s: %s\n", argv[1], error);
    return 1;
  }
  float *arena = read_file(argv[2], scratch_bytes, &size);
  float *values = read_file(argv[3], 0, &size);
  int32_t *indices = read_file(argv[4], 0, &size);
  pconv_execute(network, kThreads, arena, values, indices, NULL, 0);
  FILE *file = fopen(argv[2], "wb");
  if (!file || fwrite(arena, 1, arena_bytes, file) != arena_bytes || fclose(file))
    fail(argv[2]);
  pconv_code_free(code);
  free(arena);
  free(values);
  free(indices);
  return 0;
}
