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

std::unique_ptr<Readback> CpuBackend::readBack(const Tensor& device) {
    class Done final : public Readback {
      public:
        explicit Done(Tensor values) : values_(std::move(values)) {}
        bool ready() override { return true; }
        Tensor take() override { return values_; }

      private:
        Tensor values_;
    };
    Tensor values = Tensor::zeros(device.shape(), device.dtype());
    download(values, device);
    return std::make_unique<Done>(std::move(values));
}

void CpuBackend::uploadBeside(std::span<const HostCopy> uploads) {
    for (const HostCopy& one : uploads) upload(one.device, one.host);
}

void CpuBackend::section(std::uint64_t /*key*/, const std::function<void()>& body) { body(); }

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
