// SPDX-License-Identifier: Apache-2.0
// What is done row by row: norms, the loss over a large vocabulary, embeddings.
#include "core/ops/cross_entropy.h"
#include "core/ops/embedding.h"
#include "core/ops/layer_norm.h"
#include "core/ops/rms_norm.h"
#include "tests/bench/ops/bench.h"

namespace ops_bench {
namespace {

using core::Tensor;

constexpr std::int64_t kVocabulary = 32128;
constexpr std::int64_t kT5Rows = 2048;
constexpr std::int64_t kT5Width = 768;

/// Forward and backward.
void layerNorm(benchmark::State& state) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    core::Backend& backend = bench.backend();
    const Tensor x = bench.activations({s.rows(), s.width});
    const Tensor y = bench.activations({s.rows(), s.width});
    const Tensor dx = bench.activations({s.rows(), s.width});
    const Tensor gamma = bench.f32({s.width});
    const Tensor mean = bench.f32({s.rows()});
    const Tensor rstd = bench.f32({s.rows()});
    const Tensor dGamma = bench.zeros({s.width});
    const Tensor dBeta = bench.zeros({s.width});
    bench.time(state, [&] {
        core::ops::layerNormForward(backend, y, mean, rstd, x, gamma, gamma, 1e-6F);
        core::ops::layerNormBackward(backend, dx, dGamma, dBeta, y, x, mean, rstd, gamma);
    });
    countBytes(state, 5.0 * static_cast<double>(x.bytes()));
}

/// Forward and backward.
void t5RmsNorm(benchmark::State& state) {
    Bench bench(state);
    core::Backend& backend = bench.backend();
    const Tensor x = bench.activations({kT5Rows, kT5Width});
    const Tensor y = bench.activations({kT5Rows, kT5Width});
    const Tensor dx = bench.activations({kT5Rows, kT5Width});
    const Tensor gamma = bench.f32({kT5Width});
    const Tensor rstd = bench.f32({kT5Rows});
    const Tensor dGamma = bench.zeros({kT5Width});
    bench.time(state, [&] {
        core::ops::rmsNormForward(backend, y, rstd, x, gamma, 1e-6F);
        core::ops::rmsNormBackward(backend, dx, dGamma, y, x, rstd, gamma);
    });
    countBytes(state, 5.0 * static_cast<double>(x.bytes()));
}

/// Of 512 target tokens, both ways.
void crossEntropy32128(benchmark::State& state) {
    Bench bench(state);
    constexpr std::int64_t kRows = 512;
    core::Backend& backend = bench.backend();
    const Tensor logits = bench.activations({kRows, kVocabulary});
    const Tensor dLogits = bench.activations({kRows, kVocabulary});
    const Tensor labels = bench.ids(kRows, kVocabulary);
    const Tensor loss = bench.zeros({kRows});
    const Tensor logSumExp = bench.zeros({kRows});
    bench.time(state, [&] {
        core::ops::softmaxCrossEntropyForward(backend, loss, logSumExp, logits, labels, 0.0F);
        core::ops::softmaxCrossEntropyBackward(backend, dLogits, logits, logSumExp, labels, 0.0F,
                                               1.0F / kRows, 1e-4F);
    });
    countBytes(state, 3.0 * static_cast<double>(logits.bytes()));
}

/// Both ways.
void embedding(benchmark::State& state) {
    Bench bench(state);
    core::Backend& backend = bench.backend();
    const Tensor table = bench.f32({kVocabulary, kT5Width});
    const Tensor dTable = bench.zeros({kVocabulary, kT5Width});
    const Tensor ids = bench.ids(kT5Rows, kVocabulary);
    const Tensor y = bench.activations({kT5Rows, kT5Width});
    bench.time(state, [&] {
        core::ops::embeddingForward(backend, y, ids, table);
        core::ops::embeddingBackward(backend, dTable, y, ids);
    });
    countBytes(state, 2.0 * static_cast<double>(y.bytes()) + 12.0 * kT5Rows * kT5Width);
}

}  // namespace

void addRows() {
    addSized("layerNorm", layerNorm);
    addPlain("t5RmsNorm", t5RmsNorm);
    addPlain("crossEntropy32128", crossEntropy32128);
    addPlain("embedding", embedding);
}

}  // namespace ops_bench
