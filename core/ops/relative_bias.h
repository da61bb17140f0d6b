// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/backend.h"

#include <cstdint>

namespace core::ops {

/// The bucket of a distance (key's position - query's), exactly as transformers'
/// T5Attention._relative_position_bucket: one bucket a distance up to half of them (a quarter when
/// bidirectional: keys after the query have the other half), then logarithmic up to maxDistance.
/// Needs buckets >= 2 (>= 4 when bidirectional) and maxDistance above the exact distances.
std::int64_t relativeBucket(const RelativeBuckets& buckets, std::int64_t distance);

/// bias [heads, queries, keys] = table[relativeBucket(j - (i + queryOffset)), head], table
/// [buckets, heads].
void relativeBiasForward(Backend& backend, Out bias, const Tensor& table,
                         const RelativeBuckets& buckets);

/// dTable [buckets, heads] += dBias [heads, queries, keys] summed by bucket.
void relativeBiasBackward(Backend& backend, InOut dTable, const Tensor& dBias,
                          const RelativeBuckets& buckets);

}  // namespace core::ops
