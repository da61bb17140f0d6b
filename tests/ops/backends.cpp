// SPDX-License-Identifier: Apache-2.0
#include "tests/ops/backends.h"

#include "core/cpu/cpu_backend.h"

namespace parity {
namespace {

MadeBackend makeCpu(int threads) { return {core::makeCpuBackend(threads), {}}; }

}  // namespace

const std::vector<BackendCase>& backendCases() {
    static const std::vector<BackendCase> kCases{
        {"CpuF32Threads1", core::DType::F32, 5e-6, [] { return makeCpu(1); }},
        {"CpuF32Threads2", core::DType::F32, 5e-6, [] { return makeCpu(2); }},
        {"CpuBf16Threads1", core::DType::BF16, 1e-5, [] { return makeCpu(1); }},
        {"CpuBf16Threads2", core::DType::BF16, 1e-5, [] { return makeCpu(2); }},
        {"CudaF32", core::DType::F32, 1e-5, makeCuda},
        {"CudaBf16", core::DType::BF16, 1e-5, makeCuda},
    };
    return kCases;
}

}  // namespace parity
