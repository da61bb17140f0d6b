// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"

#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"
#include "core/cpu/instruction_set_internal.h"

#include <fmt/format.h>

#include <cstring>

namespace core {
namespace cpu {
namespace {

int teamSize(int threads) {
    if (threads <= 0) setThreads(0);
    return threads > 0 ? threads : core::threads();
}

}  // namespace

CpuBackend::CpuBackend(int threads)
    : threads_(teamSize(threads)), kernels_(kernelsFor(instructionSet())) {}

std::string CpuBackend::name() const { return "cpu"; }

std::string CpuBackend::description() const {
    return fmt::format("CPU, {}, {} thread{}", cpuInstructionSet(), threads_,
                       threads_ == 1 ? "" : "s");
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
