// SPDX-License-Identifier: Apache-2.0
// Routing, the experts' rows, and a whole MoE layer with Expert Choice.
#include "core/ops/grouped_linear.h"
#include "core/ops/linear.h"
#include "core/ops/memory.h"
#include "core/ops/moe.h"
#include "core/ops/routing.h"
#include "core/ops/softmax.h"
#include "tests/bench/ops/bench.h"

namespace ops_bench {
namespace {

using core::Tensor;

constexpr std::int64_t kFewExperts = 8;
constexpr double kCapacity = 2.0;

Tensor probabilitiesFor(Bench& bench, std::int64_t rows, std::int64_t experts) {
    const Tensor logits = bench.f32({rows, experts});
    core::ops::softmaxForward(bench.backend(), logits, logits);
    return logits;
}

void expertChoice(benchmark::State& state) {
    Bench bench(state);
    const std::int64_t rows = sizesOf(state).rows();
    const Tensor p = probabilitiesFor(bench, rows, kFewExperts);
    bench.time(state, [&] {
        core::ops::expertChoice(bench.backend(), p, {{0, rows}, {}}, kCapacity);
    });
    countBytes(state, static_cast<double>(p.bytes()));
}

void topK(benchmark::State& state) {
    Bench bench(state);
    const std::int64_t rows = sizesOf(state).rows();
    const Tensor p = probabilitiesFor(bench, rows, kFewExperts);
    bench.time(state, [&] { core::ops::topK(bench.backend(), p, {{0, rows}, {}}, {}); });
    countBytes(state, static_cast<double>(p.bytes()));
}

/// Rows to the experts and back, forward and backward.
void dispatchAndCombine(benchmark::State& state) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    core::Backend& backend = bench.backend();
    const Tensor p = probabilitiesFor(bench, s.rows(), kFewExperts);
    const core::Assignment a = core::ops::expertChoice(backend, p, {{0, s.rows()}, {}}, kCapacity);
    const Tensor x = bench.activations({s.rows(), s.width});
    const Tensor y = bench.activations({s.rows(), s.width});
    const Tensor slots = bench.activations({a.slots(), s.width});
    const Tensor dSlots = bench.activations({a.slots(), s.width});
    const Tensor weights = bench.f32({a.slots()});
    const Tensor dWeights = bench.zeros({a.slots()});
    bench.time(state, [&] {
        core::ops::dispatchForward(backend, slots, x, a);
        core::ops::combineForward(backend, y, slots, weights, a);
        core::ops::combineBackward(backend, dSlots, dWeights, y, slots, weights, a);
        core::ops::dispatchBackward(backend, x, dSlots, a);
    });
    countBytes(state,
               7.0 * static_cast<double>(slots.bytes()) + 2.0 * static_cast<double>(x.bytes()));
}

constexpr std::int64_t kWidth = 768;
constexpr std::int64_t kInner = 3072;
constexpr std::int64_t kExperts = 32;

/// An MoE layer of ViT-B/16 with 32 experts: forward and backward, gradients of everything.
class MoeLayer {
  public:
    MoeLayer(Bench& bench, std::int64_t rows)
        : backend_(bench.backend()),
          rows_(rows),
          slots_(kExperts * core::ops::expertCapacity(kCapacity, rows, kExperts)),
          x_(bench.activations({rows, kWidth})),
          y_(bench.activations({rows, kWidth})),
          router_(bench.f32({kExperts, kWidth})),
          logits_(bench.f32({rows, kExperts})),
          wide_(bench.f32({rows, kWidth})),
          probabilities_(bench.zeros({rows, kExperts})),
          dProbabilities_(bench.zeros({rows, kExperts})),
          sums_(bench.zeros({rows})),
          weights_(bench.zeros({slots_})),
          dWeights_(bench.zeros({slots_})),
          in_(bench.activations({slots_, kWidth})),
          out_(bench.activations({slots_, kWidth})),
          dOut_(bench.activations({slots_, kWidth})),
          before_(bench.activations({slots_, kInner})),
          after_(bench.activations({slots_, kInner})),
          up_(bench.activations({kExperts, kInner, kWidth})),
          down_(bench.activations({kExperts, kWidth, kInner})),
          upBias_(bench.f32({kExperts, kInner})),
          downBias_(bench.f32({kExperts, kWidth})),
          dRouter_(bench.zeros({kExperts, kWidth})),
          dUp_(bench.zeros({kExperts, kInner, kWidth})),
          dDown_(bench.zeros({kExperts, kWidth, kInner})),
          dUpBias_(bench.zeros({kExperts, kInner})),
          dDownBias_(bench.zeros({kExperts, kWidth})) {
        core::ops::copy(backend_, wide_, x_);
    }

