// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"
#include "core/cpu/cpu_backend.h"
#include "core/ops/activation.h"
#include "core/ops/attention.h"
#include "core/ops/elementwise.h"
#include "core/ops/grouped_linear.h"
#include "core/ops/layer_norm.h"
#include "core/ops/linear.h"
#include "core/ops/moe.h"
#include "core/ops/optimizer.h"
#include "core/ops/rms_norm.h"
#include "core/ops/routing.h"

#include <benchmark/benchmark.h>

#include <vector>

/// The ops of one ViT step at the sizes of the demo model (batch 128, 50 tokens, d 96, 3 heads, MLP
/// 384, 8 experts with capacity 2) and of ViT-S/16 (batch 8, 197 tokens, d 384, 6 heads, MLP 1536);
/// t5...: of T5-Base (batch 4, 512 tokens, d 768, 12 heads), tests/bench/peers/t5_ops.py's peers.
/// The first argument of every benchmark is the number of threads. GFLOP/s are 2 m n k a product.
namespace {

using core::Tensor;

struct Sizes {
    std::int64_t batch, tokens, width, heads, hidden;
    std::int64_t rows() const { return batch * tokens; }
};

constexpr Sizes kDemo{128, 50, 96, 3, 384};
constexpr Sizes kVitS{8, 197, 384, 6, 1536};

const Sizes& sizesOf(const benchmark::State& state) { return state.range(1) == 0 ? kDemo : kVitS; }

Tensor randomTensor(core::Shape shape, std::uint64_t seed = 1) {
    Tensor t = Tensor::host(std::move(shape));
    const core::CounterRandom random(seed);
    float* data = t.data<float>();
    for (std::int64_t i = 0; i < t.elements(); ++i)
        data[i] = random.normal(static_cast<std::uint64_t>(i));
    return t;
}

std::unique_ptr<core::Backend> backendOf(const benchmark::State& state) {
    return core::makeCpuBackend(static_cast<int>(state.range(0)));
}

void countFlops(benchmark::State& state, std::int64_t flops) {
    state.counters["GFLOP/s"] = benchmark::Counter(
        static_cast<double>(flops) * 1e-9 * static_cast<double>(state.iterations()),
        benchmark::Counter::kIsRate);
}

void linearForward(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    const Tensor x = randomTensor({s.rows(), s.width});
    const Tensor weight = randomTensor({s.hidden, s.width});
    const Tensor bias = randomTensor({s.hidden});
    const Tensor y = randomTensor({s.rows(), s.hidden});
    for (auto _ : state) core::ops::linearForward(*backend, y, x, weight, bias);
    countFlops(state, 2 * s.rows() * s.width * s.hidden);
}

void linearBackward(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    const Tensor x = randomTensor({s.rows(), s.width});
    const Tensor weight = randomTensor({s.hidden, s.width});
    const Tensor dy = randomTensor({s.rows(), s.hidden});
    const Tensor dx = randomTensor({s.rows(), s.width});
    const Tensor dWeight = Tensor::zeros({s.hidden, s.width});
    const Tensor dBias = Tensor::zeros({s.hidden});
    for (auto _ : state) {
        core::ops::linearBackwardData(*backend, dx, dy, weight);
        core::ops::linearBackwardWeight(*backend, dWeight, dBias, dy, x);
    }
    countFlops(state, 4 * s.rows() * s.width * s.hidden);
}

void groupedLinear(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    constexpr std::int64_t kExperts = 8;
    const std::int64_t slots = 2 * s.rows() / kExperts * kExperts;
    std::vector<std::int64_t> offsets;
    for (std::int64_t e = 0; e <= kExperts; ++e) offsets.push_back(e * slots / kExperts);
    const Tensor x = randomTensor({slots, s.width});
    const Tensor weight = randomTensor({kExperts, s.hidden, s.width});
    const Tensor bias = randomTensor({kExperts, s.hidden});
    const Tensor y = randomTensor({slots, s.hidden});
    const Tensor dx = randomTensor({slots, s.width});
    const Tensor dWeight = Tensor::zeros({kExperts, s.hidden, s.width});
    const Tensor dBias = Tensor::zeros({kExperts, s.hidden});
    for (auto _ : state) {
        core::ops::groupedLinearForward(*backend, y, x, weight, bias, offsets);
        core::ops::groupedLinearBackwardData(*backend, dx, y, weight, offsets);
        core::ops::groupedLinearBackwardWeight(*backend, dWeight, dBias, y, x, offsets);
    }
    countFlops(state, 6 * slots * s.width * s.hidden);
}

void geluForward(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    const Tensor x = randomTensor({s.rows(), s.hidden});
    const Tensor y = randomTensor({s.rows(), s.hidden});
    for (auto _ : state) core::ops::activationForward(*backend, y, x, core::Activation::GeluErf);
}

void geluBackward(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    const Tensor x = randomTensor({s.rows(), s.hidden});
    const Tensor dy = randomTensor({s.rows(), s.hidden});
    const Tensor dx = randomTensor({s.rows(), s.hidden});
    for (auto _ : state)
        core::ops::activationBackward(*backend, dx, dy, x, core::Activation::GeluErf);
}

void attention(benchmark::State& state, bool backward) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    const core::AttentionShape shape{s.batch,  s.heads,           s.tokens,
                                     s.tokens, s.width / s.heads, 0.17F};
    const core::Shape matrix{s.rows(), s.width};
    const Tensor q = randomTensor(matrix, 1);
    const Tensor k = randomTensor(matrix, 2);
    const Tensor v = randomTensor(matrix, 3);
    const Tensor dOut = randomTensor(matrix, 4);
    const Tensor o = randomTensor(matrix);
    const Tensor dq = randomTensor(matrix);
    const Tensor dk = randomTensor(matrix);
    const Tensor dv = randomTensor(matrix);
    const Tensor logSumExp = randomTensor({s.batch, s.heads, s.tokens});
    core::ops::attentionForward(*backend, o, logSumExp, q, k, v, shape);
    for (auto _ : state) {
        if (backward)
            core::ops::attentionBackward(*backend, dq, dk, dv, {}, dOut, q, k, v, o, logSumExp,
                                         shape);
        else
            core::ops::attentionForward(*backend, o, logSumExp, q, k, v, shape);
    }
    countFlops(state, (backward ? 10 : 4) * s.rows() * s.tokens * s.width);
}

