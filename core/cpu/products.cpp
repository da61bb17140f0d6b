// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/cpu/products_internal.h"

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>

namespace core::cpu {
namespace {

/// Row-major C [m, n] = op(A) op(B) + beta C.
void multiply(char transA, char transB, std::int64_t m, std::int64_t n, std::int64_t k,
              const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta,
              float* c, std::int64_t ldc) {
    if (m == 0 || n == 0) return;
    if (k == 0) {
        if (beta == 0.0F) std::fill_n(c, m * n, 0.0F);
        return;
    }
    const dnnl_status_t status =
        dnnl_sgemm(transA, transB, m, n, k, 1.0F, a, lda, b, ldb, beta, c, ldc);
    CORE_CHECK(status == dnnl_success,
               "dnnl_sgemm status " + std::to_string(static_cast<int>(status)));
}

}  // namespace

void productForward(float* y, const float* x, const float* weight, std::int64_t rows,
                    std::int64_t in, std::int64_t out) {
    multiply('N', 'T', rows, out, in, x, in, weight, in, 0.0F, y, out);
}

void productBackwardData(float* dx, const float* dy, const float* weight, std::int64_t rows,
                         std::int64_t in, std::int64_t out) {
    multiply('N', 'N', rows, in, out, dy, out, weight, in, 0.0F, dx, in);
}

void productBackwardWeight(float* dWeight, const float* dy, const float* x, std::int64_t rows,
                           std::int64_t in, std::int64_t out) {
    multiply('T', 'N', out, in, rows, dy, out, x, in, 1.0F, dWeight, in);
}

}  // namespace core::cpu