    void forward() {
        using namespace core::ops;  // NOLINT(google-build-using-namespace)
        linearForward(backend_, logits_, wide_, router_);
        softmaxForward(backend_, probabilities_, logits_);
        a_ = core::ops::expertChoice(backend_, probabilities_, {{0, rows_}, {}}, kCapacity);
        combineWeightsForward(backend_, weights_, sums_, probabilities_, a_, false, true);
        dispatchForward(backend_, in_, x_, a_);
        groupedLinearActivationForward(backend_, after_, before_, in_, up_, upBias_, a_.offsets,
                                       core::Activation::GeluErf);
        groupedLinearForward(backend_, out_, after_, down_, downBias_, a_.offsets);
        combineForward(backend_, y_, out_, weights_, a_);
    }

    /// dy = y.
    void backward() {
        using namespace core::ops;  // NOLINT(google-build-using-namespace)
        combineBackward(backend_, dOut_, dWeights_, y_, out_, weights_, a_);
        groupedLinearBackwardWeight(backend_, dDown_, dDownBias_, dOut_, after_, a_.offsets);
        const Tensor& dBefore = after_;
        groupedLinearActivationBackwardData(backend_, dBefore, dOut_, down_, before_, a_.offsets,
                                            core::Activation::GeluErf);
        groupedLinearBackwardWeight(backend_, dUp_, dUpBias_, dBefore, in_, a_.offsets);
        groupedLinearBackwardData(backend_, dOut_, dBefore, up_, a_.offsets);
        dispatchBackward(backend_, y_, dOut_, a_);
        fill(backend_, dProbabilities_, 0.0F);
        combineWeightsBackward(backend_, dProbabilities_, dWeights_, weights_, sums_,
                               probabilities_, a_, false, true);
        softmaxBackward(backend_, dProbabilities_, dProbabilities_, probabilities_);
        linearBackwardData(backend_, wide_, dProbabilities_, router_);
        linearBackwardWeight(backend_, dRouter_, {}, dProbabilities_, wide_);
    }

    double forwardFlops() const {
        return 4.0 * static_cast<double>(slots_) * kWidth * kInner +
               2.0 * static_cast<double>(rows_) * kWidth * kExperts;
    }

  private:
    core::Backend& backend_;
    std::int64_t rows_, slots_;
    Tensor x_, y_, router_, logits_, wide_, probabilities_, dProbabilities_, sums_, weights_,
        dWeights_, in_, out_, dOut_, before_, after_, up_, down_, upBias_, downBias_, dRouter_,
        dUp_, dDown_, dUpBias_, dDownBias_;
    core::Assignment a_;
};

/// Tokens of 8 images, on a GPU of 128. The argument "case": 1 = with backward.
void moeLayer(benchmark::State& state) {
    Bench bench(state);
    const bool backward = state.range(2) == 1;
    MoeLayer layer(bench, (onGpu() ? 128 : 8) * 197);
    bench.time(state, [&] {
        layer.forward();
        if (backward) layer.backward();
    });
    countFlops(state, (backward ? 3 : 1) * layer.forwardFlops());
}

}  // namespace

void addMoe() {
    addSized("expertChoice", expertChoice);
    addSized("topK", topK);
    addSized("dispatchAndCombine", dispatchAndCombine);
    addPlain("moeLayer", moeLayer, 2);
}

}  // namespace ops_bench
