// SPDX-License-Identifier: Apache-2.0
#include "core/training/device_batch.h"

#include "core/tensor/ignored_label.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace core {
namespace {

/// The first rows of `kept` as a place for `host`; a larger place is made when it does not fit.
/// Its upload is queued in `uploads`, or done at once where the place is new: older work may still
/// use the memory.
Tensor placeFor(Tensor& kept, const Tensor& host, Backend& backend,
                std::vector<HostCopy>& uploads) {
    const bool isNew =
        !kept.defined() || kept.elements() < host.elements() || kept.dtype() != host.dtype();
    if (isNew) kept = Tensor(backend.allocate(host.bytes()), 0, {host.elements()}, host.dtype());
    const Tensor place = kept.rows(0, host.elements()).view(host.shape());
    if (isNew)
        backend.upload(place, host);
    else
        uploads.push_back({place, host});
    return place;
}

}  // namespace

Batch DeviceBatch::upload(const HostBatch& batch, std::int64_t begin, std::int64_t end) {
    Place& place = places_[next_];
    next_ = (next_ + 1) % places_.size();
    const auto rows = [&](const Tensor& host) {
        return host.defined() ? host.rows(begin, end) : Tensor();
    };
    std::vector<HostCopy> uploads;
    const auto onDevice = [&](Tensor& kept, const Tensor& host) {
        return host.defined() ? placeFor(kept, host, backend_, uploads) : Tensor();
    };
    const Batch::OnHost onHost{.labels = rows(batch.labels),
                               .inputIds = rows(batch.inputIds),
                               .inputMask = rows(batch.inputMask),
                               .decoderInputIds = rows(batch.decoderInputIds),
                               .decoderMask = rows(batch.decoderMask)};
    Batch device{.pixels = onDevice(place.pixels, rows(batch.pixels)),
                 .labels = onDevice(place.labels, onHost.labels),
                 .inputIds = onDevice(place.inputIds, onHost.inputIds),
                 .inputMask = onDevice(place.inputMask, onHost.inputMask),
                 .decoderInputIds = onDevice(place.decoderInputIds, onHost.decoderInputIds),
                 .decoderMask = onDevice(place.decoderMask, onHost.decoderMask),
                 .onHost = onHost};
    backend_.uploadBeside(uploads);
    return device;
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
