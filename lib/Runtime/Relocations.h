// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What differs between the instruction sets when an object is loaded.
#ifndef PCONV_RUNTIME_RELOCATIONS_H
#define PCONV_RUNTIME_RELOCATIONS_H

#include <cstdint>
#include <cstring>

namespace pconv {

using Address = uint64_t;

/// A relocation, read: the addresses that its formula may need.
struct Fixup {
  uint32_t type;
  char *at;       // where to write
  Address place;  // the same as a number (P)
  uint64_t room;  // bytes from there to the end of the section
  Address symbol; // S
  Address call;   // S, or the stub that jumps to it
  Address got;    // the slot that holds S
  int64_t addend; // A
};

enum class Applied { Yes, UnknownType, OutOfRange, OutOfSection };

/// How objects of one instruction set are put together.
struct InstructionSet {
  uint16_t machine; // as ELF numbers it
  void (*writeStub)(char *at, Address target);
  Applied (*apply)(const Fixup &fixup);
};

extern const InstructionSet x86_64, aarch64;

/// A stub jumps to any address; direct calls reach only code nearby.
constexpr uint64_t stubSize = 16;

template <typename T> Applied write(const Fixup &fixup, T value) {
  if (fixup.room < sizeof value)
    return Applied::OutOfSection;
  std::memcpy(fixup.at, &value, sizeof value);
  return Applied::Yes;
}

inline Applied writeSigned32(const Fixup &fixup, Address value) {
  auto distance = static_cast<int64_t>(value);
  if (distance != static_cast<int32_t>(distance))
    return Applied::OutOfRange;
  return write(fixup, static_cast<int32_t>(distance));
}

} // namespace pconv

#endif // PCONV_RUNTIME_RELOCATIONS_H
