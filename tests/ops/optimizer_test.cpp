// SPDX-License-Identifier: Apache-2.0
#include "core/ops/optimizer.h"

#include "tests/ops/parity.h"

#include <algorithm>

namespace {

using core::AdafactorArgs;
using core::AdamWArgs;
using core::SgdArgs;
using core::Tensor;
using parity::Values;

class OptimizerOps : public parity::OpsTest {
  protected:
    Tensor scale(double factor) { return f32({1}, {factor}); }
};

TEST_P(OptimizerOps, AdamWOverSeveralSteps) {
    for (const std::int64_t n : {1, 17, 40003}) {
        Values w = parity::randomValues(n, 1);
        Values m(w.size(), 0.0);
        Values v(w.size(), 0.0);
        const Tensor weight = f32({n}, w);
        const Tensor first = f32({n}, m);
        const Tensor second = f32({n}, v);
        for (std::int64_t step = 1; step <= 4; ++step) {
            AdamWArgs args;
            args.lr = 0.01F;
            args.weightDecay = 0.1F;
            args.step = step;
            const Values g = parity::randomValues(n, 10 + static_cast<std::uint64_t>(step));
            core::ops::adamwStep(backend(), weight, first, second, f32({n}, g), scale(0.5), args);
            for (std::size_t i = 0; i < w.size(); ++i) {
                const double slope = 0.5 * g[i];
                m[i] = 0.9 * m[i] + 0.1 * slope;
                v[i] = 0.999 * v[i] + 0.001 * slope * slope;
                const double mHat = m[i] / (1.0 - std::pow(0.9, step));
                const double vHat = v[i] / (1.0 - std::pow(0.999, step));
                w[i] = w[i] * (1.0 - 0.01 * 0.1) - 0.01 * mHat / (std::sqrt(vHat) + 1e-8);
            }
        }
        expectClose(weight, w, "weight");
        expectClose(first, m, "m");
        expectClose(second, v, "v");
    }
}

TEST_P(OptimizerOps, AdamWWithoutGradientOnlyDecays) {
    AdamWArgs args;
    args.lr = 0.5F;
    args.weightDecay = 0.25F;
    const Tensor weight = f32({3}, {1.0, -2.0, 4.0});
    core::ops::adamwStep(backend(), weight, f32({3}, Values(3, 0.0)), f32({3}, Values(3, 0.0)),
                         f32({3}, Values(3, 0.0)), scale(1.0), args);
    expectClose(weight, {0.875, -1.75, 3.5}, "weight");
}

TEST_P(OptimizerOps, SgdWithMomentum) {
    for (const bool nesterov : {false, true}) {
        Values w = parity::randomValues(20021, 1);
        Values buffer(w.size(), 0.0);
        const Tensor weight = f32({20021}, w);
        const Tensor momentum = f32Output({20021});  // not read in the first step
        for (int step = 0; step < 3; ++step) {
            SgdArgs args;
            args.lr = 0.1F;
            args.momentum = 0.75F;
            args.weightDecay = 0.5F;
            args.nesterov = nesterov;
            args.firstStep = step == 0;
            const Values gradient =
                parity::randomValues(20021, 20 + static_cast<std::uint64_t>(step));
            core::ops::sgdStep(backend(), weight, momentum, f32({20021}, gradient), scale(2.0),
                               args);
            for (std::size_t i = 0; i < w.size(); ++i) {
                const double g = 2.0 * gradient[i] + 0.5 * w[i];
                buffer[i] = step == 0 ? g : 0.75 * buffer[i] + g;
                w[i] -= static_cast<double>(0.1F) * (nesterov ? g + 0.75 * buffer[i] : buffer[i]);
            }
        }
        expectClose(weight, w, "weight");
        expectClose(momentum, buffer, "momentum");
    }
}

/// Adafactor as published in T5X, one batch entry after another.
struct AdafactorReference {
    AdafactorArgs args;
    double gradientScale;
    Values w;
    Values row;
    Values column;
    Values full;

