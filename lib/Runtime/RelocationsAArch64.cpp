// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ELF for the Arm 64-bit Architecture, section 5.7.
#include "Relocations.h"

#include <elf.h>

using namespace pconv;

namespace {

void writeStub(char *at, Address target) {
  const uint32_t jump[] = {0x58000050, 0xd61f0200}; // ldr x16, #8; br x16
  std::memcpy(at, jump, sizeof jump);
  std::memcpy(at + sizeof jump, &target, sizeof target);
}

/// Puts `bits` of a value into an instruction at bit `shift`.
Applied patch(const Fixup &fixup, uint32_t mask, uint32_t bits) {
  uint32_t instruction;
  if (fixup.room < sizeof instruction)
    return Applied::OutOfSection;
  std::memcpy(&instruction, fixup.at, sizeof instruction);
  return write(fixup, (instruction & ~mask) | (bits & mask));
}

/// The page of `target` as seen from the instruction: ADRP.
Applied patchPage(const Fixup &f, Address target) {
  int64_t pages =
      (static_cast<int64_t>(target & ~4095ull) - static_cast<int64_t>(f.place & ~4095ull)) >> 12;
  if (pages < -(1 << 20) || pages >= (1 << 20))
    return Applied::OutOfRange;
  uint32_t bits = static_cast<uint32_t>(pages);
  return patch(f, 0x60ffffe0, (bits & 3) << 29 | (bits >> 2 & 0x7ffff) << 5);
}

/// The place inside a page, in units of 2^scale bytes: ADD, LDR and STR.
Applied patchOffset(const Fixup &f, Address target, unsigned scale) {
  if (target & ((1u << scale) - 1))
    return Applied::OutOfRange;
  return patch(f, 0x3ffc00, static_cast<uint32_t>(target & 4095) >> scale << 10);
}

Applied patchCall(const Fixup &f, Address target) {
  int64_t distance = static_cast<int64_t>(target - f.place);
  if (distance & 3 || distance < -(1 << 27) || distance >= (1 << 27))
    return Applied::OutOfRange;
  return patch(f, 0x3ffffff, static_cast<uint32_t>(distance >> 2));
}

Applied apply(const Fixup &f) {
  const Address target = f.symbol + f.addend;
  switch (f.type) {
  case R_AARCH64_NONE:
    return Applied::Yes;
  case R_AARCH64_ABS64:
    return write(f, target);
  case R_AARCH64_PREL64:
    return write(f, target - f.place);
  case R_AARCH64_PREL32:
    return writeSigned32(f, target - f.place);
  case R_AARCH64_CALL26:
  case R_AARCH64_JUMP26:
    return patchCall(f, f.call + f.addend);
  case R_AARCH64_ADR_PREL_PG_HI21:
    return patchPage(f, target);
  case R_AARCH64_ADD_ABS_LO12_NC:
  case R_AARCH64_LDST8_ABS_LO12_NC:
    return patchOffset(f, target, 0);
  case R_AARCH64_LDST16_ABS_LO12_NC:
    return patchOffset(f, target, 1);
  case R_AARCH64_LDST32_ABS_LO12_NC:
    return patchOffset(f, target, 2);
  case R_AARCH64_LDST64_ABS_LO12_NC:
    return patchOffset(f, target, 3);
  case R_AARCH64_LDST128_ABS_LO12_NC:
    return patchOffset(f, target, 4);
  case R_AARCH64_ADR_GOT_PAGE:
    return patchPage(f, f.got + f.addend);
  case R_AARCH64_LD64_GOT_LO12_NC:
    return patchOffset(f, f.got + f.addend, 3);
  default:
    return Applied::UnknownType;
  }
}

} // namespace

const InstructionSet pconv::aarch64 = {EM_AARCH64, writeStub, apply};
