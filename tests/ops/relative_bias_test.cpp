// SPDX-License-Identifier: Apache-2.0
#include "core/ops/relative_bias.h"

#include "tests/ops/parity.h"

namespace {

using core::RelativeBuckets;
using core::Tensor;
using parity::Values;

class RelativeBiasOps : public parity::OpsTest {};

/// Printed by transformers 4.57.6: T5Attention._relative_position_bucket of the distances
/// -200, -129, -128, -127, -64, -33, -20, -17, -16, -9, -8, -5, -1, 0, 1, 5, 8, 9, 16, 20, 33, 64,
/// 127, 128, 200.
constexpr std::int64_t kDistances[] = {-200, -129, -128, -127, -64, -33, -20, -17, -16,
                                       -9,   -8,   -5,   -1,   0,   1,   5,   8,   9,
                                       16,   20,   33,   64,   127, 128, 200};

std::vector<std::int64_t> bucketsOf(const RelativeBuckets& buckets) {
    std::vector<std::int64_t> result;
    for (const std::int64_t distance : kDistances)
        result.push_back(core::ops::relativeBucket(buckets, distance));
    return result;
}

TEST(RelativeBucket, IsThatOfTransformers) {
    EXPECT_EQ(bucketsOf({true, 32, 128, 0}),
              (std::vector<std::int64_t>{15, 15, 15, 15, 14, 12, 10, 10, 10, 8,  8,  5, 1,
                                         0,  17, 21, 24, 24, 26, 26, 28, 30, 31, 31, 31}));
    EXPECT_EQ(bucketsOf({false, 32, 128, 0}),
              (std::vector<std::int64_t>{31, 31, 31, 31, 26, 21, 17, 16, 16, 9, 8, 5, 1,
                                         0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0, 0}));
    EXPECT_EQ(bucketsOf({true, 8, 20, 0}),
              (std::vector<std::int64_t>{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 1,
                                         0, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7}));
    EXPECT_EQ(bucketsOf({false, 10, 33, 0}),
              (std::vector<std::int64_t>{9, 9, 9, 9, 9, 9, 8, 8, 8, 6, 6, 5, 1,
                                         0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(bucketsOf({true, 6, 40, 0}),
              (std::vector<std::int64_t>{2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,
                                         0, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5}));
}

Values biasOf(const Values& table, std::int64_t heads, std::int64_t queries, std::int64_t keys,
              const RelativeBuckets& buckets) {
    Values bias;
    for (std::int64_t h = 0; h < heads; ++h)
        for (std::int64_t i = 0; i < queries; ++i)
            for (std::int64_t j = 0; j < keys; ++j)
                bias.push_back(table[static_cast<std::size_t>(
                    core::ops::relativeBucket(buckets, j - i - buckets.queryOffset) * heads + h)]);
    return bias;
}

struct Case {
    std::int64_t heads, queries, keys;
    RelativeBuckets buckets;
};

const std::vector<Case> kCases{{1, 1, 1, {true, 32, 128, 0}},
                               {3, 5, 9, {true, 8, 20, 0}},
                               {2, 33, 150, {true, 32, 128, 0}},
                               {2, 40, 40, {false, 32, 128, 0}},
                               {4, 1, 30, {false, 10, 33, 29}}};

TEST_P(RelativeBiasOps, ForwardAndItsSumBack) {
    for (const Case& c : kCases) {
        const std::int64_t buckets = c.buckets.buckets;
        const Values table = parity::randomValues(buckets * c.heads, 1);
        const Tensor bias = f32Output({c.heads, c.queries, c.keys});
        core::ops::relativeBiasForward(backend(), bias, f32({buckets, c.heads}, table), c.buckets);
        expectClose(bias, biasOf(table, c.heads, c.queries, c.keys, c.buckets), "bias");
        const Values dBias = parity::randomValues(c.heads * c.queries * c.keys, 2);
        const Values before = parity::randomValues(buckets * c.heads, 3);
        const Tensor dTable = f32({buckets, c.heads}, before);
        core::ops::relativeBiasBackward(backend(), dTable, f32({c.heads, c.queries, c.keys}, dBias),
                                        c.buckets);
        const Values slope = parity::numericGradient(
            [&](const Values& t) {
                return parity::dot(dBias, biasOf(t, c.heads, c.queries, c.keys, c.buckets));
            },
            table, 1.0 / 64);
        expectClose(dTable, parity::plus(before, slope), "dTable, accumulated");
    }
}

PARITY_SUITE(RelativeBiasOps);

}  // namespace
