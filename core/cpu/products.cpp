// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/cpu/products_internal.h"

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace core::cpu {
namespace {

/// Rows of a block: enough to repay packing the weight once more for it.
constexpr std::int64_t kBlockRows = 1024;
/// Fewer rows, or columns of a weight's gradient, are not worth a block of their own.
constexpr std::int64_t kLeastRows = 128;
constexpr std::int64_t kLeastColumns = 16;
/// Fewer columns of sums are not worth a thread.
constexpr std::int64_t kSumColumns = 64;

/// Row-major C [m, n] = op(A) op(B) + beta C.
void multiply(char transA, char transB, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
              float* c, std::int64_t ldc) {
    if (k == 0) {
        for (std::int64_t i = 0; beta == 0.0F && i < m; ++i) std::fill_n(c + i * ldc, n, 0.0F);
        return;
    }
    if (m == 0 || n == 0) return;
    const dnnl_status_t status =
        dnnl_sgemm(transA, transB, m, n, k, 1.0F, a, lda, b, ldb, beta, c, ldc);
    CORE_CHECK(status == dnnl_success,
               "dnnl_sgemm status " + std::to_string(static_cast<int>(status)));
}

/// Rows [row, row + rows) of the slots and columns [column, column + columns) of the result, for
/// one expert.
struct Block {
    std::int64_t expert;
    std::int64_t row;
    std::int64_t rows;
    std::int64_t column;
    std::int64_t columns;
};

std::int64_t pieces(std::int64_t n, std::int64_t size) {
    return std::max<std::int64_t>(1, (n + size - 1) / size);
}

/// Every expert's rows in equal pieces, as many for each thread where there are rows enough; else
/// the columns in pieces as well.
std::vector<Block> resultBlocks(std::span<const std::int64_t> offsets, std::int64_t columns) {
    const std::int64_t team = threads();
    std::vector<Block> blocks;
    for (std::size_t e = 0; e + 1 < offsets.size(); ++e) {
        const std::int64_t rows = offsets[e + 1] - offsets[e];
        if (rows == 0) continue;
        const std::int64_t enough = pieces(rows, kBlockRows);
        const std::int64_t down = rows >= team * kLeastRows ? pieces(enough, team) * team : enough;
        const std::int64_t across =
            std::clamp<std::int64_t>(team / down, 1, pieces(columns, kLeastColumns));
        for (std::int64_t i = 0; i < down; ++i)
            for (std::int64_t j = 0; j < across; ++j) {
                const std::int64_t top = rows * i / down;
                const std::int64_t left = columns * j / across;
                blocks.push_back({static_cast<std::int64_t>(e), offsets[e] + top,
                                  rows * (i + 1) / down - top, left,
                                  columns * (j + 1) / across - left});
            }
    }
    return blocks;
}

template <typename F>
void forBlocks(const std::vector<Block>& blocks, F body) {
    parallelFor(static_cast<std::int64_t>(blocks.size()), 1,
                [&](std::int64_t begin, std::int64_t end, int) {
                    for (std::int64_t i = begin; i < end; ++i)
                        body(blocks[static_cast<std::size_t>(i)]);
                });
}

template <typename T>
void addSums(const Kernels& kernels, float* into, const T* x, std::int64_t rows,
             std::int64_t columns, std::int64_t stride) {
    std::vector<double> sums(static_cast<std::size_t>(columns), 0.0);
    kernels.of<T>().columnSums(sums.data(), x, rows, columns, stride);
    for (std::int64_t c = 0; c < columns; ++c)
        into[c] += static_cast<float>(sums[static_cast<std::size_t>(c)]);
}

}  // namespace

void LinearProducts::forward(float* y, const float* x, const float* weight,
                             const float* bias) const {
    forBlocks(resultBlocks(offsets, out), [&](const Block& b) {
        float* into = y + b.row * out + b.column;
        multiply('N', 'T', b.rows, b.columns, in, x + b.row * in, in,
                 weight + (b.expert * out + b.column) * in, in, 0.0F, into, out);
        if (bias != nullptr)
            kernels.f32.addRows(into, bias + b.expert * out + b.column, b.rows, b.columns, out);
    });
}

void LinearProducts::backwardData(float* dx, const float* dy, const float* weight) const {
    forBlocks(resultBlocks(offsets, in), [&](const Block& b) {
        multiply('N', 'N', b.rows, b.columns, out, dy + b.row * out, out,
                 weight + b.expert * out * in + b.column, in, 0.0F, dx + b.row * in + b.column, in);
    });
}

void LinearProducts::backwardWeight(float* dWeight, float* dBias, const float* dy,
                                    const float* x) const {
    const auto experts = static_cast<std::int64_t>(offsets.size()) - 1;
    parallelFor(out, kLeastColumns, [&](std::int64_t begin, std::int64_t end, int) {
        for (std::int64_t e = 0; e < experts; ++e) {
            const std::int64_t row = offsets[static_cast<std::size_t>(e)];
            const std::int64_t rows = offsets[static_cast<std::size_t>(e) + 1] - row;
            if (rows == 0) continue;
            const float* slopes = dy + row * out + begin;
            multiply('T', 'N', end - begin, in, rows, slopes, out, x + row * in, in, 1.0F,
                     dWeight + (e * out + begin) * in, in);
            if (dBias != nullptr)
                addSums(kernels, dBias + e * out + begin, slopes, rows, end - begin, out);
        }
    });
}

template <typename T>
void addColumnSums(const Kernels& kernels, float* sums, const T* x, std::int64_t rows,
                   std::int64_t columns) {
    parallelFor(columns, kSumColumns, [&](std::int64_t begin, std::int64_t end, int) {
        addSums(kernels, sums + begin, x + begin, rows, end - begin, columns);
    });
}

template void addColumnSums(const Kernels&, float*, const float*, std::int64_t, std::int64_t);
template void addColumnSums(const Kernels&, float*, const BFloat16*, std::int64_t, std::int64_t);

}  // namespace core::cpu
