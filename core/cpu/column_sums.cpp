// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"
#include "core/cpu/column_sums_internal.h"
#include "core/cpu/cpu_backend_internal.h"

#include <algorithm>

namespace core::cpu {

void addColumnSums(const Kernels& kernels, float* sums, const float* x, std::int64_t rows,
                   std::int64_t columns, double* scratch) {
    const int parts = parallelParts(rows, rowGrain(columns));
    std::fill_n(scratch, parts * columns, 0.0);
    parallelFor(rows, rowGrain(columns), [&](std::int64_t begin, std::int64_t end, int part) {
        kernels.columnSums(scratch + part * columns, x + begin * columns, end - begin, columns);
    });
    for (int part = 1; part < parts; ++part)
        for (std::int64_t c = 0; c < columns; ++c) scratch[c] += scratch[part * columns + c];
    for (std::int64_t c = 0; c < columns; ++c) sums[c] += static_cast<float>(scratch[c]);
}

}  // namespace core::cpu
