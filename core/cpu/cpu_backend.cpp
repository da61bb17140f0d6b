// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"

#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/instruction_set_internal.h"

#include <fmt/format.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <cstring>

namespace core {
namespace cpu {
namespace {

/// Before the first product oneDNN can be told to stay at or below our own instruction set; later
/// it refuses.
void limitProducts(InstructionSet set) {
    if (set == InstructionSet::Avx512)
        dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core);
    else if (set == InstructionSet::Avx2)
        dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
    else if (set == InstructionSet::Baseline)
        dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
}

int teamSize(int threads) {
    if (threads <= 0) setThreads(0);
    return threads > 0 ? threads : core::threads();
}

}  // namespace

CpuBackend::CpuBackend(int threads)
    : threads_(teamSize(threads)), kernels_(kernelsFor(instructionSet())) {
    limitProducts(instructionSet());
}

std::string CpuBackend::name() const { return "cpu"; }

std::string CpuBackend::description() const {
    const dnnl_version_t* version = dnnl_version();
    return fmt::format("CPU, {}, {} thread{}, oneDNN {}.{}.{}", cpuInstructionSet(), threads_,
                       threads_ == 1 ? "" : "s", version->major, version->minor, version->patch);
}

std::shared_ptr<Buffer> CpuBackend::allocate(std::size_t bytes) { return allocateHost(bytes); }

void CpuBackend::upload(Out device, const Tensor& host) { copy(device, host); }

void CpuBackend::download(Out host, const Tensor& device) { copy(host, device); }

void CpuBackend::synchronize() {}

const Kernels& CpuBackend::start() const {
    setThreads(threads_);
    return kernels_;
}

float* CpuBackend::floatScratch(std::size_t n) {
    if (floatScratch_.size() < n) floatScratch_.resize(n);
    return floatScratch_.data();
}

double* CpuBackend::doubleScratch(std::size_t n) {
    if (doubleScratch_.size() < n) doubleScratch_.resize(n);
    return doubleScratch_.data();
}

}  // namespace cpu

std::unique_ptr<Backend> makeCpuBackend(int threads) {
    return std::make_unique<cpu::CpuBackend>(threads);
}

}  // namespace core
