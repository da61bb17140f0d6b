// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>

namespace core::cpu {

/// A row of the bias is a piece of the values by distance: the next row's begins one before it.
void CpuBackend::relativeBiasForward(Out bias, const Tensor& table,
                                     std::span<const std::int64_t> byDistance) {
    start();
    const std::int64_t heads = bias.size(0);
    const std::int64_t queries = bias.size(1);
    const std::int64_t keys = bias.size(2);
    const auto distances = static_cast<std::int64_t>(byDistance.size());
    float* values = floatScratch(static_cast<std::size_t>(heads * distances));
    for (std::int64_t h = 0; h < heads; ++h)
        for (std::int64_t i = 0; i < distances; ++i)
            values[h * distances + i] =
                table.data<float>()[byDistance[static_cast<std::size_t>(i)] * heads + h];
    parallelFor(heads * queries, rowGrain(keys), [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t row = begin; row < end; ++row)
            std::copy_n(values + row / queries * distances + queries - 1 - row % queries, keys,
                        bias.data<float>() + row * keys);
    });
}

void CpuBackend::relativeBiasBackward(InOut dTable, const Tensor& dBias,
                                      std::span<const std::int64_t> byDistance) {
    start();
    const std::int64_t heads = dBias.size(0);
    const std::int64_t queries = dBias.size(1);
    const std::int64_t keys = dBias.size(2);
    const std::int64_t buckets = dTable.size(0);
    const auto distances = static_cast<std::int64_t>(byDistance.size());
    double* sums = doubleScratch(static_cast<std::size_t>(heads * (distances + buckets)));
    std::fill_n(sums, heads * (distances + buckets), 0.0);
    parallelFor(heads, rowGrain(queries * keys), [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t h = begin; h < end; ++h) {
            double* ofDistance = sums + h * (distances + buckets);
            double* ofBucket = ofDistance + distances;
            const float* row = dBias.data<float>() + h * queries * keys;
            for (std::int64_t i = 0; i < queries; ++i, row += keys) {
                double* into = ofDistance + queries - 1 - i;
                for (std::int64_t j = 0; j < keys; ++j) into[j] += static_cast<double>(row[j]);
            }
            for (std::int64_t i = 0; i < distances; ++i)
                ofBucket[byDistance[static_cast<std::size_t>(i)]] += ofDistance[i];
            for (std::int64_t b = 0; b < buckets; ++b)
                dTable.data<float>()[b * heads + h] += static_cast<float>(ofBucket[b]);
        }
    });
}

}  // namespace core::cpu
