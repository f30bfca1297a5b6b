// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads a relocatable ELF object into this process.
//
// The compiler's objects are small and plain: code, constants, calls of a few known functions. A
// loader of our own for just that keeps LLVM out of the processes that only run networks, and
// checks every number of the file before it uses it, where LLVM's JIT linkers assert.
#include "Relocations.h"
#include "Runtime/Runtime.h"

#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <elf.h>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace pconv;

namespace {

//===----------------------------------------------------------------------===//
// What code may call
//===----------------------------------------------------------------------===//

struct Import {
  const char *name;
  void *address;
};

template <typename R, typename... Args> void *pointer(R (*function)(Args...)) {
  return reinterpret_cast<void *>(function);
}
using Unary = float(float);
using Binary = float(float, float);

const Import imports[] = {
    {"pconv_parallel_for", pointer(&pconv_parallel_for)},
    {"memcpy", pointer<void *, void *, const void *, size_t>(&std::memcpy)},
    {"memmove", pointer<void *, void *, const void *, size_t>(&std::memmove)},
    {"memset", pointer<void *, void *, int, size_t>(&std::memset)},
    {"expf", pointer(static_cast<Unary *>(&::expf))},
    {"exp2f", pointer(static_cast<Unary *>(&::exp2f))},
    {"logf", pointer(static_cast<Unary *>(&::logf))},
    {"tanhf", pointer(static_cast<Unary *>(&::tanhf))},
    {"erff", pointer(static_cast<Unary *>(&::erff))},
    {"sqrtf", pointer(static_cast<Unary *>(&::sqrtf))},
    {"floorf", pointer(static_cast<Unary *>(&::floorf))},
    {"ceilf", pointer(static_cast<Unary *>(&::ceilf))},
    {"truncf", pointer(static_cast<Unary *>(&::truncf))},
    {"roundf", pointer(static_cast<Unary *>(&::roundf))},
    {"rintf", pointer(static_cast<Unary *>(&::rintf))},
    {"fminf", pointer(static_cast<Binary *>(&::fminf))},
    {"fmaxf", pointer(static_cast<Binary *>(&::fmaxf))},
    {"powf", pointer(static_cast<Binary *>(&::powf))},
    {"fmodf", pointer(static_cast<Binary *>(&::fmodf))},
    {"fmaf", pointer<float, float, float, float>(&::fmaf)},
};

Address findImport(const char *name) {
  for (const Import &import : imports)
    if (!std::strcmp(import.name, name))
      return reinterpret_cast<Address>(import.address);
  return 0;
}

#if defined(__x86_64__)
const InstructionSet &host = x86_64;
#elif defined(__aarch64__)
const InstructionSet &host = aarch64;
#else
#error "no loader for this instruction set"
#endif

//===----------------------------------------------------------------------===//
// The loader
//===----------------------------------------------------------------------===//

/// Memory of the process that the code lives in.
struct Mapping {
  char *base = nullptr;
  size_t size = 0;

  Mapping() = default;
  Mapping(const Mapping &) = delete;
  Mapping &operator=(const Mapping &) = delete;
  ~Mapping() {
    if (base)
      munmap(base, size);
  }
};

struct Function {
  const char *name; // in PconvCode::names
  char *address;
};

} // namespace

struct PconvCode {
  Mapping mapping;
  std::unique_ptr<char[]> names;
  std::vector<Function> functions;
};

namespace {

/// What the memory of a section may be used for; one range of pages each.
enum Use { Code, Constants, Variables, UseCount };

struct Section {
  Elf64_Shdr header;
  bool loaded = false;
  Use use = Code;
  uint64_t place = 0; // from the start of the mapping
};

class Loader {
public:
  Loader(const void *object, size_t size, char *error, size_t errorSize)
      : bytes(static_cast<const char *>(object)), size(size), error(error), errorSize(errorSize) {}

