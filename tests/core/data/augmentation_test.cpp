// SPDX-License-Identifier: Apache-2.0
#include "core/data/augmentation.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <vector>

namespace core {
namespace {

TEST(Augmentation, DependsOnSeedEpochAndExampleAlone) {
    const Augmentation augmentation{.cropPadding = 4, .flip = true};
    int sameEpoch = 0;
    int sameSeed = 0;
    for (std::int64_t example = 0; example < 200; ++example) {
        const AugmentationDraw draw = drawAugmentation(augmentation, 1, 2, example);
        EXPECT_EQ(draw, drawAugmentation(augmentation, 1, 2, example));
        sameEpoch += draw == drawAugmentation(augmentation, 1, 3, example) ? 1 : 0;
        sameSeed += draw == drawAugmentation(augmentation, 2, 2, example) ? 1 : 0;
    }
    EXPECT_LT(sameEpoch, 12);  // 1 of 162 by chance
    EXPECT_LT(sameSeed, 12);
}

TEST(Augmentation, ShiftsAreUniformAndHalfIsFlipped) {
    const Augmentation augmentation{.cropPadding = 2, .flip = true};
    constexpr int kDraws = 20000;
    std::map<std::pair<std::int64_t, std::int64_t>, int> shifts;
    int flips = 0;
    for (std::int64_t example = 0; example < kDraws; ++example) {
        const AugmentationDraw draw = drawAugmentation(augmentation, 7, 0, example);
        ++shifts[{draw.shiftX, draw.shiftY}];
        flips += draw.flip ? 1 : 0;
    }
    EXPECT_EQ(shifts.size(), 25U);
    for (const auto& [shift, count] : shifts) {
        EXPECT_LE(std::abs(shift.first), 2);
        EXPECT_NEAR(count, kDraws / 25, 5 * 28);  // five standard deviations
    }
    EXPECT_NEAR(flips, kDraws / 2, 5 * 71);
}

TEST(Augmentation, OffMeansNoChange) {
    for (std::int64_t example = 0; example < 50; ++example)
        EXPECT_EQ(drawAugmentation({}, 3, 1, example), AugmentationDraw{});
}

class PrepareImage : public ::testing::Test {
  protected:
    PrepareImage() { std::iota(raw.begin(), raw.end(), 1.0F); }
    std::vector<float> prepare(const AugmentationDraw& draw, bool normalized = true) {
        std::vector<float> out(raw.size(), -9.0F);
        prepareImage(raw.data(), shape, normalization, normalized, draw, out.data());
        return out;
    }
    ImageShape shape{.channels = 1, .height = 2, .width = 3};
    Normalization normalization;
    std::vector<float> raw = std::vector<float>(6);
};

TEST_F(PrepareImage, CropsAfterZeroPaddingAndFlips) {
    EXPECT_EQ(prepare({}), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(prepare({.shiftX = 1}), (std::vector<float>{2, 3, 0, 5, 6, 0}));
    EXPECT_EQ(prepare({.shiftX = -2}), (std::vector<float>{0, 0, 1, 0, 0, 4}));
    EXPECT_EQ(prepare({.shiftY = 1}), (std::vector<float>{4, 5, 6, 0, 0, 0}));
    EXPECT_EQ(prepare({.flip = true}), (std::vector<float>{3, 2, 1, 6, 5, 4}));
    EXPECT_EQ(prepare({.shiftX = 1, .shiftY = -1, .flip = true}),
              (std::vector<float>{0, 0, 0, 0, 3, 2}));
    EXPECT_EQ(prepare({.shiftX = 7}), std::vector<float>(6, 0.0F));
    EXPECT_EQ(prepare({.shiftX = -7}), std::vector<float>(6, 0.0F));
}

TEST_F(PrepareImage, NormalizesEachChannelAndThePadding) {
    shape = {.channels = 2, .height = 1, .width = 3};
    raw = {0, 51, 255, 0, 51, 255};
    normalization = {.mean = {0.5F, 0.2F}, .std = {0.5F, 0.4F}};
    const std::vector<float> expected{-1.0F, -0.6F, 1.0F, -0.5F, 0.0F, 2.0F};
    const std::vector<float> out = prepare({}, false);
    for (std::size_t i = 0; i < out.size(); ++i) EXPECT_NEAR(out[i], expected[i], 1e-6F) << i;
    const std::vector<float> shifted = prepare({.shiftX = 2}, false);
    EXPECT_NEAR(shifted[0], 1.0F, 1e-6F);
    EXPECT_NEAR(shifted[1], -1.0F, 1e-6F);
    EXPECT_NEAR(shifted[5], -0.5F, 1e-6F);
}

}  // namespace
}  // namespace core
