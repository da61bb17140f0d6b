// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/findings.h"

#include "tests/core/checkpoint/stats_helpers.h"

#include <gtest/gtest.h>

#include <cmath>

namespace core::test {
namespace {

std::vector<std::string> findingsOf(const std::vector<NamedFloats>& tensors, bool read) {
    const TemporaryFolder folder;
    writeCheckpoint(folder / "x.safetensors", tensors);
    const auto checkpoint = Checkpoint::open(folder / "x.safetensors");
    const std::atomic<bool> cancel{false};
    std::vector<TensorStats> stats;
    if (read)
        for (const TensorInfo& tensor : checkpoint->tensors())
            stats.push_back(computeStats(*checkpoint, tensor, cancel));
    std::vector<std::string> texts;
    for (const Finding& finding : core::findingsOf(*checkpoint, stats))
        texts.push_back(finding.text);
    return texts;
}

using Texts = std::vector<std::string>;

TEST(Findings, NothingOfAnOrdinaryCheckpoint) {
    const std::vector<NamedFloats> tensors{
        {"a.weight", {2}, {1, 2}},
        {"a.bias", {2}, {0, 0}},
        {"b.bias", {2}, {0, 0}},
        {"b.weight", {1, 2}, {1, 2}}};  // equal bytes of another shape, zeros, are no finding
    EXPECT_EQ(findingsOf(tensors, true), Texts());
    EXPECT_EQ(findingsOf(tensors, false), Texts());
}

TEST(Findings, TiedAndRepeatedTensors) {
    const std::vector<NamedFloats> tensors{{"shared.weight", {2}, {1, 2}},
                                           {"lm_head.weight", {2}, {1, 2}},
                                           {"x", {2}, {3, 4}},
                                           {"y", {2}, {3, 4}},
                                           {"z", {2}, {3, 5}}};
    EXPECT_EQ(findingsOf(tensors, false), Texts());
    EXPECT_EQ(findingsOf(tensors, true),
              (Texts{"shared.weight and lm_head.weight are tied: the same values, stored 2 times",
                     "x and y hold the same values"}));
}

TEST(Findings, CopiesAmongExpertsAreOneSentence) {
    std::vector<NamedFloats> tensors;
    for (int e = 0; e < 12; ++e)
        tensors.push_back({"mlp.experts.expert_" + std::to_string(e) + ".wi.weight", {2}, {1, 2}});
    tensors.push_back({"a", {2}, {7, 8}});
    for (const char* name : {"b", "c", "d", "e"}) tensors.push_back({name, {2}, {7, 8}});
    EXPECT_EQ(findingsOf(tensors, true),
              (Texts{"the 12 experts mlp.experts.expert_*.wi.weight hold the same values",
                     "a, b, c and 2 more hold the same values"}));
}

TEST(Findings, ValuesThatAreNotFinite) {
    EXPECT_EQ(findingsOf({{"t", {4}, {std::nanf(""), 1, INFINITY, -INFINITY}}}, true),
              Texts{"t has 3 values that are not finite (1 NaN, 2 infinite)"});
}

TEST(Findings, StrayTensorsOfOldFiles) {
    const std::string stray =
        "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight";
    const Texts texts = findingsOf(
        {{stray, {2}, {1, 2}},
         {"decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", {2}, {3, 2}}},
        false);
    ASSERT_EQ(texts.size(), 1U);
    EXPECT_TRUE(texts[0].starts_with(stray)) << texts[0];
}

}  // namespace
}  // namespace core::test