  /// The whole way; null after an error.
  std::unique_ptr<PconvCode> load() {
    auto code = std::make_unique<PconvCode>();
    if (readHeader() && readSections() && readSymbols(*code) && layOut() && map(code->mapping) &&
        resolve(*code) && relocate() && protect())
      return code;
    return nullptr;
  }

private:
  bool readHeader();
  bool readSections();
  bool readSymbols(PconvCode &code);
  bool layOut();
  bool map(Mapping &mapping);
  bool resolve(PconvCode &code);
  bool relocate();
  bool relocateSection(const Section &relocations);
  bool relocateOne(const Section &target, const Elf64_Rela &entry);
  bool protect();

  /// Notes what is wrong; false, so that checks can return it.
  bool fail(const char *format, ...) __attribute__((format(printf, 2, 3))) {
    va_list arguments;
    va_start(arguments, format);
    if (error && errorSize)
      vsnprintf(error, errorSize, format, arguments);
    va_end(arguments);
    return false;
  }

  bool inFile(uint64_t offset, uint64_t length) const {
    return offset <= size && length <= size - offset;
  }
  /// The file may lie at any address, so nothing is read in place.
  template <typename T> bool read(uint64_t offset, T &out) const {
    if (!inFile(offset, sizeof out))
      return false;
    std::memcpy(&out, bytes + offset, sizeof out);
    return true;
  }

  char *stub(uint64_t symbol) const { return base + stubs + symbol * stubSize; }
  char *slot(uint64_t symbol) const { return base + slots + symbol * sizeof(Address); }

  const char *bytes;
  size_t size;
  char *error;
  size_t errorSize;

  Elf64_Ehdr header;
  std::vector<Section> sections;
  std::vector<Elf64_Sym> symbols;
  std::vector<Address> addresses; // of the symbols
  const char *names = nullptr;    // of the symbols
  char *base = nullptr;
  uint64_t stubs = 0, slots = 0;     // one for each symbol
  uint64_t uses[UseCount + 1] = {0}; // where each range of pages starts, and the end of all
};

constexpr uint64_t largest = uint64_t(1) << 30; // bytes of one section, or of all together

bool Loader::readHeader() {
  if (!read(0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG))
    return fail("not an ELF object");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_type != ET_REL || header.e_shentsize != sizeof(Elf64_Shdr))
    return fail("not a relocatable 64-bit object");
  if (header.e_machine != host.machine)
    return fail("made for ELF machine %d, this one is %d", header.e_machine, host.machine);
  return true;
}

bool Loader::readSections() {
  for (uint64_t i = 0; i < header.e_shnum; ++i) {
    Section section;
    if (!inFile(header.e_shoff, 0) ||
        !read(header.e_shoff + i * sizeof(Elf64_Shdr), section.header))
      return fail("section %d lies outside of the file", int(i));
    const Elf64_Shdr &h = section.header;
    if (h.sh_type != SHT_NOBITS && h.sh_type != SHT_NULL && !inFile(h.sh_offset, h.sh_size))
      return fail("the contents of section %d lie outside of the file", int(i));
    section.loaded = h.sh_flags & SHF_ALLOC;
    if (section.loaded && h.sh_type != SHT_PROGBITS && h.sh_type != SHT_NOBITS &&
        h.sh_type != SHT_NOTE && h.sh_type != SHT_X86_64_UNWIND)
      return fail("section %d has type %u, which code of a network does not need", int(i),
                  h.sh_type);
    if (section.loaded && (h.sh_flags & (SHF_TLS | SHF_COMPRESSED) || h.sh_size > largest))
      return fail("section %d cannot be loaded", int(i));
    section.use = h.sh_flags & SHF_EXECINSTR ? Code
                  : h.sh_flags & SHF_WRITE   ? Variables
                                             : Constants;
    sections.push_back(section);
  }
  return true;
}

