// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>
#include <string>

namespace core::cpu {
namespace {

/// Columns that one thread adds to at least: whole cache lines.
constexpr std::int64_t kColumns = 16;

void requireIds(const Tensor& ids, std::int64_t rows) {
    for (const std::int64_t id : ids.span<std::int64_t>())
        CORE_CHECK(id >= 0 && id < rows,
                   "id " + std::to_string(id) + " is not within 0 and " + std::to_string(rows));
}

}  // namespace

void CpuBackend::embeddingForward(Out y, const Tensor& ids, const Tensor& table) {
    const Kernels& k = start();
    requireIds(ids, table.size(0));
    const std::int64_t width = table.size(1);
    const auto* id = ids.data<std::int64_t>();
    if (table.dtype() == DType::BF16) {
        parallelFor(ids.size(0), rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
            for (std::int64_t i = begin; i < end; ++i)
                std::copy_n(table.data<BFloat16>() + id[i] * width, width,
                            y.data<BFloat16>() + i * width);
        });
        return;
    }
    withElements(y.dtype(), [&]<typename T>() {
        parallelFor(ids.size(0), rowGrain(width), [&](std::int64_t begin, std::int64_t end, int) {
            for (std::int64_t i = begin; i < end; ++i)
                k.of<T>().fromFloats(y.data<T>() + i * width, table.data<float>() + id[i] * width,
                                     width);
        });
    });
}

/// Threads share the columns, so that every sum has the same order for any number of threads.
void CpuBackend::embeddingBackward(InOut dTable, const Tensor& dy, const Tensor& ids) {
    const Kernels& k = start();
    requireIds(ids, dTable.size(0));
    const std::int64_t width = dTable.size(1);
    const auto* id = ids.data<std::int64_t>();
    const std::int64_t slices = (width + kColumns - 1) / kColumns;
    withElements(dy.dtype(), [&]<typename T>() {
        parallelFor(slices, rowGrain(ids.size(0) * kColumns),
                    [&](std::int64_t begin, std::int64_t end, int) {
                        const std::int64_t first = begin * kColumns;
                        const std::int64_t count = std::min(end * kColumns, width) - first;
                        for (std::int64_t i = 0; i < ids.size(0); ++i)
                            k.of<T>().addTo(dTable.data<float>() + id[i] * width + first,
                                            dy.data<T>() + i * width + first, count);
                    });
    });
}

}  // namespace core::cpu