void attentionForward(benchmark::State& state) { attention(state, false); }
void attentionBackward(benchmark::State& state) { attention(state, true); }

void layerNorm(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    const Tensor x = randomTensor({s.rows(), s.width});
    const Tensor y = randomTensor({s.rows(), s.width});
    const Tensor dx = randomTensor({s.rows(), s.width});
    const Tensor gamma = randomTensor({s.width});
    const Tensor mean = randomTensor({s.rows()});
    const Tensor rstd = randomTensor({s.rows()});
    const Tensor dGamma = Tensor::zeros({s.width});
    const Tensor dBeta = Tensor::zeros({s.width});
    for (auto _ : state) {
        core::ops::layerNormForward(*backend, y, mean, rstd, x, gamma, gamma, 1e-6F);
        core::ops::layerNormBackward(*backend, dx, dGamma, dBeta, y, x, mean, rstd, gamma);
    }
}

constexpr core::AttentionShape kT5{4, 12, 512, 512, 64, 1.0F};

/// Attention with a relative bias and its gradient; the second argument: 1 = causal, 2 = dropout
/// 0.1.
void t5Attention(benchmark::State& state, bool backward) {
    const auto backend = backendOf(state);
    core::AttentionOptions options;
    options.bias = randomTensor({kT5.heads, kT5.queries, kT5.keys}, 5);
    options.causal = state.range(1) == 1;
    options.dropout = state.range(1) == 2 ? 0.1F : 0.0F;
    options.dropoutKey = 1;
    const core::Shape matrix{kT5.batch * kT5.queries, kT5.heads * kT5.headDim};
    const Tensor q = randomTensor(matrix, 1);
    const Tensor k = randomTensor(matrix, 2);
    const Tensor v = randomTensor(matrix, 3);
    const Tensor dOut = randomTensor(matrix, 4);
    const Tensor o = Tensor::zeros(matrix);
    const Tensor dq = Tensor::zeros(matrix);
    const Tensor dk = Tensor::zeros(matrix);
    const Tensor dv = Tensor::zeros(matrix);
    const Tensor dBias = Tensor::zeros(options.bias.shape());
    const Tensor logSumExp = Tensor::zeros({kT5.batch, kT5.heads, kT5.queries});
    core::ops::scale(*backend, q, 0.125F);
    core::ops::attentionForward(*backend, o, logSumExp, q, k, v, kT5, options);
    for (auto _ : state) {
        if (backward)
            core::ops::attentionBackward(*backend, dq, dk, dv, dBias, dOut, q, k, v, o, logSumExp,
                                         kT5, options);
        else
            core::ops::attentionForward(*backend, o, logSumExp, q, k, v, kT5, options);
    }
    countFlops(state, (backward ? 10 : 4) * kT5.batch * kT5.heads * kT5.queries * kT5.keys *
                          kT5.headDim / (options.causal ? 2 : 1));
}

