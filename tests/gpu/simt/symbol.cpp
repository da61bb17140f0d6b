// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/simt/symbol.h"

#include <cxxabi.h>
#include <elf.h>
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <vector>

namespace simt {
namespace {

/// Where the executable was loaded.
std::uintptr_t loadAddress() {
    std::uintptr_t address = 0;
    ::dl_iterate_phdr(
        [](dl_phdr_info* info, std::size_t, void* into) {
            *static_cast<std::uintptr_t*>(into) = info->dlpi_addr;
            return 1;  // the first is the executable
        },
        &address);
    return address;
}

std::map<std::uintptr_t, std::string> readSymbols() {
    std::map<std::uintptr_t, std::string> names;
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < sizeof(ElfW(Ehdr))) return names;
    const auto* const header = reinterpret_cast<const ElfW(Ehdr)*>(bytes.data());
    const auto* const sections =
        reinterpret_cast<const ElfW(Shdr)*>(bytes.data() + header->e_shoff);
    for (int i = 0; i < header->e_shnum; ++i) {
        if (sections[i].sh_type != SHT_SYMTAB) continue;
        const auto* const symbols =
            reinterpret_cast<const ElfW(Sym)*>(bytes.data() + sections[i].sh_offset);
        const char* const text = bytes.data() + sections[sections[i].sh_link].sh_offset;
        for (std::size_t s = 0; s < sections[i].sh_size / sizeof(ElfW(Sym)); ++s)
            if (ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC)
                names[symbols[s].st_value] = text + symbols[s].st_name;
    }
    return names;
}

}  // namespace

std::string symbolName(const void* function) {
    static const std::map<std::uintptr_t, std::string> kNames = readSymbols();
    static const std::uintptr_t kLoaded = loadAddress();
    const auto found = kNames.find(reinterpret_cast<std::uintptr_t>(function) - kLoaded);
    if (found == kNames.end()) {
        std::ostringstream address;
        address << "kernel at " << function;
        return address.str();
    }
    int status = 0;
    char* const plain = abi::__cxa_demangle(found->second.c_str(), nullptr, nullptr, &status);
    std::string name = status == 0 ? plain : found->second;
    std::free(plain);
    return name;
}

}  // namespace simt
