// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a compiled network once, as unkindly as its contract allows:
//
//   run_network ARENA VALUES INDICES ARENA_FLOATS SCRATCH_FLOATS
//
// The items of a step are run one by one from the last to the first, on two alternating scratch
// areas. Behind each of the three arrays lies a page that may not be touched, in front of them too.
// The file ARENA holds the arena with the inputs in their places, and has the results afterwards.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { kThreads = 2, kAlignment = 64, kUntouched = 0xa5 };

typedef void Body(int64_t begin, int64_t end, int64_t thread, float *arena, const float *values,
                  const int32_t *indices);

void pconv_network(void *run, float *arena, const float *values, const int32_t *indices);

void pconv_parallel_for(void *run, int64_t step, Body *body, int64_t items, float *arena,
                        const float *values, const int32_t *indices) {
  (void)run, (void)step;
  for (int64_t item = items - 1; item >= 0; --item)
    body(item, item + 1, item % kThreads, arena, values, indices);
}

static void fail(const char *what) {
  perror(what);
  exit(2);
}

// Memory between two pages that may not be touched; the data ends where the second one begins.
typedef struct {
  unsigned char *pages, *data;
  size_t bytes;
} Guarded;

static Guarded allocate(size_t bytes) {
  size_t page = sysconf(_SC_PAGESIZE);
  size_t room = (bytes + kAlignment + page - 1) / page * page;
  unsigned char *all =
      mmap(NULL, room + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (all == MAP_FAILED || mprotect(all + page, room, PROT_READ | PROT_WRITE))
    fail("mmap");
  memset(all + page, kUntouched, room);
  size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return (Guarded){all + page, all + page + room - rounded, bytes};
}

static Guarded read_file(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END))
    fail(path);
  Guarded memory = allocate(ftell(file));
  rewind(file);
  if (fread(memory.data, 1, memory.bytes, file) != memory.bytes)
    fail(path);
  fclose(file);
  return memory;
}

int main(int argc, char **argv) {
  if (argc != 6)
    return 2;
  Guarded input = read_file(argv[1]), values = read_file(argv[2]), indices = read_file(argv[3]);
  size_t arena_bytes = 4 * strtoull(argv[4], NULL, 10);
  Guarded arena = allocate(arena_bytes + 4 * kThreads * strtoull(argv[5], NULL, 10));
  memset(arena.data, 0xff, arena.bytes); // NaN wherever nothing was written
  memcpy(arena.data, input.data, arena_bytes);
  pconv_network(NULL, (float *)arena.data, (const float *)values.data,
                (const int32_t *)indices.data);
  for (unsigned char *at = arena.pages; at < arena.data; ++at)
    if (*at != kUntouched) {
      fprintf(stderr, "the network wrote %td bytes in front of its arena\n", arena.data - at);
      return 1;
    }
  FILE *file = fopen(argv[1], "wb");
  if (!file || fwrite(arena.data, 1, arena_bytes, file) != arena_bytes || fclose(file))
    fail(argv[1]);
  return 0;
}
