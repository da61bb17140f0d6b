// SPDX-License-Identifier: Apache-2.0
#include "core/training/device_batch.h"

#include <algorithm>

namespace core {
namespace {

constexpr std::int64_t kIgnoredLabel = -100;

/// The first rows of `kept` as a place for `host`; a larger place is made when it does not fit.
Tensor copyTo(Tensor& kept, const Tensor& host, Backend& backend) {
    if (!kept.defined() || kept.elements() < host.elements())
        kept = Tensor(backend.allocate(host.bytes()), 0, {host.elements()}, host.dtype());
    const Tensor place = kept.rows(0, host.elements()).view(host.shape());
    backend.upload(place, host);
    return place;
}

}  // namespace

Batch DeviceBatch::upload(const HostBatch& batch, std::int64_t begin, std::int64_t end) {
    return {.pixels = copyTo(pixels_, batch.pixels.rows(begin, end), backend_),
            .labels = copyTo(labels_, batch.labels.rows(begin, end), backend_)};
}

std::int64_t countLabels(const Tensor& labels, std::int64_t begin, std::int64_t end) {
    const auto* values = labels.data<std::int64_t>();
    return (end - begin) - std::count(values + begin, values + end, kIgnoredLabel);
}

}  // namespace core
