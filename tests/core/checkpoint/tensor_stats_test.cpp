// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/tensor_stats.h"

#include "core/base/parallel.h"
#include "core/base/random.h"
#include "core/tensor/convert.h"
#include "tests/core/checkpoint/stats_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace core::test {
namespace {

template <typename T>
TensorStats statsOf(DType dtype, const std::vector<T>& values) {
    const TemporaryFolder folder;
    return statsOfFirst(*writeTensor(folder / "x.safetensors", dtype, values));
}
TensorStats statsOf(const std::vector<float>& values) { return statsOf(DType::F32, values); }

/// Every figure of `stats` beside the plain computation over the same numbers.
void expectLike(const TensorStats& stats, const std::vector<double>& values) {
    const Reference reference(values);
    const auto scale =
        static_cast<double>(std::max(std::abs(reference.min), std::abs(reference.max)));
    EXPECT_EQ(stats.count, values.size());
    EXPECT_EQ(stats.nan, reference.nan);
    EXPECT_EQ(stats.infinite, reference.infinite);
    EXPECT_EQ(stats.zeros, reference.zeros);
    EXPECT_EQ(stats.min, static_cast<double>(reference.min));
    EXPECT_EQ(stats.max, static_cast<double>(reference.max));
    EXPECT_NEAR(stats.mean, static_cast<double>(reference.mean), 1e-12 * scale);
    EXPECT_NEAR(stats.std, static_cast<double>(reference.std), 1e-12 * scale);
    std::uint64_t moved = 0;  // a value on the edge of two bins may fall to either side
    for (std::size_t i = 0; i < 64; ++i)
        moved += std::max(stats.histogram[i], reference.bins[i]) -
                 std::min(stats.histogram[i], reference.bins[i]);
    EXPECT_LE(moved, values.size() / 1000);
    EXPECT_EQ(std::accumulate(stats.histogram.begin(), stats.histogram.end(), std::uint64_t{0}),
              stats.finite());
}

std::vector<float> normals(std::size_t count, float mean, float deviation) {
    std::vector<float> values(count);
    CounterRandom(7).normals(0, values);
    for (float& value : values) value = mean + deviation * value;
    return values;
}

TEST(TensorStats, AgreeWithADirectComputation) {
    for (const std::size_t count : {1U, 3U, 4095U, 65537U, 700'001U}) {
        const std::vector<float> values = normals(count, 1000, 3);
        expectLike(statsOf(values), {values.begin(), values.end()});
    }
}

TEST(TensorStats, SixteenAndEightBitTypesInBothWays) {
    for (const std::size_t count : {999U, 600'000U})  // summed, counted
        for (const DType dtype : {DType::F16, DType::BF16}) {
            std::vector<float> values = normals(count, 0.1F, 0.5F);
            values[1] = 0;
            values[2] = std::nanf("");
            values[3] = -std::numeric_limits<float>::infinity();
            std::vector<std::uint16_t> stored(count);
            fromFloats(reinterpret_cast<std::byte*>(stored.data()), dtype, values);
            std::vector<double> exact;
            for (const std::uint16_t bits : stored)
                exact.push_back(static_cast<double>(dtype == DType::F16 ? f16ToFloat(bits)
                                                                        : bf16ToFloat(bits)));
            expectLike(statsOf(dtype, stored), exact);
        }
    for (const DType dtype : {DType::F8E4M3, DType::F8E5M2}) {
        std::vector<std::uint8_t> stored(200'000);
        for (std::size_t i = 0; i < stored.size(); ++i)
            stored[i] = static_cast<std::uint8_t>(i * 7);
        std::vector<double> exact;
        for (const std::uint8_t bits : stored)
            exact.push_back(static_cast<double>(dtype == DType::F8E4M3 ? f8e4m3ToFloat(bits)
                                                                       : f8e5m2ToFloat(bits)));
        const TensorStats stats = statsOf(dtype, stored);
        expectLike(stats, exact);
        EXPECT_GT(stats.nan, 0U);
        EXPECT_EQ(stats.infinite > 0, dtype == DType::F8E5M2);
    }
}

template <typename T>
void expectIntegers(DType dtype, T least, T most) {
    std::vector<T> stored{least, most, 0, 1, 0};
    for (int i = 0; i < 3000; ++i) stored.push_back(static_cast<T>(i % 100));
    std::vector<double> exact;
    for (const T value : stored) exact.push_back(static_cast<double>(value));
    expectLike(statsOf(dtype, stored), exact);
}

TEST(TensorStats, IntegersAndDoublesAreNotRoundedToFloats) {
    expectIntegers<std::int64_t>(DType::I64, -(std::int64_t{1} << 52), (std::int64_t{1} << 53) - 1);
    expectIntegers<std::int32_t>(DType::I32, -2147483647, 2147483647);
    expectIntegers<std::uint32_t>(DType::U32, 0, 4294967295U);
    expectIntegers<std::int16_t>(DType::I16, -32768, 32767);
    expectIntegers<std::uint16_t>(DType::U16, 0, 65535);
    expectIntegers<std::int8_t>(DType::I8, -128, 127);
    expectIntegers<std::uint8_t>(DType::U8, 0, 255);
    expectIntegers<std::uint8_t>(DType::Bool, 0, 1);
    const double infinity = std::numeric_limits<double>::infinity();
    const std::vector<double> doubles{1e-300, 0.1, 16777217.5, -3, 0, infinity, std::nan("")};
    expectLike(statsOf(DType::F64, doubles), doubles);
}

TEST(TensorStats, LargestDoublesDoNotOverflow) {
    const double most = std::numeric_limits<double>::max();
    const TensorStats stats = statsOf(DType::F64, std::vector<double>{-most, most, most, -most});
    EXPECT_EQ(stats.mean, 0);
    EXPECT_EQ(stats.std, most);
    EXPECT_EQ(stats.histogram.front(), 2U);
    EXPECT_EQ(stats.histogram.back(), 2U);
}

TEST(TensorStats, IntegersThatADoubleRoundsAreSaid) {
    const std::int64_t limit = std::int64_t{1} << 53;
    EXPECT_FALSE(statsOf(DType::I64, std::vector<std::int64_t>{limit, -limit}).rounded);
    EXPECT_TRUE(statsOf(DType::I64, std::vector<std::int64_t>{limit + 1}).rounded);
    EXPECT_TRUE(statsOf(DType::I64, std::vector<std::int64_t>{-limit - 1}).rounded);
    EXPECT_TRUE(statsOf(DType::U64, std::vector<std::uint64_t>{~std::uint64_t{0}}).rounded);
}

TEST(TensorStats, ALargeTensorIsLikeItsParts) {
    std::vector<float> values = normals((std::size_t{17} << 20U) + 5, -2, 3);  // over 64 MiB
    values[70'000] = std::nanf("");
    values.back() = 0;
    expectLike(statsOf(values), {values.begin(), values.end()});
}

TEST(TensorStats, DoNotDependOnTheThreads) {
    const std::vector<float> values = normals(3'000'000, 5, 1);
    setThreads(1);
    const TensorStats one = statsOf(values);
    setThreads(3);
    EXPECT_EQ(statsOf(values), one);
    setThreads(0);
}

TEST(TensorStats, HistogramBinsAreEqual) {
    std::vector<float> values(640);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i % 65);
    const TensorStats stats = statsOf(values);
    EXPECT_EQ(stats.histogram.front(), 10U);
    EXPECT_EQ(stats.histogram[32], 10U);
    EXPECT_EQ(stats.histogram.back(), 18U);  // 63 and the maximum 64
}

TEST(TensorStats, NonFiniteValuesAreCountedApart) {
    const float infinity = std::numeric_limits<float>::infinity();
    const TensorStats stats = statsOf({infinity, std::nanf(""), 0, -0.0F, 1, 3, -infinity});
    EXPECT_EQ(stats.count, 7U);
    EXPECT_EQ(stats.nan, 1U);
    EXPECT_EQ(stats.infinite, 2U);
    EXPECT_EQ(stats.nonFinite(), 3U);
    EXPECT_EQ(stats.zeros, 2U);
    EXPECT_EQ(stats.min, 0);
    EXPECT_EQ(stats.max, 3);
    EXPECT_EQ(stats.mean, 1);
    EXPECT_DOUBLE_EQ(stats.std, std::sqrt(1.5));
}

TEST(TensorStats, NothingFiniteAndNothingAtAll) {
    const TensorStats nan = statsOf({std::nanf(""), std::nanf("")});
    EXPECT_EQ(nan.nonFinite(), 2U);
    EXPECT_EQ(nan.mean, 0);
    const TensorStats none = statsOf({});
    EXPECT_EQ(none.count, 0U);
    const TensorStats constant = statsOf({2, 2, 2});
    EXPECT_EQ(constant.std, 0);
    EXPECT_EQ(constant.histogram[0], 3U);
}

TEST(TensorStats, TheDigestTellsBytesApart) {
    std::vector<float> values = normals(3'000'000, 0, 1);
    const ByteDigest before = statsOf(values).digest;
    EXPECT_EQ(statsOf(values).digest, before);
    std::swap(values[0], values[2'500'000]);  // the same sums
    EXPECT_NE(statsOf(values).digest, before);
    EXPECT_NE(statsOf({0, 0}).digest, statsOf({0, 0, 0}).digest);
    EXPECT_NE(statsOf({0.0F}).digest, statsOf({-0.0F}).digest);
}

TEST(TensorStats, CancelReturnsEarlyAndProgressEndsAtTheSize) {
    const TemporaryFolder folder;
    const auto checkpoint = writeTensor(folder / "x.safetensors", DType::F32,
                                        std::vector<float>(std::size_t{9} << 20U, 1.0F));
    std::atomic<bool> cancel{true};
    const TensorInfo& tensor = checkpoint->tensors()[0];
    EXPECT_EQ(computeStats(*checkpoint, tensor, cancel).count, 0U);
    cancel = false;
    std::vector<std::uint64_t> seen;
    computeStats(*checkpoint, tensor, cancel, [&](std::uint64_t bytes) { seen.push_back(bytes); });
    EXPECT_GT(seen.size(), 1U);
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    EXPECT_EQ(seen.back(), tensor.bytes);
    const TensorStats some =
        computeStats(*checkpoint, tensor, cancel, [&](std::uint64_t) { cancel = true; });
    EXPECT_LT(some.count, std::uint64_t{9} << 20U);
}

}  // namespace
}  // namespace core::test