    explicit AdafactorReference(const AdafactorArgs& a, double scale = 1.0)
        : args(a),
          gradientScale(scale),
          w(parity::randomValues(a.batch * a.rows * a.columns, 1, 0.3)),
          row(static_cast<std::size_t>(a.batch * a.rows), 0.0),
          column(static_cast<std::size_t>(a.batch * a.columns), 0.0),
          full(w.size(), 0.0) {
        // Experts of very different size, so that a mean over them would show.
        for (std::size_t i = 0; i < w.size(); ++i)
            w[i] = static_cast<double>(static_cast<float>(w[i] * scaleOf(i)));
    }

    std::size_t size() const { return static_cast<std::size_t>(args.rows * args.columns); }
    double scaleOf(std::size_t i) const { return std::pow(10.0, static_cast<double>(i / size())); }

    void step(const Values& gradient) {
        const double decay = 1.0 - std::pow(static_cast<double>(args.step) + 1.0,
                                            -static_cast<double>(args.decayRate));
        for (std::int64_t b = 0; b < args.batch; ++b)
            stepOne(static_cast<std::size_t>(b), gradient, decay);
        ++args.step;
    }

  private:
    double squared(const Values& gradient, std::size_t at) const {
        const double g = gradient[at] * gradientScale;
        return g * g + static_cast<double>(args.epsilon1);
    }

