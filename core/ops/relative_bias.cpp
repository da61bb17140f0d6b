// SPDX-License-Identifier: Apache-2.0
#include "core/ops/relative_bias.h"

#include "core/ops/check_internal.h"

#include <algorithm>
#include <cmath>

namespace core::ops {
namespace {

/// Buckets of one direction, and the distances below which each has its own.
struct Direction {
    std::int64_t buckets;
    std::int64_t exact;
};

Direction directionOf(const RelativeBuckets& b) {
    const std::int64_t buckets = b.bidirectional ? b.buckets / 2 : b.buckets;
    return {buckets, buckets / 2};
}

/// One entry of the table for every bucket, every distance in bounds.
std::vector<std::int64_t> bucketsOf(const RelativeBuckets& buckets, std::int64_t queries,
                                    std::int64_t keys) {
    std::vector<std::int64_t> byDistance;
    const std::int64_t first = -(buckets.queryOffset + queries - 1);
    for (std::int64_t i = 0; i < queries + keys - 1; ++i)
        byDistance.push_back(relativeBucket(buckets, first + i));
    return byDistance;
}

void requireCase(const char* op, const Tensor& bias, const Tensor& table,
                 const RelativeBuckets& buckets) {
    const Direction direction = directionOf(buckets);
    require(op, direction.exact >= 1, "there are too few buckets");
    require(op, buckets.maxDistance > direction.exact,
            "the largest distance is not above the exact ones");
    requireTensor(op, "bias", bias, DType::F32, {"heads", "queries", "keys"});
    require(op, bias.size(1) >= 1 && bias.size(2) >= 1, "there are no queries or no keys");
    requireTensor(op, "table", table, DType::F32, {buckets.buckets, bias.size(0)});
}

}  // namespace

std::int64_t relativeBucket(const RelativeBuckets& buckets, std::int64_t distance) {
    const Direction direction = directionOf(buckets);
    const std::int64_t first = buckets.bidirectional && distance > 0 ? direction.buckets : 0;
    const std::int64_t far =
        buckets.bidirectional ? std::abs(distance) : std::max<std::int64_t>(-distance, 0);
    if (far < direction.exact) return first + far;
    const auto exact = static_cast<float>(direction.exact);
    const auto span = static_cast<float>(
        std::log(static_cast<double>(buckets.maxDistance) / static_cast<double>(direction.exact)));
    const float steps = std::log(static_cast<float>(far) / exact) / span *
                        static_cast<float>(direction.buckets - direction.exact);
    return first +
           std::min(direction.exact + static_cast<std::int64_t>(steps), direction.buckets - 1);
}

void relativeBiasForward(Backend& backend, Out bias, const Tensor& table,
                         const RelativeBuckets& buckets) {
    requireCase("relativeBiasForward", bias, table, buckets);
    backend.relativeBiasForward(bias, table, bucketsOf(buckets, bias.size(1), bias.size(2)));
}

void relativeBiasBackward(Backend& backend, InOut dTable, const Tensor& dBias,
                          const RelativeBuckets& buckets) {
    requireCase("relativeBiasBackward", dBias, dTable, buckets);
    backend.relativeBiasBackward(dTable, dBias, bucketsOf(buckets, dBias.size(1), dBias.size(2)));
}

}  // namespace core::ops
