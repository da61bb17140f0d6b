// SPDX-License-Identifier: Apache-2.0
#include "core/training/optimizer.h"

#include "core/ops/memory.h"
#include "core/tensor/arena.h"
#include "tests/core/training/training_helpers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace core::test {
namespace {

Tensor scaleOf(float scale) { return Tensor::of<float>({1}, std::vector{scale}); }

constexpr std::int64_t kSteps = 6;

struct Case {
    std::string name;
    OptimizerSpec spec;
    double lr;
    double tolerance = 1e-6;
    std::int64_t firstStep = 0;
    bool experts = false;  ///< the leading axis of the fixture is the expert axis
};

void PrintTo(const Case& value, std::ostream* stream) { *stream << value.name; }

/// The fixture's weight as a parameter, its experts as parts.
Parameter parameterOf(const Fixture& fixture, const Case& test) {
    Parameter p = makeParameter("w", fixture.tensor(test.name + ".w0"));
    if (!test.experts) return p;
    p.experts = p.shape[0];
    p.parts.clear();
    const std::vector<std::int64_t> rest(p.shape.sizes().begin() + 1, p.shape.sizes().end());
    for (std::int64_t e = 0; e < p.experts; ++e)
        p.parts.push_back({std::to_string(e), Shape(rest)});
    return p;
}

class OptimizerSteps : public ::testing::TestWithParam<Case> {};

TEST_P(OptimizerSteps, EqualTheReference) {
    const Case& test = GetParam();
    const Fixture fixture;
    const std::shared_ptr<Backend> backend = makeCpuBackend(2);
    std::vector<Parameter> parameters{parameterOf(fixture, test)};
    const auto optimizer = makeOptimizer(test.spec, parameters, backend);
    const Tensor gradients = fixture.tensor(test.name + ".gradients");
    const Tensor weights = fixture.tensor(test.name + ".weights");
    for (std::int64_t step = 0; step < kSteps; ++step) {
        copyInto(parameters[0].gradient, gradients.rows(step, step + 1));
        optimizer->update(parameters, test.lr, scaleOf(1), test.firstStep + step);
        expectClose(parameters[0].value, weights.rows(step, step + 1), test.tolerance,
                    "weights after step " + std::to_string(step + 1));
    }
    for (const OptimizerState& state : optimizer->state())
        expectClose(state.value, fixture.tensor(test.name + "." + state.slot), test.tolerance,
                    state.slot);
}

TEST_P(OptimizerSteps, ScaleTheGradientFirst) {
    const Case& test = GetParam();
    const Fixture fixture;
    const std::shared_ptr<Backend> backend = makeCpuBackend(1);
    std::vector<Parameter> parameters{parameterOf(fixture, test)};
    const auto optimizer = makeOptimizer(test.spec, parameters, backend);
    const Tensor gradients = fixture.tensor(test.name + ".gradients");
    for (std::int64_t i = 0; i < gradients.elements(); ++i) gradients.data<float>()[i] *= 8.0F;
    for (std::int64_t step = 0; step < kSteps; ++step) {
        copyInto(parameters[0].gradient, gradients.rows(step, step + 1));
        optimizer->update(parameters, test.lr, scaleOf(0.125F), test.firstStep + step);
    }
    const Tensor weights = fixture.tensor(test.name + ".weights");
    expectClose(parameters[0].value, weights.rows(kSteps - 1, kSteps), test.tolerance, "weights");
}

OptimizerSpec adafactor(std::int64_t stepOffset = 0, double weightDecay = 0) {
    OptimizerSpec spec;
    spec.kind = OptimizerKind::Adafactor;
    spec.minDimToFactor = 5;
    spec.stepOffset = stepOffset;
    spec.weightDecay = weightDecay;
    return spec;
}

OptimizerSpec sgd(double momentum, bool nesterov) {
    OptimizerSpec spec;
    spec.kind = OptimizerKind::Sgd;
    spec.weightDecay = 0.02;
    spec.momentum = momentum;
    spec.nesterov = nesterov;
    return spec;
}

INSTANTIATE_TEST_SUITE_P(
    Torch, OptimizerSteps,
    ::testing::Values(
        Case{.name = "adamw",
             .spec = {.weightDecay = 0.1, .beta1 = 0.9, .beta2 = 0.95, .epsilon = 1e-6},
             .lr = 0.01},
        Case{.name = "adamw_default", .spec = {}, .lr = 0.001},
        Case{.name = "sgd", .spec = sgd(0.9, false), .lr = 0.05},
        Case{.name = "nesterov", .spec = sgd(0.8, true), .lr = 0.05}),
    [](const auto& test) { return test.param.name; });

constexpr double kAdafactorTolerance = 2e-6;
INSTANTIATE_TEST_SUITE_P(T5x, OptimizerSteps,
                         ::testing::Values(Case{.name = "adafactor_factored",
                                                .spec = adafactor(0, 0.01),
                                                .lr = 0.1,
                                                .tolerance = kAdafactorTolerance},
                                           Case{.name = "adafactor_small",
                                                .spec = adafactor(),
                                                .lr = 0.1,
                                                .tolerance = kAdafactorTolerance},
                                           Case{.name = "adafactor_vector",
                                                .spec = adafactor(),
                                                .lr = 0.1,
                                                .tolerance = kAdafactorTolerance},
                                           Case{.name = "adafactor_experts",
                                                .spec = adafactor(),
                                                .lr = 0.1,
                                                .tolerance = kAdafactorTolerance,
                                                .experts = true},
                                           Case{.name = "adafactor_expert_bias",
                                                .spec = adafactor(),
                                                .lr = 0.1,
                                                .tolerance = kAdafactorTolerance,
                                                .experts = true},
                                           Case{.name = "adafactor_offset",
                                                .spec = adafactor(1000),
                                                .lr = 0.1,
                                                .tolerance = kAdafactorTolerance,
                                                .firstStep = 1000},
                                           Case{.name = "adafactor_trap",
                                                .spec = adafactor(),
                                                .lr = 0.1,
                                                .tolerance = kAdafactorTolerance,
                                                .firstStep = 1000}),
                         [](const auto& test) { return test.param.name; });

TEST(Optimizer, NamesRoundTrip) {
    for (const OptimizerKind kind :
         {OptimizerKind::AdamW, OptimizerKind::Adafactor, OptimizerKind::Sgd})
        EXPECT_EQ(optimizerFromName(optimizerName(kind)), kind);
    EXPECT_FALSE(optimizerFromName("lion").has_value());
}

TEST(Optimizer, ExpertsAreUpdatedAsIfTheyWereAlone) {
    const std::shared_ptr<Backend> backend = makeCpuBackend(2);
    const Fixture fixture;
    const Tensor w0 = fixture.tensor("adafactor_experts.w0");
    const Tensor gradient =
        fixture.tensor("adafactor_experts.gradients").rows(0, 1).view({3, 6, 9});
    Case test{.name = "adafactor_experts", .spec = adafactor(0, 0.01), .lr = 0.1, .experts = true};
    std::vector<Parameter> together{parameterOf(fixture, test)};
    copyInto(together[0].gradient, gradient);
    makeOptimizer(test.spec, together, backend)->update(together, test.lr, scaleOf(1), 0);
    for (std::int64_t e = 0; e < 3; ++e) {
        std::vector<Parameter> alone{makeParameter("w", w0.rows(e, e + 1).view({6, 9}))};
        copyInto(alone[0].gradient, gradient.rows(e, e + 1));
        makeOptimizer(test.spec, alone, backend)->update(alone, test.lr, scaleOf(1), 0);
        const auto expected = alone[0].value.span<float>();
        EXPECT_TRUE(
            std::equal(expected.begin(), expected.end(), together[0].value.data<float>() + e * 54));
    }
}

TEST(Optimizer, FactorsMatricesThatAreLargeEnough) {
    const std::shared_ptr<Backend> backend = makeCpuBackend(1);
    const auto slots = [&](const Shape& shape, std::int64_t smallest) {
        OptimizerSpec spec = adafactor();
        spec.minDimToFactor = smallest;
        const std::vector<Parameter> parameters{makeParameter("w", Tensor::zeros(shape))};
        const auto optimizer = makeOptimizer(spec, parameters, backend);
        std::string names;
        for (const OptimizerState& state : optimizer->state())
            names += state.slot + toString(state.value.shape());
        return names;
    };
    EXPECT_EQ(slots({6, 9}, 6), "row[1, 6]column[1, 9]");
    EXPECT_EQ(slots({6, 9}, 7), "full[1, 6, 9]");
    EXPECT_EQ(slots({1, 6, 9}, 6), "row[1, 6]column[1, 9]");
    EXPECT_EQ(slots({9}, 2), "full[1, 9, 1]");
    EXPECT_EQ(slots({4, 3, 8, 8}, 2), "full[1, 4, 192]");
    EXPECT_EQ(slots({1, 1, 9}, 1), "full[1, 9, 1]");
}

TEST(Optimizer, DecayOnlyWhereTheParameterAsksForIt) {
    const std::shared_ptr<Backend> backend = makeCpuBackend(1);
    for (const OptimizerKind kind :
         {OptimizerKind::AdamW, OptimizerKind::Adafactor, OptimizerKind::Sgd}) {
        OptimizerSpec spec;
        spec.kind = kind;
        spec.weightDecay = 0.5;
        const std::vector<float> ones(4, 1.0F);
        const Tensor value = Tensor::of<float>({2, 2}, ones);
        std::vector<Parameter> parameters{makeParameter("a", value, true),
                                          makeParameter("b", value, false)};
        makeOptimizer(spec, parameters, backend)->update(parameters, 0.1, scaleOf(1), 0);
        EXPECT_LT(parameters[0].value.data<float>()[0], 1.0F) << optimizerName(kind);
        EXPECT_EQ(parameters[1].value.data<float>()[0], 1.0F) << optimizerName(kind);
    }
}

/// Parameters as a model has them: in one piece of memory, some with decay, one that began later.
TEST(Optimizer, ParametersInOnePieceAreUpdatedAsEachByItself) {
    const std::shared_ptr<Backend> backend = makeCpuBackend(2);
    const std::vector<Shape> shapes{{3, 5}, {40}, {7}, {2, 2, 9}, {1}};
    for (const OptimizerKind kind : {OptimizerKind::AdamW, OptimizerKind::Sgd}) {
        OptimizerSpec spec;
        spec.kind = kind;
        spec.weightDecay = 0.25;
        const std::vector<Tensor> values = allocateTogether(shapes, allocateHost);
        const std::vector<Tensor> gradients = allocateTogether(shapes, allocateHost);
        for (const auto& tensors : {values, gradients})
            for (const Tensor& all : joined(tensors)) ops::fill(*backend, all, 0.0F);
        std::vector<Parameter> together;
        std::vector<Parameter> apart;
        for (std::size_t i = 0; i < shapes.size(); ++i) {
            const Tensor value = Tensor::host(shapes[i]);
            for (std::int64_t k = 0; k < value.elements(); ++k)
                value.data<float>()[k] = static_cast<float>(i) - 0.125F * static_cast<float>(k);
            const bool decay = i < 3;
            apart.push_back(makeParameter(std::to_string(i), value, decay));
            together.push_back(apart.back());
            together.back().value = values[i];
            together.back().gradient = gradients[i];
            copyInto(values[i], value);
        }
        const auto one = makeOptimizer(spec, together, backend);
        const auto each = makeOptimizer(spec, apart, backend);
        one->starts()[1] = each->starts()[1] = -5;
        for (std::int64_t step = 0; step < 3; ++step) {
            for (std::size_t i = 0; i < shapes.size(); ++i)
                for (std::int64_t k = 0; k < shapes[i].elements(); ++k)
                    together[i].gradient.data<float>()[k] = apart[i].gradient.data<float>()[k] =
                        std::sin(static_cast<float>(k + step) + static_cast<float>(i));
            one->update(together, 0.1, scaleOf(0.5F), step);
            each->update(apart, 0.1, scaleOf(0.5F), step);
        }
        ASSERT_EQ(one->state().size(), each->state().size());
        for (std::size_t i = 0; i < shapes.size(); ++i)
            EXPECT_TRUE(
                std::ranges::equal(together[i].value.span<float>(), apart[i].value.span<float>()))
                << optimizerName(kind) << " parameter " << i;
        for (std::size_t s = 0; s < one->state().size(); ++s) {
            const OptimizerState& found = one->state()[s];
            EXPECT_EQ(found.slot, each->state()[s].slot);
            EXPECT_EQ(found.parameter, each->state()[s].parameter);
            EXPECT_TRUE(std::ranges::equal(found.value.span<float>(),
                                           each->state()[s].value.span<float>()));
        }
        for (const Tensor& all : joined(values))  // what lies between stays zero
            EXPECT_EQ(all.data<float>()[15], 0.0F);
    }
}

TEST(Optimizer, ResetMomentsLearnAtOnceWithTheOffsetAndHardlyWithout) {
    const Fixture fixture;  // 1000 steps in, beta2 = 0.996: without offset v fills far too slowly
    const auto change = [&](const std::string& name) {
        const Tensor w0 = fixture.tensor(name + ".w0");
        const Tensor first = fixture.tensor(name + ".weights").rows(0, 1);
        double sum = 0;
        for (std::int64_t i = 0; i < w0.elements(); ++i)
            sum += std::pow(static_cast<double>(w0.data<float>()[i] - first.data<float>()[i]), 2);
        return std::sqrt(sum / static_cast<double>(w0.elements()));
    };
    // Both sit near the clip in the first step: the trap is in the moments.
    EXPECT_GT(change("adafactor_offset"), 0.05);
    EXPECT_GT(change("adafactor_trap"), 0.05);
    const float offset = fixture.tensor("adafactor_offset.row").data<float>()[0];
    const float trap = fixture.tensor("adafactor_trap.row").data<float>()[0];
    EXPECT_GT(offset, 10 * trap);
}

}  // namespace
}  // namespace core::test