    void stepOne(std::size_t b, const Values& gradient, double decay) {
        const auto rows = static_cast<std::size_t>(args.rows);
        const auto columns = static_cast<std::size_t>(args.columns);
        const std::size_t base = b * size();
        double* vr = row.data() + b * rows;
        double* vc = column.data() + b * columns;
        if (args.factored) {
            for (std::size_t r = 0; r < rows; ++r) {
                double mean = 0.0;
                for (std::size_t c = 0; c < columns; ++c)
                    mean +=
                        squared(gradient, base + r * columns + c) / static_cast<double>(columns);
                vr[r] = decay * vr[r] + (1.0 - decay) * mean;
            }
            for (std::size_t c = 0; c < columns; ++c) {
                double mean = 0.0;
                for (std::size_t r = 0; r < rows; ++r)
                    mean += squared(gradient, base + r * columns + c) / static_cast<double>(rows);
                vc[c] = decay * vc[c] + (1.0 - decay) * mean;
            }
        }
        double rowMean = 0.0;
        for (std::size_t r = 0; r < rows; ++r) rowMean += vr[r] / static_cast<double>(rows);
        Values update(size());
        double squares = 0.0;
        double weights = 0.0;
        for (std::size_t i = 0; i < size(); ++i) {
            double& v = full[base + i];
            if (!args.factored) v = decay * v + (1.0 - decay) * squared(gradient, base + i);
            const double second = args.factored ? vr[i / columns] * vc[i % columns] / rowMean : v;
            update[i] = gradient[base + i] * gradientScale / std::sqrt(second);
            squares += update[i] * update[i] / static_cast<double>(size());
            weights += w[base + i] * w[base + i] / static_cast<double>(size());
        }
        double rate = static_cast<double>(args.lr);
        if (args.multiplyByParameterScale)
            rate *= std::max(std::sqrt(weights), static_cast<double>(args.epsilon2));
        rate /= std::max(1.0, std::sqrt(squares) / static_cast<double>(args.clippingThreshold));
        for (std::size_t i = 0; i < size(); ++i)
            w[base + i] =
                (1.0 - static_cast<double>(args.weightDecay)) * w[base + i] - rate * update[i];
    }
};

TEST_P(OptimizerOps, AdafactorOverSeveralSteps) {
    struct Sizes {
        std::int64_t batch, rows, columns;
        bool factored;
    };
    for (const Sizes& s :
         {Sizes{1, 1, 1, false}, Sizes{1, 9, 33, true}, Sizes{3, 17, 20, true},
          Sizes{3, 17, 20, false}, Sizes{1, 200, 301, true}, Sizes{2, 1, 19, true}})
        for (const bool scaled : {true, false}) {
            AdafactorArgs args;
            args.batch = s.batch;
            args.rows = s.rows;
            args.columns = s.columns;
            args.factored = s.factored;
            args.multiplyByParameterScale = scaled;
            args.weightDecay = 0.01F;
            AdafactorReference expected(args, 0.5);
            const core::Shape shape{s.batch, s.rows, s.columns};
            const Tensor weight = f32(shape, expected.w);
            const Tensor row = s.factored ? f32({s.batch, s.rows}, expected.row) : Tensor();
            const Tensor column =
                s.factored ? f32({s.batch, s.columns}, expected.column) : Tensor();
            const Tensor full = s.factored ? Tensor() : f32(shape, expected.full);
            for (std::uint64_t step = 0; step < 3; ++step) {
                const Values g =
                    parity::randomValues(shape.elements(), 30 + step, step == 1 ? 30.0 : 1.0);
                core::ops::adafactorStep(backend(), weight, row, column, full, f32(shape, g),
                                         scale(0.5), expected.args);
                expected.step(g);
            }
            expectClose(weight, expected.w, "weight");
            if (s.factored) {
                expectClose(row, expected.row, "rowMoment");
                expectClose(column, expected.column, "columnMoment");
            } else {
                expectClose(full, expected.full, "fullMoment");
            }
        }
}

TEST_P(OptimizerOps, AdafactorExpertsAreIndependent) {
    AdafactorArgs args;
    args.batch = 2;
    args.rows = 4;
    args.columns = 6;
    args.factored = true;
    AdafactorReference both(args);
    const Values g = parity::randomValues(48, 7);
    Values otherG = g;
    for (std::size_t i = 24; i < 48; ++i) otherG[i] *= 1000.0;
    const auto firstExpert = [&](const Values& gradient) {
        const Tensor weight = f32({2, 4, 6}, both.w);
        core::ops::adafactorStep(backend(), weight, f32({2, 4}, both.row), f32({2, 6}, both.column),
                                 {}, f32({2, 4, 6}, gradient), scale(1.0), args);
        Values w = read(weight);
        w.resize(24);
        return w;
    };
    EXPECT_EQ(firstExpert(g), firstExpert(otherG));
}

TEST_P(OptimizerOps, AdafactorMovesWeightsOfAlmostNothing) {
    for (const bool factored : {true, false}) {  // a parameter scale of 10^-3, not of 10^-7
        AdafactorArgs args;
        args.rows = 9;
        args.columns = 7;
        args.factored = factored;
        AdafactorReference expected(args);
        for (double& w : expected.w) w = static_cast<double>(static_cast<float>(w * 1e-6));
        const core::Shape shape{1, 9, 7};
        const Tensor weight = f32(shape, expected.w);
        const Values g = parity::randomValues(63, 8);
        core::ops::adafactorStep(backend(), weight, factored ? f32({1, 9}, expected.row) : Tensor(),
                                 factored ? f32({1, 7}, expected.column) : Tensor(),
                                 factored ? Tensor() : f32(shape, expected.full), f32(shape, g),
                                 scale(1.0), args);
        expected.step(g);
        expectClose(weight, expected.w, "weight");
    }
}

TEST_P(OptimizerOps, AdafactorOfZeroGradientsStaysFinite) {
    AdafactorArgs args;
    args.rows = 3;
    args.columns = 5;
    args.factored = true;
    const Tensor weight = f32({3, 5}, Values(15, 0.5));
    core::ops::adafactorStep(backend(), weight, f32({1, 3}, Values(3, 0.0)),
                             f32({1, 5}, Values(5, 0.0)), {}, f32({3, 5}, Values(15, 0.0)),
                             scale(1.0), args);
    expectClose(weight, Values(15, 0.5), "weight");
}

TEST_P(OptimizerOps, ScaleOfAStep) {
    struct Case {
        double norm, clip;
        std::vector<double> losses;
        double expected;
    };
    const double nan = std::nan("");
    const double infinity = std::numeric_limits<double>::infinity();
    for (const Case& c :
         {Case{3.0, 0.0, {1.0}, 1.0}, Case{3.0, 6.0, {}, 1.0}, Case{3.0, 1.5, {2.0, -1.0}, 0.5},
          Case{0.0, 1.0, {0.0}, 1.0}, Case{nan, 0.0, {1.0}, nan}, Case{infinity, 1.0, {1.0}, nan},
          Case{3.0, 0.0, {1.0, nan}, nan}, Case{3.0, 0.0, {-infinity, 1.0}, nan}}) {
        const Tensor squares = number64({c.norm * c.norm});
        const Tensor scale = f32Output({1});
        core::ops::stepScale(backend(), scale, squares, number64(c.losses), c.clip);
        const double found = read(scale).front();
        if (std::isnan(c.expected))
            EXPECT_FALSE(std::isfinite(found)) << c.norm;
        else
            EXPECT_EQ(found, c.expected) << c.norm;
    }
}

TEST_P(OptimizerOps, AStepThatIsNotFiniteChangesNothing) {
    const Values w = parity::randomValues(6000, 1);
    const Values moment = parity::randomValues(6000, 2, 0.25);
    const Tensor gradient = f32({60, 100}, Values(6000, std::nan("")));
    AdafactorArgs args;
    args.rows = 60;
    args.columns = 100;
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
        std::vector<std::pair<Tensor, Values>> all;
        const auto kept = [&](const core::Shape& shape, const Values& values) {
            const Values some(values.begin(), values.begin() + shape.elements());
            const Tensor tensor = f32(shape, some);
            all.emplace_back(tensor, read(tensor));
            return tensor;
        };
        const auto weight = [&] { return kept({60, 100}, w); };
        const auto full = [&] { return kept({60, 100}, moment); };
        core::ops::adamwStep(backend(), weight(), full(), full(), gradient, scale(bad), {});
        core::ops::sgdStep(backend(), weight(), full(), gradient, scale(bad), {});
        args.factored = true;
        core::ops::adafactorStep(backend(), weight(), kept({1, 60}, moment), kept({1, 100}, moment),
                                 {}, gradient, scale(bad), args);
        args.factored = false;
        core::ops::adafactorStep(backend(), weight(), {}, {}, full(), gradient, scale(bad), args);
        ASSERT_EQ(all.size(), 10U);
        for (const auto& [tensor, before] : all) EXPECT_EQ(read(tensor), before);
    }
}

TEST_P(OptimizerOps, RejectsOtherShapes) {
    EXPECT_THROW(core::ops::adamwStep(backend(), f32Output({3}), f32Output({3}), f32Output({3}),
                                      f32Output({4}), scale(1.0), {}),
                 core::CheckFailure);
    EXPECT_THROW(core::ops::sgdStep(backend(), f32Output({3}), f32Output({2}), f32Output({3}),
                                    scale(1.0), {}),
                 core::CheckFailure);
    AdafactorArgs args;
    args.rows = 3;
    args.columns = 4;
    EXPECT_THROW(core::ops::adafactorStep(backend(), f32Output({3, 5}), {}, {}, f32Output({3, 5}),
                                          f32Output({3, 5}), scale(1.0), args),
                 core::CheckFailure);
    args.factored = true;
    EXPECT_THROW(
        core::ops::adafactorStep(backend(), f32Output({3, 4}), f32Output({1, 3}), f32Output({1, 3}),
                                 {}, f32Output({3, 4}), scale(1.0), args),
        core::CheckFailure);
}

PARITY_SUITE(OptimizerOps);

}  // namespace
