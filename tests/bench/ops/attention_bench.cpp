// SPDX-License-Identifier: Apache-2.0
// Attention of the ViTs, and of T5-Base (batch 4, 512 tokens, 12 heads of 64) with a relative bias
// and its gradient.
#include "core/ops/attention.h"
#include "core/ops/elementwise.h"
#include "tests/bench/ops/bench.h"

namespace ops_bench {
namespace {

using core::Tensor;

/// Backward computes the scores again: 10 = five products of 2.
double flopsOf(const core::AttentionShape& shape, bool backward, bool causal) {
    const auto pairs = static_cast<double>(shape.queries) * static_cast<double>(shape.keys);
    return (backward ? 10 : 4) * pairs / (causal ? 2 : 1) *
           static_cast<double>(shape.batch * shape.heads * shape.headDim);
}

void timeAttention(benchmark::State& state, Bench& bench, const core::AttentionShape& shape,
                   const core::AttentionOptions& options, bool backward) {
    const core::Shape matrix{shape.batch * shape.queries, shape.heads * shape.headDim};
    core::Backend& backend = bench.backend();
    const Tensor q = bench.activations(matrix, 1);
    const Tensor k = bench.activations(matrix, 2);
    const Tensor v = bench.activations(matrix, 3);
    const Tensor dOut = bench.activations(matrix, 4);
    const Tensor o = bench.activations(matrix);
    const Tensor dq = bench.activations(matrix);
    const Tensor dk = bench.activations(matrix);
    const Tensor dv = bench.activations(matrix);
    const Tensor dBias = options.bias.defined() ? bench.zeros(options.bias.shape()) : Tensor();
    const Tensor logSumExp = bench.zeros({shape.batch, shape.heads, shape.queries});
    try {
        core::ops::attentionForward(backend, o, logSumExp, q, k, v, shape, options);
    } catch (const std::exception& problem) {
        state.SkipWithError(problem.what());
        return;
    }
    bench.time(state, [&] {
        if (backward)
            core::ops::attentionBackward(backend, dq, dk, dv, dBias, dOut, q, k, v, o, logSumExp,
                                         shape, options);
        else
            core::ops::attentionForward(backend, o, logSumExp, q, k, v, shape, options);
    });
    countFlops(state, flopsOf(shape, backward, options.causal));
}

void vitAttention(benchmark::State& state, bool backward) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    timeAttention(state, bench, {s.batch, s.heads, s.tokens, s.tokens, s.width / s.heads, 0.17F},
                  {}, backward);
}

constexpr core::AttentionShape kT5{4, 12, 512, 512, 64, 0.125F};

/// The argument "case": 1 = causal, 2 = dropout 0.1.
void t5Attention(benchmark::State& state, bool backward) {
    Bench bench(state);
    core::AttentionOptions options;
    options.bias = bench.f32({kT5.heads, kT5.queries, kT5.keys}, 5);
    options.causal = state.range(2) == 1;
    options.dropout = state.range(2) == 2 ? 0.1F : 0.0F;
    options.dropoutKey = 1;
    timeAttention(state, bench, kT5, options, backward);
}

}  // namespace

void addAttention() {
    addSized("attentionForward", [](benchmark::State& state) { vitAttention(state, false); });
    addSized("attentionBackward", [](benchmark::State& state) { vitAttention(state, true); });
    addPlain(
        "t5AttentionForward", [](benchmark::State& state) { t5Attention(state, false); }, 3);
    addPlain(
        "t5AttentionBackward", [](benchmark::State& state) { t5Attention(state, true); }, 3);
}

}  // namespace ops_bench