bool Loader::readSymbols(PconvCode &code) {
  const Elf64_Shdr *table = nullptr;
  for (const Section &section : sections) {
    if (section.header.sh_type == SHT_SYMTAB_SHNDX ||
        (section.header.sh_type == SHT_SYMTAB && table))
      return fail("more symbol tables than one");
    if (section.header.sh_type == SHT_SYMTAB)
      table = &section.header;
  }
  if (!table || table->sh_entsize != sizeof(Elf64_Sym) || table->sh_link >= sections.size())
    return fail("no symbol table");
  const Elf64_Shdr &strings = sections[table->sh_link].header;
  if (strings.sh_type != SHT_STRTAB || !strings.sh_size ||
      bytes[strings.sh_offset + strings.sh_size - 1])
    return fail("the names of the symbols are damaged");
  code.names.reset(new char[strings.sh_size]); // outlives the file
  std::memcpy(code.names.get(), bytes + strings.sh_offset, strings.sh_size);
  names = code.names.get();

  for (uint64_t i = 0; i < table->sh_size / sizeof(Elf64_Sym); ++i) {
    Elf64_Sym symbol;
    if (!read(table->sh_offset + i * sizeof symbol, symbol) || symbol.st_name >= strings.sh_size)
      return fail("symbol %d is damaged", int(i));
    symbols.push_back(symbol);
  }
  return true;
}

/// Decides where each loaded section goes: code and stubs, constants and slots, variables.
bool Loader::layOut() {
  const uint64_t page = sysconf(_SC_PAGESIZE);
  uint64_t end = 0;
  auto alignTo = [&](uint64_t unit) { end = (end + unit - 1) / unit * unit; };
  for (int use = Code; use < UseCount; ++use) {
    alignTo(page);
    uses[use] = end;
    for (Section &section : sections) {
      if (!section.loaded || section.use != use)
        continue;
      uint64_t alignment = section.header.sh_addralign ? section.header.sh_addralign : 1;
      if (alignment & (alignment - 1) || alignment > page)
        return fail("a section asks for an alignment of %llu bytes", (unsigned long long)alignment);
      alignTo(alignment);
      section.place = end;
      end += section.header.sh_size;
      if (end > largest)
        return fail("the object is larger than 1 GiB");
    }
    if (use == Code) {
      alignTo(stubSize);
      stubs = end;
      end += symbols.size() * stubSize;
    } else if (use == Constants) {
      alignTo(sizeof(Address));
      slots = end;
      end += symbols.size() * sizeof(Address);
    }
  }
  alignTo(page);
  uses[UseCount] = end;
  return end ? true : fail("the object is empty");
}

