// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The System V ABI for x86-64, section 4.4.
#include "Relocations.h"

#include <elf.h>

using namespace pconv;

namespace {

void writeStub(char *at, Address target) {
  const unsigned char jump[] = {0xff, 0x25, 0, 0, 0, 0}; // jmp *0(%rip)
  std::memcpy(at, jump, sizeof jump);
  std::memcpy(at + sizeof jump, &target, sizeof target);
}

Applied apply(const Fixup &f) {
  switch (f.type) {
  case R_X86_64_NONE:
    return Applied::Yes;
  case R_X86_64_64:
    return write(f, f.symbol + f.addend);
  case R_X86_64_PC64:
    return write(f, f.symbol + f.addend - f.place);
  case R_X86_64_PC32:
  case R_X86_64_PLT32:
    return writeSigned32(f, f.call + f.addend - f.place);
  case R_X86_64_GOTPCREL:
  case R_X86_64_GOTPCRELX:
  case R_X86_64_REX_GOTPCRELX:
    return writeSigned32(f, f.got + f.addend - f.place);
  default:
    return Applied::UnknownType;
  }
}

} // namespace

const InstructionSet pconv::x86_64 = {EM_X86_64, writeStub, apply};
