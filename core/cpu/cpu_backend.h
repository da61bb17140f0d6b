// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <memory>
#include <string>

namespace core {

/// The Backend of the CPU: oneDNN products and our own loops on one OpenMP pool. threads = 0: all
/// processors. The instruction set is chosen at run time; the environment variable UPCYCLER_ISA
/// (baseline, avx2 or avx512) lowers it, oneDNN's included, for tests. Throws Usage when the
/// variable holds another word.
std::unique_ptr<Backend> makeCpuBackend(int threads = 0);

/// Whether products in bf16 run on a unit for them (AVX-512 BF16); else they are computed in f32.
bool cpuComputesBf16();

/// The instruction set in use, for people: "AVX-512 with bf16", "AVX-512", "AVX2", "baseline".
std::string cpuInstructionSet();

}  // namespace core
