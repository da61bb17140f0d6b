// SPDX-License-Identifier: Apache-2.0
// Linear layers, dense and of 8 experts with capacity 2, alone and with GELU in the same call.
#include "core/ops/activation.h"
#include "core/ops/grouped_linear.h"
#include "core/ops/linear.h"
#include "tests/bench/ops/bench.h"

namespace ops_bench {
namespace {

using core::Tensor;

constexpr std::int64_t kExperts = 8;
constexpr auto kGelu = core::Activation::GeluErf;

double flopsOf(const Sizes& s, std::int64_t rows, int products) {
    return 2.0 * products * static_cast<double>(rows) * static_cast<double>(s.width) *
           static_cast<double>(s.hidden);
}

/// The MLP's first layer.
struct Layer {
    Layer(Bench& bench, const Sizes& s)
        : x(bench.activations({s.rows(), s.width})),
          weight(bench.activations({s.hidden, s.width})),
          bias(bench.f32({s.hidden})),
          y(bench.activations({s.rows(), s.hidden})),
          before(bench.activations({s.rows(), s.hidden})),
          dx(bench.activations({s.rows(), s.width})),
          dWeight(bench.zeros({s.hidden, s.width})),
          dBias(bench.zeros({s.hidden})) {}
    Tensor x, weight, bias, y, before, dx, dWeight, dBias;
};

template <typename Work>
void withLayer(benchmark::State& state, int products, Work work) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    const Layer layer(bench, s);
    bench.time(state, [&] { work(bench.backend(), layer); });
    countFlops(state, flopsOf(s, s.rows(), products));
}

void linearForward(benchmark::State& state) {
    withLayer(state, 1, [](core::Backend& backend, const Layer& l) {
        core::ops::linearForward(backend, l.y, l.x, l.weight, l.bias);
    });
}

void linearBackward(benchmark::State& state) {
    withLayer(state, 2, [](core::Backend& backend, const Layer& l) {
        core::ops::linearBackwardData(backend, l.dx, l.y, l.weight);
        core::ops::linearBackwardWeight(backend, l.dWeight, l.dBias, l.y, l.x);
    });
}

void linearGeluForward(benchmark::State& state) {
    withLayer(state, 1, [](core::Backend& backend, const Layer& l) {
        core::ops::linearActivationForward(backend, l.y, l.before, l.x, l.weight, l.bias, kGelu);
    });
}

/// Through the second layer to what the first one gave, before GELU.
void linearGeluBackwardData(benchmark::State& state) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    const Tensor dy = bench.activations({s.rows(), s.width});
    const Tensor weight = bench.activations({s.width, s.hidden});
    const Tensor before = bench.activations({s.rows(), s.hidden});
    const Tensor dBefore = bench.activations({s.rows(), s.hidden});
    bench.time(state, [&] {
        core::ops::linearActivationBackwardData(bench.backend(), dBefore, dy, weight, before,
                                                kGelu);
    });
    countFlops(state, flopsOf(s, s.rows(), 1));
}

/// The same for experts.
struct GroupedLayer {
    GroupedLayer(Bench& bench, const Sizes& s)
        : slots(2 * s.rows() / kExperts * kExperts),
          x(bench.activations({slots, s.width})),
          weight(bench.activations({kExperts, s.hidden, s.width})),
          bias(bench.f32({kExperts, s.hidden})),
          y(bench.activations({slots, s.hidden})),
          before(bench.activations({slots, s.hidden})),
          dx(bench.activations({slots, s.width})),
          dWeight(bench.zeros({kExperts, s.hidden, s.width})),
          dBias(bench.zeros({kExperts, s.hidden})) {
        for (std::int64_t e = 0; e <= kExperts; ++e) offsets.push_back(e * slots / kExperts);
    }
    std::int64_t slots;
    Tensor x, weight, bias, y, before, dx, dWeight, dBias;
    std::vector<std::int64_t> offsets;
};

template <typename Work>
void withExperts(benchmark::State& state, int products, Work work) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    const GroupedLayer layer(bench, s);
    bench.time(state, [&] { work(bench.backend(), layer); });
    countFlops(state, flopsOf(s, layer.slots, products));
}

void groupedLinear(benchmark::State& state) {
    withExperts(state, 3, [](core::Backend& backend, const GroupedLayer& l) {
        core::ops::groupedLinearForward(backend, l.y, l.x, l.weight, l.bias, l.offsets);
        core::ops::groupedLinearBackwardData(backend, l.dx, l.y, l.weight, l.offsets);
        core::ops::groupedLinearBackwardWeight(backend, l.dWeight, l.dBias, l.y, l.x, l.offsets);
    });
}

void groupedLinearGeluForward(benchmark::State& state) {
    withExperts(state, 1, [](core::Backend& backend, const GroupedLayer& l) {
        core::ops::groupedLinearActivationForward(backend, l.y, l.before, l.x, l.weight, l.bias,
                                                  l.offsets, kGelu);
    });
}

void geluForward(benchmark::State& state) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    const Tensor x = bench.activations({s.rows(), s.hidden});
    const Tensor y = bench.activations({s.rows(), s.hidden});
    bench.time(state, [&] { core::ops::activationForward(bench.backend(), y, x, kGelu); });
    countBytes(state, static_cast<double>(x.bytes() + y.bytes()));
}

void geluBackward(benchmark::State& state) {
    Bench bench(state);
    const Sizes& s = sizesOf(state);
    const Tensor x = bench.activations({s.rows(), s.hidden});
    const Tensor dy = bench.activations({s.rows(), s.hidden});
    const Tensor dx = bench.activations({s.rows(), s.hidden});
    bench.time(state, [&] { core::ops::activationBackward(bench.backend(), dx, dy, x, kGelu); });
    countBytes(state, static_cast<double>(x.bytes() + dy.bytes() + dx.bytes()));
}

}  // namespace

void addProducts() {
    addSized("linearForward", linearForward);
    addSized("linearBackward", linearBackward);
    addSized("linearGeluForward", linearGeluForward);
    addSized("linearGeluBackwardData", linearGeluBackwardData);
    addSized("groupedLinear", groupedLinear);
    addSized("groupedLinearGeluForward", groupedLinearGeluForward);
    addSized("geluForward", geluForward);
    addSized("geluBackward", geluBackward);
}

}  // namespace ops_bench
