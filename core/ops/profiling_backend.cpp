// SPDX-License-Identifier: Apache-2.0
#include "core/ops/profiling_backend.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

namespace core {

struct ProfilingBackend::Allocated {
    std::atomic<std::size_t> live{0};
    std::size_t peak = 0;
};

ProfilingBackend::ProfilingBackend(std::shared_ptr<Backend> inner)
    : inner_(std::move(inner)), allocated_(std::make_shared<Allocated>()) {}

void ProfilingBackend::setRecording(bool recording) {
    inner_->synchronize();
    recording_ = recording;
}

std::vector<OpProfile> ProfilingBackend::profile() const { return profile_; }

std::size_t ProfilingBackend::liveBytes() const { return allocated_->live; }

std::size_t ProfilingBackend::peakBytes() const { return allocated_->peak; }

void ProfilingBackend::book(const char* op, const std::string& sizes, DType dtype,
                            const OpWork& work, std::chrono::steady_clock::time_point begin) {
    inner_->synchronize();
    const auto end = std::chrono::steady_clock::now();
    const auto [place, isNew] =
        places_.try_emplace({op, fmt::format("{} {}", dtypeName(dtype), sizes)}, profile_.size());
    if (isNew) profile_.push_back({op, sizes, dtype, 0, 0, {}});
    OpProfile& of = profile_[place->second];
    ++of.calls;
    of.seconds += std::chrono::duration<double>(end - begin).count();
    of.work.flops += work.flops;
    of.work.bytes += work.bytes;
}

std::string ProfilingBackend::name() const { return inner_->name(); }

std::string ProfilingBackend::description() const { return inner_->description(); }

std::shared_ptr<Buffer> ProfilingBackend::allocate(std::size_t bytes) {
    std::shared_ptr<Buffer> buffer = inner_->allocate(bytes);
    allocated_->peak = std::max(allocated_->peak, allocated_->live += bytes);
    Buffer* const plain = buffer.get();
    return {plain, [buffer = std::move(buffer), allocated = allocated_, bytes](Buffer*) mutable {
                allocated->live -= bytes;
                buffer.reset();
            }};
}

void ProfilingBackend::synchronize() { inner_->synchronize(); }

std::unique_ptr<Readback> ProfilingBackend::readBack(const Tensor& device) {
    return inner_->readBack(device);
}

void ProfilingBackend::uploadBeside(std::span<const HostCopy> uploads) {
    for (const HostCopy& one : uploads) upload(one.device, one.host);
}

/// Op by op, as everything that is measured.
void ProfilingBackend::section(std::uint64_t /*key*/, const std::function<void()>& body) { body(); }

void ProfilingBackend::upload(Out device, const Tensor& host) {
    measure("upload", device, {0, bytesOf(device, host)}, [&] { inner_->upload(device, host); });
}

void ProfilingBackend::download(Out host, const Tensor& device) {
    measure("download", host, {0, bytesOf(host, device)}, [&] { inner_->download(host, device); });
}

void ProfilingBackend::fill(Out y, float value) {
    measure("fill", y, {0, bytesOf(y)}, [&] { inner_->fill(y, value); });
}

void ProfilingBackend::copy(Out y, const Tensor& x) {
    measure("copy", y, {0, bytesOf(y, x)}, [&] { inner_->copy(y, x); });
}

void ProfilingBackend::add(Out y, const Tensor& a, const Tensor& b) {
    measure("add", y, {0, bytesOf(y, a, b)}, [&] { inner_->add(y, a, b); });
}

void ProfilingBackend::multiply(Out y, const Tensor& a, const Tensor& b) {
    measure("multiply", y, {0, bytesOf(y, a, b)}, [&] { inner_->multiply(y, a, b); });
}

void ProfilingBackend::accumulate(InOut y, const Tensor& x, float factor) {
    measure("accumulate", y, {0, bytesOf(y, y, x)}, [&] { inner_->accumulate(y, x, factor); });
}

void ProfilingBackend::scale(InOut y, float factor) {
    measure("scale", y, {0, bytesOf(y, y)}, [&] { inner_->scale(y, factor); });
}

void ProfilingBackend::activationForward(Out y, const Tensor& x, Activation kind) {
    measure("activationForward", y, {0, bytesOf(y, x)},
            [&] { inner_->activationForward(y, x, kind); });
}

void ProfilingBackend::activationBackward(Out dx, const Tensor& dy, const Tensor& x,
                                          Activation kind) {
    measure("activationBackward", dx, {0, bytesOf(dx, dy, x)},
            [&] { inner_->activationBackward(dx, dy, x, kind); });
}

void ProfilingBackend::gatedActivationForward(Out y, const Tensor& x, const Tensor& gate,
                                              Activation kind) {
    measure("gatedActivationForward", y, {0, bytesOf(y, x, gate)},
            [&] { inner_->gatedActivationForward(y, x, gate, kind); });
}

void ProfilingBackend::gatedActivationBackward(Out dx, Out dGate, const Tensor& dy, const Tensor& x,
                                               const Tensor& gate, Activation kind) {
    measure("gatedActivationBackward", dx, {0, bytesOf(dx, dGate, dy, x, gate)},
            [&] { inner_->gatedActivationBackward(dx, dGate, dy, x, gate, kind); });
}

void ProfilingBackend::layerNormForward(Out y, Out mean, Out rstd, const Tensor& x,
                                        const Tensor& gamma, const Tensor& beta, float epsilon) {
    measure("layerNormForward", y, {0, bytesOf(y, mean, rstd, x, gamma, beta)},
            [&] { inner_->layerNormForward(y, mean, rstd, x, gamma, beta, epsilon); });
}

void ProfilingBackend::layerNormBackward(Out dx, InOut dGamma, InOut dBeta, const Tensor& dy,
                                         const Tensor& x, const Tensor& mean, const Tensor& rstd,
                                         const Tensor& gamma) {
    measure("layerNormBackward", dx,
            {0, bytesOf(dx, dGamma, dGamma, dBeta, dBeta, dy, x, mean, rstd, gamma)},
            [&] { inner_->layerNormBackward(dx, dGamma, dBeta, dy, x, mean, rstd, gamma); });
}

void ProfilingBackend::rmsNormForward(Out y, Out rstd, const Tensor& x, const Tensor& gamma,
                                      float epsilon) {
    measure("rmsNormForward", y, {0, bytesOf(y, rstd, x, gamma)},
            [&] { inner_->rmsNormForward(y, rstd, x, gamma, epsilon); });
}

void ProfilingBackend::rmsNormBackward(Out dx, InOut dGamma, const Tensor& dy, const Tensor& x,
                                       const Tensor& rstd, const Tensor& gamma) {
    measure("rmsNormBackward", dx, {0, bytesOf(dx, dGamma, dGamma, dy, x, rstd, gamma)},
            [&] { inner_->rmsNormBackward(dx, dGamma, dy, x, rstd, gamma); });
}

void ProfilingBackend::dropout(Out y, const Tensor& x, float rate, std::uint64_t key) {
    measure("dropout", y, {0, bytesOf(y, x)}, [&] { inner_->dropout(y, x, rate, key); });
}

void ProfilingBackend::relativeBiasForward(Out bias, const Tensor& table,
                                           std::span<const std::int64_t> byDistance) {
    measure("relativeBiasForward", bias, {0, bytesOf(bias, table)},
            [&] { inner_->relativeBiasForward(bias, table, byDistance); });
}

void ProfilingBackend::relativeBiasBackward(InOut dTable, const Tensor& dBias,
                                            std::span<const std::int64_t> byDistance) {
    measure("relativeBiasBackward", dBias, {0, bytesOf(dTable, dTable, dBias)},
            [&] { inner_->relativeBiasBackward(dTable, dBias, byDistance); });
}

void ProfilingBackend::embeddingForward(Out y, const Tensor& ids, const Tensor& table) {
    measure("embeddingForward", y, {0, bytesOf(y, ids) + embeddingBytes(y, table)},
            [&] { inner_->embeddingForward(y, ids, table); });
}

void ProfilingBackend::embeddingBackward(InOut dTable, const Tensor& dy, const Tensor& ids) {
    measure("embeddingBackward", dy, {0, bytesOf(dy, ids) + 2 * embeddingBytes(dy, dTable)},
            [&] { inner_->embeddingBackward(dTable, dy, ids); });
}

void ProfilingBackend::patchify(Out patches, const Tensor& pixels, std::int64_t patch) {
    measure("patchify", patches, {0, bytesOf(patches, pixels)},
            [&] { inner_->patchify(patches, pixels, patch); });
}

void ProfilingBackend::embedForward(Out y, const Tensor& patches, const Tensor& cls,
                                    const Tensor& positions) {
    measure("embedForward", y, {0, bytesOf(y, patches, cls, positions)},
            [&] { inner_->embedForward(y, patches, cls, positions); });
}

void ProfilingBackend::embedBackward(Out dPatches, InOut dCls, InOut dPositions, const Tensor& dy) {
    measure("embedBackward", dPatches,
            {0, bytesOf(dPatches, dCls, dCls, dPositions, dPositions, dy)},
            [&] { inner_->embedBackward(dPatches, dCls, dPositions, dy); });
}

void ProfilingBackend::firstRowsForward(Out y, const Tensor& x) {
    measure("firstRowsForward", y, {0, bytesOf(y, y)}, [&] { inner_->firstRowsForward(y, x); });
}

void ProfilingBackend::firstRowsBackward(Out dx, const Tensor& dy) {
    measure("firstRowsBackward", dx, {0, bytesOf(dx, dy)},
            [&] { inner_->firstRowsBackward(dx, dy); });
}

void ProfilingBackend::softmaxForward(Out y, const Tensor& x) {
    measure("softmaxForward", y, {0, bytesOf(y, x)}, [&] { inner_->softmaxForward(y, x); });
}

void ProfilingBackend::softmaxBackward(Out dx, const Tensor& dy, const Tensor& y) {
    measure("softmaxBackward", dx, {0, bytesOf(dx, dy, y)},
            [&] { inner_->softmaxBackward(dx, dy, y); });
}

}  // namespace core
