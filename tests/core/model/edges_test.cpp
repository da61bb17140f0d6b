// SPDX-License-Identifier: Apache-2.0
#include "core/cpu/cpu_backend.h"
#include "core/ops/memory.h"
#include "tests/core/model/small_t5.h"
#include "tests/core/model/upcycled.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace core::test {
namespace {

constexpr std::int64_t kManyExperts = 40;

ForwardOptions training() {
    ForwardOptions options;
    options.training = true;
    options.dropout = 0.0F;
    options.loss.aux = 0.01F;
    options.loss.z = 0.001F;
    return options;
}

/// The least that a step can have: one example, one token in a stack, more experts than tokens.
class SmallestStep : public testing::TestWithParam<DType> {
  protected:
    static void expectFinite(Model& model, const Batch& batch) {
        const ForwardResult result = model.forward(batch, training());
        EXPECT_TRUE(std::isfinite(result.loss));
        EXPECT_TRUE(std::isfinite(result.auxLoss));
        EXPECT_GT(result.loss, 0);
        for (const RouterObservation& router : result.routers)
            EXPECT_GT(router.assignment.slots(), 0) << router.block;
        model.zeroGradients();
        model.backward(1.0F);
        double squares = 0;
        for (const Parameter& parameter : model.parameters())
            for (const float value : parameter.gradient.span<float>()) {
                ASSERT_TRUE(std::isfinite(value)) << parameter.name;
                squares += static_cast<double>(value) * static_cast<double>(value);
            }
        EXPECT_GT(squares, 0);
    }

    static std::unique_ptr<Model> make(const ModelSpec& spec) {
        auto model = makeModel(spec, makeCpuBackend(2), true, {}, GetParam());
        initializeParameters(model->parameters(), 3, model->backend());
        return model;
    }
};

TEST_P(SmallestStep, OneImageAndMoreExpertsThanTokens) {
    ModelSpec spec = smallVit();
    spec.blocks[1].moe = expertChoice(kManyExperts, 2);
    spec.blocks[2].moe = topK(kManyExperts, 2, 1);
    const auto model = make(spec);
    ASSERT_LT(spec.vit.tokens(), kManyExperts);
    expectFinite(*model, randomBatch(spec.vit, 1, 5));
}

TEST_P(SmallestStep, SequencesOfOneTokenAndMoreExpertsThanTokens) {
    const ModelSpec spec = smallT5(
        {{"encoder.1", expertChoice(kManyExperts, 2)}, {"decoder.1", topK(kManyExperts, 2, 2)}});
    const auto model = make(spec);
    expectFinite(*model, randomText(spec.t5, 1, 1, 1, 5));
    expectFinite(*model, randomText(spec.t5, 3, 1, 2, 6));
}

TEST_P(SmallestStep, NanInAWeightReachesTheLoss) {
    for (const char* name : {"encoder.1", "encoder.2"}) {
        ModelSpec spec = smallVit();
        spec.blocks[1].moe = expertChoice(4, 2);
        spec.blocks[2].moe = topK(4, 2, 2);
        const auto model = make(spec);
        for (Parameter& parameter : model->parameters())
            if (parameter.name.find("layer." + std::string(name).substr(8)) != std::string::npos &&
                parameter.experts == 0 && parameter.shape.rank() == 2)
                parameter.value.data<float>()[0] = std::numeric_limits<float>::quiet_NaN();
        refreshCopies(model->parameters(), model->backend());
        const ForwardResult result = model->forward(randomBatch(spec.vit, 2, 5), training());
        EXPECT_TRUE(std::isnan(result.loss)) << name << ": " << result.loss;
    }
}

INSTANTIATE_TEST_SUITE_P(Types, SmallestStep, testing::Values(DType::F32, DType::BF16),
                         [](const auto& p) { return std::string(dtypeName(p.param)); });

}  // namespace
}  // namespace core::test
