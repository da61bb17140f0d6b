// SPDX-License-Identifier: Apache-2.0
#include "core/base/parallel.h"

#include <omp.h>

#include <algorithm>
#include <exception>

namespace core {

void setThreads(int threads) { omp_set_num_threads(threads > 0 ? threads : omp_get_num_procs()); }

int threads() { return omp_in_parallel() != 0 ? 1 : omp_get_max_threads(); }

int parallelParts(std::int64_t n, std::int64_t grain) {
    const std::int64_t most = n / std::max<std::int64_t>(grain, 1);
    return static_cast<int>(std::clamp<std::int64_t>(most, 1, threads()));
}

void parallel_detail::run(std::int64_t n, std::int64_t grain, Body body, void* context) {
    if (n <= 0) return;
    const int parts = parallelParts(n, grain);
    if (parts == 1) {
        body(context, 0, n, 0);
        return;
    }
    std::exception_ptr failure;
#pragma omp parallel for num_threads(parts) schedule(static, 1)
    for (int part = 0; part < parts; ++part) {
        try {
            body(context, n * part / parts, n * (part + 1) / parts, part);
        } catch (...) {
#pragma omp critical(upcycler_parallel_failure)
            if (!failure) failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

}  // namespace core
