// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/expert_cosines.h"

#include "core/surgery/diff.h"
#include "tests/core/surgery/surgery_helpers.h"

#include <gtest/gtest.h>

#include <cmath>

namespace core::test {
namespace {

using Reference = ExpertCosines::Reference;

const std::atomic<bool> kGoOn{false};

/// Written apart from the engine, in long double.
double cosine(const std::vector<float>& a, const std::vector<float>& b) {
    long double ab = 0;
    long double aa = 0;
    long double bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += static_cast<long double>(a[i]) * static_cast<long double>(b[i]);
        aa += static_cast<long double>(a[i]) * static_cast<long double>(a[i]);
        bb += static_cast<long double>(b[i]) * static_cast<long double>(b[i]);
    }
    return static_cast<double>(ab / std::sqrt(aa * bb));
}

std::vector<float> normals(std::uint64_t seed, std::size_t count) {
    std::vector<float> values(count);
    CounterRandom(seed).normals(0, values);
    return values;
}

class ExpertCosinesTest : public testing::Test {
  protected:
    std::shared_ptr<const Checkpoint> file(const std::vector<NamedFloats>& tensors) {
        const Path path = folder / (std::to_string(count++) + ".safetensors");
        writeCheckpoint(path, tensors);
        return Checkpoint::open(path);
    }
    static std::vector<ExpertCosines> all(const Checkpoint& a, const Checkpoint& b) {
        std::vector<ExpertCosines> found;
        for (const ExpertBlock& block : findExpertBlocks(a, b))
            found.push_back(cosinesOf(a, b, block, kGoOn));
        return found;
    }
    TemporaryFolder folder;
    int count = 0;
};

TEST_F(ExpertCosinesTest, AgreeWithADirectComputation) {
    const auto a = SmallVit{}.write(folder / "a");
    SurgeryPlan plan;
    plan.layers["encoder.1"] = moeLayer(5, {ExpertInit::Kind::Noise, 0.5});
    plan.layers["encoder.3"] = moeLayer(3);
    convert(*a, plan, folder / "b");
    const auto b = Checkpoint::open(folder / "b");
    const CheckpointDiff diff = diffCheckpoints(*a, *b, {.experts = true}, {}, kGoOn);
    ASSERT_EQ(diff.experts.size(), 2U);
    const ExpertCosines& noisy = diff.experts[0];
    EXPECT_EQ(noisy.block, "encoder.1");
    EXPECT_EQ(noisy.reference, Reference::Dense);
    std::vector<float> dense;
    std::vector<std::vector<float>> experts(5);
    const auto join = [](std::vector<float>& whole, const std::vector<float>& part) {
        whole.insert(whole.end(), part.begin(), part.end());
    };
    for (const std::string& piece : mlpPieces()) {
        join(dense, valuesOf(*a, denseTensor(1, piece)));
        for (int e = 0; e < 5; ++e)
            join(experts[static_cast<std::size_t>(e)], valuesOf(*b, expertTensor(1, e, piece)));
    }
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_NEAR(noisy.toReference[i], cosine(dense, experts[i]), 1e-6);
        EXPECT_LT(noisy.toReference[i], 0.999);
        EXPECT_EQ(noisy.pairwise[i][i], 1);
        for (std::size_t j = 0; j < 5; ++j)
            EXPECT_NEAR(noisy.pairwise[i][j], cosine(experts[i], experts[j]), 1e-6);
    }
    for (const std::vector<double>& row : diff.experts[1].pairwise)  // copies
        EXPECT_EQ(row, std::vector<double>(3, 1.0));
    EXPECT_EQ(diff.experts[1].toReference, std::vector<double>(3, 1.0));
    EXPECT_TRUE(diffCheckpoints(*a, *b, {}, {}, kGoOn).experts.empty());
}

TEST_F(ExpertCosinesTest, LongVectorsAreReadInPieces) {
    const std::size_t n = 3'000'001;
    std::vector<NamedFloats> tensors;
    std::vector<std::vector<float>> values;
    for (std::uint64_t e = 0; e < 3; ++e) {
        values.push_back(normals(e, n));
        for (float& value : values.back()) value += 0.7F;
        tensors.push_back({"model.layers.7.mlp.experts." + std::to_string(e) + ".up_proj.weight",
                           {static_cast<std::int64_t>(n)},
                           values.back()});
    }
    const auto b = file(tensors);
    const std::vector<ExpertCosines> found = all(*file({{"x", {1}, {1}}}), *b);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].block, "decoder.7");
    EXPECT_EQ(found[0].reference, Reference::None);
    EXPECT_TRUE(found[0].toReference.empty());
    EXPECT_NEAR(found[0].pairwise[0][2], cosine(values[0], values[2]), 1e-6);
}

TEST_F(ExpertCosinesTest, T5NamesAndTheSameExpertsBefore) {
    const auto expert = [](int e, float x) {
        return NamedFloats{
            "decoder.block.2.layer.2.mlp.experts.expert_" + std::to_string(e) + ".wi.weight",
            {2},
            {x, 1}};
    };
    const auto dense = file({{"decoder.block.2.layer.2.DenseReluDense.wi.weight", {2}, {1, 0}}});
    const auto early = file({expert(0, 1), expert(1, 2)});
    const auto late = file({expert(0, 1), expert(1, 0)});
    const ExpertCosines first = all(*dense, *early).at(0);
    EXPECT_EQ(first.block, "decoder.2");
    EXPECT_EQ(first.reference, Reference::Dense);
    EXPECT_NEAR(first.toReference[0], std::sqrt(0.5), 1e-7);
    const ExpertCosines then = all(*early, *late).at(0);
    EXPECT_EQ(then.reference, Reference::SameMoe);
    EXPECT_EQ(then.toReference[0], 1);
    EXPECT_NEAR(then.toReference[1], 1 / std::sqrt(5.0), 1e-7);
}

TEST_F(ExpertCosinesTest, ZerosNonFiniteAndOddFilesAreNoError) {
    const auto b = file({{"encoder.layer.0.mlp.experts.expert_0.w", {2}, {0, 0}},
                         {"encoder.layer.0.mlp.experts.expert_1.w", {2}, {NAN, 1}},
                         {"encoder.layer.0.mlp.experts.expert_2.w", {2}, {1, 1}},
                         {"encoder.layer.1.mlp.experts.expert_0.w", {2}, {1, 1}},  // alone
                         {"encoder.layer.2.mlp.experts.expert_0.w", {2}, {1, 1}},  // a gap
                         {"encoder.layer.2.mlp.experts.expert_2.w", {2}, {1, 1}},
                         {"encoder.layer.3.mlp.experts.expert_0.w", {2}, {1, 1}},  // shapes
                         {"encoder.layer.3.mlp.experts.expert_1.w", {3}, {1, 1, 1}},
                         {"encoder.layer.4.mlp.experts.expert_99999999999.w", {2}, {1, 1}},
                         {"encoder.layer.5.mlp.experts.x", {2}, {1, 1}}});
    const std::vector<ExpertCosines> found = all(*file({{"x", {1}, {1}}}), *b);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_TRUE(std::isnan(found[0].pairwise[0][0]));
    EXPECT_TRUE(std::isnan(found[0].pairwise[1][2]));
    EXPECT_EQ(found[0].pairwise[2][2], 1);
}

}  // namespace
}  // namespace core::test