bool Loader::map(Mapping &mapping) {
  void *memory =
      mmap(nullptr, uses[UseCount], PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return fail("no memory for %llu bytes of code", (unsigned long long)uses[UseCount]);
  base = mapping.base = static_cast<char *>(memory);
  mapping.size = uses[UseCount];
  for (const Section &section : sections)
    if (section.loaded && section.header.sh_type != SHT_NOBITS)
      std::memcpy(base + section.place, bytes + section.header.sh_offset, section.header.sh_size);
  return true;
}

/// Finds the address of every symbol, fills stubs and slots, and notes the functions.
bool Loader::resolve(PconvCode &code) {
  addresses.resize(symbols.size());
  for (size_t i = 1; i < symbols.size(); ++i) {
    const Elf64_Sym &symbol = symbols[i];
    const char *name = names + symbol.st_name;
    const bool global = ELF64_ST_BIND(symbol.st_info) != STB_LOCAL;
    if (symbol.st_shndx == SHN_UNDEF) {
      addresses[i] = findImport(name);
      if (!addresses[i])
        return fail("the code calls '%.100s', which networks may not", name);
    } else if (symbol.st_shndx < sections.size()) {
      const Section &section = sections[symbol.st_shndx];
      if (!section.loaded)
        continue; // debug information
      if (symbol.st_value > section.header.sh_size)
        return fail("symbol '%.100s' lies outside of its section", name);
      char *address = base + section.place + symbol.st_value;
      addresses[i] = reinterpret_cast<Address>(address);
      if (global && ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && section.use == Code)
        code.functions.push_back({name, address});
    } else if (ELF64_ST_TYPE(symbol.st_info) != STT_FILE) {
      return fail("symbol '%.100s' is of a kind that networks do not need", name);
    }
    host.writeStub(stub(i), addresses[i]);
    std::memcpy(slot(i), &addresses[i], sizeof(Address));
  }
  return true;
}

bool Loader::relocate() {
  for (const Section &section : sections) {
    const Elf64_Shdr &h = section.header;
    if (h.sh_type != SHT_RELA && h.sh_type != SHT_REL)
      continue;
    if (h.sh_info >= sections.size())
      return fail("relocations of section %u, which does not exist", h.sh_info);
    if (!sections[h.sh_info].loaded)
      continue;
    if (h.sh_type == SHT_REL || h.sh_entsize != sizeof(Elf64_Rela))
      return fail("relocations of a form that this machine does not use");
    if (!relocateSection(section))
      return false;
  }
  return true;
}

bool Loader::relocateSection(const Section &relocations) {
  const Elf64_Shdr &h = relocations.header;
  for (uint64_t i = 0; i < h.sh_size / sizeof(Elf64_Rela); ++i) {
    Elf64_Rela entry;
    if (!read(h.sh_offset + i * sizeof entry, entry))
      return fail("a relocation lies outside of the file");
    if (!relocateOne(sections[h.sh_info], entry))
      return false;
  }
  return true;
}

bool Loader::relocateOne(const Section &target, const Elf64_Rela &entry) {
  const uint64_t symbol = ELF64_R_SYM(entry.r_info);
  if (symbol >= symbols.size() || entry.r_offset >= target.header.sh_size ||
      target.header.sh_type == SHT_NOBITS)
    return fail("a relocation points outside of its section");
  Fixup fixup;
  fixup.type = ELF64_R_TYPE(entry.r_info);
  fixup.at = base + target.place + entry.r_offset;
  fixup.place = reinterpret_cast<Address>(fixup.at);
  fixup.room = target.header.sh_size - entry.r_offset;
  fixup.symbol = addresses[symbol];
  fixup.call = symbols[symbol].st_shndx == SHN_UNDEF ? reinterpret_cast<Address>(stub(symbol))
                                                     : fixup.symbol;
  fixup.got = reinterpret_cast<Address>(slot(symbol));
  fixup.addend = entry.r_addend;
  switch (host.apply(fixup)) {
  case Applied::Yes:
    return true;
  case Applied::UnknownType:
    return fail("a relocation of type %u is not known", fixup.type);
  case Applied::OutOfRange:
    return fail("a relocation of type %u does not reach its target", fixup.type);
  case Applied::OutOfSection:
    return fail("a relocation points outside of its section");
  }
  return false;
}

/// Nothing stays both writable and executable.
bool Loader::protect() {
  const int rights[UseCount] = {PROT_READ | PROT_EXEC, PROT_READ, PROT_READ | PROT_WRITE};
  __builtin___clear_cache(base, base + uses[Constants]);
  for (int use = Code; use < UseCount; ++use) {
    uint64_t length = uses[use + 1] - uses[use];
    if (length && mprotect(base + uses[use], length, rights[use]))
      return fail("this system does not let memory be made executable");
  }
  return true;
}

} // namespace

PconvCode *pconv_code_load(const void *object, size_t size, char *error, size_t errorSize) {
  return Loader(object, size, error, errorSize).load().release();
}

void *pconv_code_lookup(const PconvCode *code, const char *name) {
  for (const Function &function : code->functions)
    if (!std::strcmp(function.name, name))
      return function.address;
  return nullptr;
}

void pconv_code_free(PconvCode *code) { delete code; }
