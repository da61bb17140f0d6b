// SPDX-License-Identifier: Apache-2.0
// What the machine can do at most: multiply-adds from registers, a large product, a copy.
#include "core/base/parallel.h"
#include "core/ops/linear.h"
#include "core/ops/memory.h"
#include "tests/bench/ops/bench.h"

#include <cpuid.h>
#include <immintrin.h>

namespace ops_bench {
namespace {

constexpr std::int64_t kRounds = 1 << 20;
constexpr int kChains = 12;  ///< enough to hide the latency of a multiply-add

/// FLOPs of one call of each.
constexpr double kRounds512 = 2.0 * 16 * kChains * kRounds;
constexpr double kRounds256 = 2.0 * 8 * kChains * kRounds;
constexpr double kRoundsBf16 = 2.0 * 32 * kChains * kRounds;

// Plain arrays: a vector type loses its attributes as a template's argument.
// NOLINTBEGIN(modernize-avoid-c-arrays)
__attribute__((target("avx512f"))) void multiplyAdd512() {
    const __m512 x = _mm512_set1_ps(0.5F);
    __m512 sums[kChains];
    for (__m512& sum : sums) sum = _mm512_setzero_ps();
    for (std::int64_t i = 0; i < kRounds; ++i)
        for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, x, x);
    for (const __m512& sum : sums) benchmark::DoNotOptimize(sum);
}

__attribute__((target("avx2,fma"))) void multiplyAdd256() {
    const __m256 x = _mm256_set1_ps(0.5F);
    __m256 sums[kChains];
    for (__m256& sum : sums) sum = _mm256_setzero_ps();
    for (std::int64_t i = 0; i < kRounds; ++i)
        for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, x, x);
    for (const __m256& sum : sums) benchmark::DoNotOptimize(sum);
}

__attribute__((target("avx512f,avx512bf16"))) void multiplyAddBf16() {
    const __m512bh x = _mm512_cvtne2ps_pbh(_mm512_set1_ps(0.5F), _mm512_set1_ps(0.5F));
    __m512 sums[kChains];
    for (__m512& sum : sums) sum = _mm512_setzero_ps();
    for (std::int64_t i = 0; i < kRounds; ++i)
        for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, x, x);
    for (const __m512& sum : sums) benchmark::DoNotOptimize(sum);
}
// NOLINTEND(modernize-avoid-c-arrays)

/// CPUID leaf 7, subleaf 1, EAX bit 5; g++ 12 has no word for it in __builtin_cpu_supports.
bool hasBf16() {
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5U & 1U) != 0;
}

void timeOnThreads(benchmark::State& state, void (*work)(), double flops) {
    const auto threads = state.range(0);
    core::setThreads(static_cast<int>(threads));
    for (auto iteration : state)
        core::parallelFor(threads, 1, [&](std::int64_t, std::int64_t, int) { work(); });
    countFlops(state, flops * static_cast<double>(threads));
}

void multiplyAdd(benchmark::State& state) {
    if (__builtin_cpu_supports("avx512f") != 0)
        timeOnThreads(state, multiplyAdd512, kRounds512);
    else if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
        timeOnThreads(state, multiplyAdd256, kRounds256);
    else
        state.SkipWithError("this processor has neither AVX2 nor AVX-512");
}

void multiplyAddOfBf16(benchmark::State& state) {
    if (hasBf16())
        timeOnThreads(state, multiplyAddBf16, kRoundsBf16);
    else
        state.SkipWithError("this processor has no AVX-512 BF16");
}

void product(benchmark::State& state) {
    Bench bench(state);
    const std::int64_t n = onGpu() ? 8192 : 2048;
    const core::Tensor x = bench.activations({n, n});
    const core::Tensor weight = bench.activations({n, n});
    const core::Tensor y = bench.activations({n, n});
    bench.time(state, [&] { core::ops::linearForward(bench.backend(), y, x, weight); });
    const auto side = static_cast<double>(n);
    countFlops(state, 2 * side * side * side);
}

void copy(benchmark::State& state) {
    Bench bench(state);
    const std::int64_t floats = std::int64_t{1} << (onGpu() ? 29U : 25U);
    const core::Tensor from = bench.zeros({floats});
    const core::Tensor into = bench.zeros({floats});
    bench.time(state, [&] { core::ops::copy(bench.backend(), into, from); });
    countBytes(state, 8.0 * static_cast<double>(floats));
}

}  // namespace

void addCeilings() {
    if (!onGpu()) {
        addF32("ceilingMultiplyAdd", multiplyAdd);
        addF32("ceilingMultiplyAddBf16", multiplyAddOfBf16);
    }
    addPlain("ceilingProduct", product);
    addF32("ceilingCopy", copy);
}

}  // namespace ops_bench
