// SPDX-License-Identifier: Apache-2.0
// Optimizers of 8 Mi weights and the norm of their gradient; all of it is f32.
#include "core/ops/optimizer.h"
#include "core/ops/reduce.h"
#include "tests/bench/ops/bench.h"

namespace ops_bench {
namespace {

using core::Tensor;

constexpr std::int64_t kWeights = 8 << 20;

void adamw(benchmark::State& state) {
    Bench bench(state);
    const Tensor weight = bench.f32({kWeights});
    const Tensor gradient = bench.f32({kWeights});
    const Tensor m = bench.zeros({kWeights});
    const Tensor v = bench.zeros({kWeights});
    const Tensor scale = bench.one();
    bench.time(state,
               [&] { core::ops::adamwStep(bench.backend(), weight, m, v, gradient, scale, {}); });
    countBytes(state, 28.0 * kWeights);
}

void adafactor(benchmark::State& state) {
    Bench bench(state);
    core::AdafactorArgs args;
    args.rows = 2048;
    args.columns = kWeights / args.rows;
    args.factored = true;
    const Tensor weight = bench.f32({args.rows, args.columns});
    const Tensor gradient = bench.f32({args.rows, args.columns});
    const Tensor row = bench.zeros({1, args.rows});
    const Tensor column = bench.zeros({1, args.columns});
    const Tensor scale = bench.one();
    bench.time(state, [&] {
        core::ops::adafactorStep(bench.backend(), weight, row, column, {}, gradient, scale, args);
    });
    countBytes(state, 16.0 * kWeights);
}

void sgd(benchmark::State& state) {
    Bench bench(state);
    const Tensor weight = bench.f32({kWeights});
    const Tensor gradient = bench.f32({kWeights});
    const Tensor momentum = bench.zeros({kWeights});
    const Tensor scale = bench.one();
    bench.time(state,
               [&] { core::ops::sgdStep(bench.backend(), weight, momentum, gradient, scale, {}); });
    countBytes(state, 20.0 * kWeights);
}

void gradientNorm(benchmark::State& state) {
    Bench bench(state);
    const std::vector<Tensor> gradients(1, bench.f32({kWeights}));
    const Tensor total = bench.number();
    bench.time(state, [&] { core::ops::sumOfSquares(bench.backend(), total, gradients); });
    countBytes(state, 4.0 * kWeights);
}

}  // namespace

void addOptimizers() {
    addF32("adamw", adamw);
    addF32("adafactor", adafactor);
    addF32("sgd", sgd);
    addF32("gradientNorm", gradientNorm);
}

}  // namespace ops_bench