void t5AttentionForward(benchmark::State& state) { t5Attention(state, false); }
void t5AttentionBackward(benchmark::State& state) { t5Attention(state, true); }

/// Forward and backward of 2048 rows of 768.
void t5RmsNorm(benchmark::State& state) {
    const auto backend = backendOf(state);
    const std::int64_t rows = kT5.batch * kT5.queries;
    const std::int64_t width = kT5.heads * kT5.headDim;
    const Tensor x = randomTensor({rows, width});
    const Tensor y = randomTensor({rows, width});
    const Tensor dx = randomTensor({rows, width});
    const Tensor gamma = randomTensor({width});
    const Tensor rstd = randomTensor({rows});
    const Tensor dGamma = Tensor::zeros({width});
    for (auto _ : state) {
        core::ops::rmsNormForward(*backend, y, rstd, x, gamma, 1e-6F);
        core::ops::rmsNormBackward(*backend, dx, dGamma, y, x, rstd, gamma);
    }
}

void routing(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Sizes& s = sizesOf(state);
    const Tensor p = randomTensor({s.rows(), 8});
    const Tensor x = randomTensor({s.rows(), s.width});
    const Tensor y = randomTensor({s.rows(), s.width});
    const core::RoutingGroups groups{{0, s.rows()}, {}};
    const Tensor sums = randomTensor({s.rows()});
    for (auto _ : state) {
        const core::Assignment a = core::ops::expertChoice(*backend, p, groups, 2.0);
        const Tensor weights = Tensor::host({a.slots()});
        const Tensor slots = Tensor::host({a.slots(), s.width});
        core::ops::combineWeightsForward(*backend, weights, sums, p, a, false, true);
        core::ops::dispatchForward(*backend, slots, x, a);
        core::ops::combineForward(*backend, y, slots, weights, a);
    }
}

constexpr std::int64_t kParameters = 8 << 20;

void adamw(benchmark::State& state) {
    const auto backend = backendOf(state);
    const Tensor weight = randomTensor({kParameters});
    const Tensor gradient = randomTensor({kParameters});
    const Tensor m = Tensor::zeros({kParameters});
    const Tensor v = Tensor::zeros({kParameters});
    for (auto _ : state) core::ops::adamwStep(*backend, weight, m, v, gradient, {});
    state.SetBytesProcessed(state.iterations() * kParameters * 28);
}

void adafactor(benchmark::State& state) {
    const auto backend = backendOf(state);
    core::AdafactorArgs args;
    args.rows = 2048;
    args.columns = kParameters / args.rows;
    args.factored = true;
    const Tensor weight = randomTensor({args.rows, args.columns});
    const Tensor gradient = randomTensor({args.rows, args.columns});
    const Tensor row = Tensor::zeros({1, args.rows});
    const Tensor column = Tensor::zeros({1, args.columns});
    for (auto _ : state)
        core::ops::adafactorStep(*backend, weight, row, column, {}, gradient, args);
    state.SetBytesProcessed(state.iterations() * kParameters * 16);
}

void bothSizes(benchmark::internal::Benchmark* b) {
    b->ArgNames({"threads", "vit_s"})
        ->ArgsProduct({{1, 2}, {0, 1}})
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
}

void t5Cases(benchmark::internal::Benchmark* b) {
    b->ArgNames({"threads", "case"})
        ->ArgsProduct({{1, 2}, {0, 1, 2}})
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
}

void threadsOnly(benchmark::internal::Benchmark* b) {
    b->ArgName("threads")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMicrosecond);
}

BENCHMARK(linearForward)->Apply(bothSizes);
BENCHMARK(linearBackward)->Apply(bothSizes);
BENCHMARK(groupedLinear)->Apply(bothSizes);
BENCHMARK(geluForward)->Apply(bothSizes);
BENCHMARK(geluBackward)->Apply(bothSizes);
BENCHMARK(attentionForward)->Apply(bothSizes);
BENCHMARK(attentionBackward)->Apply(bothSizes);
BENCHMARK(layerNorm)->Apply(bothSizes);
BENCHMARK(t5AttentionForward)->Apply(t5Cases);
BENCHMARK(t5AttentionBackward)->Apply(t5Cases);
BENCHMARK(t5RmsNorm)->Apply(threadsOnly);
BENCHMARK(routing)->Apply(bothSizes);
BENCHMARK(adamw)->Apply(threadsOnly);
BENCHMARK(adafactor)->Apply(threadsOnly);

}  // namespace

BENCHMARK_MAIN();
