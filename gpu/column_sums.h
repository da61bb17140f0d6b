// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "gpu/device/column_sums.cuh"
#include "gpu/packs.h"

#include <algorithm>

namespace gpu {

/// Sums over the rows of a matrix whose elements a Term gives, two passes over a fixed division
/// into parts.
struct TermSums {
    std::int64_t rows;
    std::int64_t columns;
    std::int64_t rowsPerPart = std::max<std::int64_t>(64, divideUp(rows, 256));
    std::int64_t parts = divideUp(rows, rowsPerPart);

    /// Floats of scratch memory that add() needs for `kSums` sums a column.
    std::size_t floats(int sums) const { return static_cast<std::size_t>(sums * parts * columns); }

    /// into[k][c] += the sum over the rows of the term's k-th number in column c.
    template <typename Term>
    void add(cudaStream_t stream, float* const (&into)[Term::kSums], float* partials,
             Term term) const {
        const std::int64_t stride = Term::kSums * columns;
        const dim3 grid(static_cast<unsigned>(divideUp(columns, kSumColumns)),
                        static_cast<unsigned>(parts));
        launch(stream, columnPartials<Term>, grid, dim3(kSumColumns, kSumRows),
               sizeof(float) * Term::kSums * kSumRows * kSumColumns, partials, term, rows, columns,
               rowsPerPart);
        for (int k = 0; k < Term::kSums; ++k)
            launch(stream, addPartials, blocksFor(columns), dim3(kBlock), 0, into[k],
                   partials + k * columns, parts, stride, columns);
    }
};

}  // namespace gpu
