// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <type_traits>

namespace core {

/// Size of the OpenMP team of the loops that the calling thread starts; 0 = all processors.
void setThreads(int threads);
int threads();

/// How many ranges `parallelFor(n, grain, ...)` makes: at most `threads()`, each of about `grain`
/// indices or more.
int parallelParts(std::int64_t n, std::int64_t grain);

namespace parallel_detail {
using Body = void (*)(void* context, std::int64_t begin, std::int64_t end, int part);
void run(std::int64_t n, std::int64_t grain, Body body, void* context);
}  // namespace parallel_detail

/// Splits [0, n) into contiguous ranges, one a thread, and calls body(begin, end, part) for each;
/// the split depends on n, grain and `threads()` alone, so sums per part are repeatable. Inside
/// another parallel loop it runs serially. The first exception of a body is thrown again here.
template <typename F>
void parallelFor(std::int64_t n, std::int64_t grain, F&& body) {
    using Function = std::remove_reference_t<F>;
    parallel_detail::run(
        n, grain,
        [](void* context, std::int64_t begin, std::int64_t end, int part) {
            (*static_cast<Function*>(context))(begin, end, part);
        },
        &body);
}

}  // namespace core
