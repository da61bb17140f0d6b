// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"
#include "core/model/model.h"
#include "core/ops/memory.h"
#include "tests/core/model/fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace core::test {
namespace {

bool isText(const std::string& fixture) { return fixture.starts_with("t5/"); }

std::vector<std::string> allFixtures() {
    std::vector<std::string> names = denseFixtures();
    for (const std::string& name : moeFixtures()) names.push_back(name);
    for (const std::string& name : t5Fixtures()) names.push_back("t5/" + name);
    return names;
}

std::string caseName(const testing::TestParamInfo<std::string>& parameter) {
    std::string name = parameter.param;
    std::replace(name.begin(), name.end(), '/', '_');
    return name;
}

ForwardOptions training(const Fixture& fixture) {
    ForwardOptions options;
    options.loss = fixture.loss();
    options.training = true;
    options.dropout = 0.0F;
    return options;
}

Batch batchOf(const Fixture& fixture, const std::string& name) {
    return isText(name) ? fixture.textBatch() : fixture.batch();
}

/// |a - b| / |b| over all tensors together, in the Euclidean norm.
double gradientError(Model& model, const Fixture& fixture) {
    double difference = 0;
    double whole = 0;
    for (const auto& [name, values] : gradientsByName(model)) {
        const Tensor expected = fixture.reference("gradient/" + name);
        const auto reference = expected.span<float>();
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto b = static_cast<double>(reference[i]);
            difference += std::pow(static_cast<double>(values[i]) - b, 2);
            whole += b * b;
        }
    }
    return std::sqrt(difference / whole);
}

/// What PyTorch computes in f32: bf16 keeps eight bits of every activation.
class Bf16Model : public testing::TestWithParam<std::string> {};

TEST_P(Bf16Model, IsNearTheReferenceInF32) {
    const Fixture fixture(GetParam());
    const auto model = loadModel(fixture.model(), makeCpuBackend(1), true, DType::BF16);
    const ForwardResult result = model->forward(batchOf(fixture, GetParam()), training(fixture));
    const Tensor logits = ops::hostFloats(model->backend(), result.logits);
    const double error =
        isText(GetParam())
            ? fixture.realLogitsError(logits)
            : relativeError(logits.span<float>(), fixture.reference("logits").span<float>());
    EXPECT_LT(error, 0.05);
    EXPECT_GT(error, 1e-5) << "as exact as f32: was it bf16 at all?";
    EXPECT_NEAR(result.loss, fixture.scalar("loss"), 0.02 * fixture.scalar("loss"));
    model->zeroGradients();
    model->backward(1.0F);
    const double gradient = gradientError(*model, fixture);
    EXPECT_LT(gradient, 0.05);
    RecordProperty("logits", std::to_string(error));
    RecordProperty("gradient", std::to_string(gradient));
}

INSTANTIATE_TEST_SUITE_P(Models, Bf16Model, testing::ValuesIn(allFixtures()), caseName);

/// A forward that is run again gives the very numbers of the first.
class Recompute : public testing::TestWithParam<std::string> {
  protected:
    struct Result {
        double loss;
        std::vector<std::pair<std::string, std::vector<float>>> gradients;
        std::size_t peak;
        std::size_t blocks;
    };
    static Result step(bool recompute, DType dtype) {
        const Fixture fixture(GetParam());
        const auto model = loadModel(fixture.model(), makeCpuBackend(1), true, dtype);
        ForwardOptions options = training(fixture);
        options.recompute = recompute;
        options.dropout = isText(GetParam()) ? std::optional<float>(0.2F) : std::nullopt;
        options.seed = 5;
        const ForwardResult result = model->forward(batchOf(fixture, GetParam()), options);
        model->zeroGradients();
        model->backward(0.7F);
        return {result.loss, gradientsByName(*model), model->workspace().peakBytes(),
                model->spec().blocks.size()};
    }
};

TEST_P(Recompute, GivesTheSameBitsInLessMemory) {
    for (const DType dtype : {DType::F32, DType::BF16}) {
        const Result kept = step(false, dtype);
        const Result again = step(true, dtype);
        EXPECT_EQ(again.loss, kept.loss);
        EXPECT_EQ(again.gradients, kept.gradients);
        if (kept.blocks > 2) {
            EXPECT_LT(again.peak, kept.peak);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Models, Recompute, testing::ValuesIn(allFixtures()), caseName);

}  // namespace
}  // namespace core::test
