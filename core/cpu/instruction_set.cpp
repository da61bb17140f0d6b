// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/cpu/cpu_backend.h"
#include "core/cpu/instruction_set_internal.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace core {
namespace cpu {
namespace {

InstructionSet detected() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (avx512)
        return __builtin_cpu_supports("avx512bf16") ? InstructionSet::Avx512Bf16
                                                    : InstructionSet::Avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return InstructionSet::Avx2;
#endif
    return InstructionSet::Baseline;
}

InstructionSet highestAllowed() {
    const char* word = std::getenv("UPCYCLER_ISA");
    const std::string allowed = word == nullptr ? "" : word;
    if (allowed.empty()) return InstructionSet::Avx512Bf16;
    if (allowed == "avx512") return InstructionSet::Avx512;
    if (allowed == "avx2") return InstructionSet::Avx2;
    if (allowed == "baseline") return InstructionSet::Baseline;
    throw Error(ErrorKind::Usage,
                "UPCYCLER_ISA is \"" + allowed + "\", expected baseline, avx2 or avx512",
                "unset the environment variable UPCYCLER_ISA");
}

const ProductTable& productsFor(InstructionSet set) {
#if defined(__x86_64__)
    if (set == InstructionSet::Avx512Bf16) return productsAvx512Bf16();
    if (set == InstructionSet::Avx512) return productsAvx512();
    if (set == InstructionSet::Avx2) return productsAvx2();
#endif
    static_cast<void>(set);
    return productsBaseline();
}

}  // namespace

InstructionSet instructionSet() { return std::min(detected(), highestAllowed()); }

const Kernels& kernelsFor(InstructionSet set) {
#if defined(__x86_64__)
    if (set >= InstructionSet::Avx512) return kernelsAvx512();
    if (set == InstructionSet::Avx2) return kernelsAvx2();
#endif
    static_cast<void>(set);
    return kernelsBaseline();
}

const ProductTable& productTable() {
    static const ProductTable& table = productsFor(instructionSet());
    return table;
}

}  // namespace cpu

bool cpuComputesBf16() { return cpu::instructionSet() == cpu::InstructionSet::Avx512Bf16; }

std::string cpuInstructionSet() {
    switch (cpu::instructionSet()) {
        case cpu::InstructionSet::Avx512Bf16:
            return "AVX-512 with bf16";
        case cpu::InstructionSet::Avx512:
            return "AVX-512";
        case cpu::InstructionSet::Avx2:
            return "AVX2";
        case cpu::InstructionSet::Baseline:
            break;
    }
    return "baseline";
}

}  // namespace core
