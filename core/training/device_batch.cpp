// SPDX-License-Identifier: Apache-2.0
#include "core/training/device_batch.h"

#include "core/tensor/ignored_label.h"

#include <algorithm>
#include <numeric>

namespace core {
namespace {

/// The first rows of `kept` as a place for `host`; a larger place is made when it does not fit.
Tensor copyTo(Tensor& kept, const Tensor& host, Backend& backend) {
    if (!kept.defined() || kept.elements() < host.elements() || kept.dtype() != host.dtype())
        kept = Tensor(backend.allocate(host.bytes()), 0, {host.elements()}, host.dtype());
    const Tensor place = kept.rows(0, host.elements()).view(host.shape());
    backend.upload(place, host);
    return place;
}

}  // namespace

Batch DeviceBatch::upload(const HostBatch& batch, std::int64_t begin, std::int64_t end) {
    const auto rows = [&](Tensor& kept, const Tensor& host) {
        return host.defined() ? copyTo(kept, host.rows(begin, end), backend_) : Tensor();
    };
    return {.pixels = rows(pixels_, batch.pixels),
            .labels = rows(labels_, batch.labels),
            .inputIds = rows(inputIds_, batch.inputIds),
            .inputMask = rows(inputMask_, batch.inputMask),
            .decoderInputIds = rows(decoderInputIds_, batch.decoderInputIds),
            .decoderMask = rows(decoderMask_, batch.decoderMask)};
}

std::int64_t tokensIn(const HostBatch& batch, const ModelSpec& spec) {
    if (batch.pixels.defined()) return batch.pixels.size(0) * spec.vit.tokens();
    std::int64_t tokens = 0;
    for (const Tensor& mask : {batch.inputMask, batch.decoderMask})
        if (mask.defined()) {
            const auto values = mask.span<std::uint8_t>();
            tokens += std::accumulate(values.begin(), values.end(), std::int64_t{0});
        }
    return tokens;
}

std::int64_t countLabels(const Tensor& labels, std::int64_t begin, std::int64_t end) {
    const Tensor rows = labels.rows(begin, end);
    const auto values = rows.span<std::int64_t>();
    return rows.elements() - std::count(values.begin(), values.end(), kIgnoredLabel);
}

}  // namespace core
