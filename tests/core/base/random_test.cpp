// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

namespace {

using core::CounterRandom;
using Words = std::array<std::uint32_t, 4>;

TEST(Philox, KnownAnswers) {
    // The test vectors published with Random123.
    EXPECT_EQ(core::philox(0, 0, 0), (Words{0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8}));
    EXPECT_EQ(core::philox(~0ULL, ~0ULL, ~0ULL),
              (Words{0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD}));
    EXPECT_EQ(core::philox(0x299F31D0A4093822ULL, 0x85A308D3243F6A88ULL, 0x0370734413198A2EULL),
              (Words{0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1}));
}

TEST(HashName, DependsOnNameAndSeed) {
    EXPECT_EQ(core::hashName(1, "a"), core::hashName(1, "a"));
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 100; ++seed)
        for (const char* name : {"", "a", "b", "ab", "ba", "encoder.0", "encoder.1"})
            EXPECT_TRUE(seen.insert(core::hashName(seed, name)).second) << seed << " " << name;
}

TEST(CounterRandom, ValueDependsOnKeyStreamAndIndexAlone) {
    const CounterRandom random(7, 3);
    std::vector<float> forward;
    for (std::uint64_t i = 0; i < 20; ++i) forward.push_back(random.normal(i));
    for (std::uint64_t i = 20; i-- > 0;) EXPECT_EQ(CounterRandom(7, 3).normal(i), forward[i]);
    EXPECT_NE(CounterRandom(8, 3).word(0), random.word(0));
    EXPECT_NE(CounterRandom(7, 4).word(0), random.word(0));
}

TEST(CounterRandom, UniformFillsTheUnitInterval) {
    const CounterRandom random(1);
    double sum = 0.0;
    float least = 1.0F;
    float most = 0.0F;
    constexpr int kCount = 100000;
    for (std::uint64_t i = 0; i < kCount; ++i) {
        const float u = random.uniform(i);
        least = std::min(least, u);
        most = std::max(most, u);
        sum += static_cast<double>(u);
    }
    EXPECT_GE(least, 0.0F);
    EXPECT_LT(most, 1.0F);
    EXPECT_LT(least, 1e-3F);
    EXPECT_GT(most, 0.999F);
    EXPECT_NEAR(sum / kCount, 0.5, 0.005);
}

TEST(CounterRandom, NormalHasTheMomentsOfANormal) {
    const CounterRandom random(2);
    constexpr int kCount = 200000;
    double sum = 0.0;
    double squares = 0.0;
    double fourth = 0.0;
    for (std::uint64_t i = 0; i < kCount; ++i) {
        const auto z = static_cast<double>(random.normal(i));
        ASSERT_TRUE(std::isfinite(z));
        sum += z;
        squares += z * z;
        fourth += z * z * z * z;
    }
    EXPECT_NEAR(sum / kCount, 0.0, 0.01);
    EXPECT_NEAR(squares / kCount, 1.0, 0.02);
    EXPECT_NEAR(fourth / kCount, 3.0, 0.15);
}

TEST(CounterRandom, NormalsAreTheSameNumbers) {
    const CounterRandom random(5, 9);
    for (const std::uint64_t begin : {0U, 1U, 6U, 7U})
        for (const std::size_t count : {0U, 1U, 2U, 9U, 100U}) {
            std::vector<float> many(count);
            random.normals(begin, many);
            for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(many[i], random.normal(begin + i));
        }
}

TEST(CounterRandom, BelowIsEvenAndBounded) {
    const CounterRandom random(3);
    std::array<int, 7> counts{};
    for (std::uint64_t i = 0; i < 70000; ++i) {
        const std::uint64_t value = random.below(i, 7);
        ASSERT_LT(value, 7U);
        ++counts[value];
    }
    for (const int count : counts) EXPECT_NEAR(count, 10000, 500);
    EXPECT_EQ(random.below(5, 1), 0U);
    EXPECT_LT(random.below(5, ~0ULL), ~0ULL);
}

TEST(CounterRandom, KindsOfNumbersDoNotShareWords) {
    const CounterRandom random(4);
    // A normal and a uniform of the same index come from different counters.
    int equal = 0;
    for (std::uint64_t i = 0; i < 1000; ++i)
        equal += random.below(i, 1ULL << 32U) == random.word(i) ? 1 : 0;
    EXPECT_LT(equal, 3);
}

}  // namespace
