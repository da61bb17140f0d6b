// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/arena.h"

#include "core/base/error.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace core {
namespace {

TEST(Arena, TensorsLieOneAfterTheOtherAtAlignedPlaces) {
    const std::vector<Shape> shapes{{3, 5}, {16}, {1}, {0}, {2, 2}};
    const std::vector<Tensor> together = allocateTogether(shapes, allocateHost);
    ASSERT_EQ(together.size(), shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i) {
        EXPECT_EQ(together[i].shape(), shapes[i]);
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(together[i].raw()) % kTensorAlignment, 0U);
        if (i > 0) {
            EXPECT_TRUE(together[i - 1].isFollowedBy(together[i]));
            EXPECT_FALSE(together[i].isFollowedBy(together[i - 1]));
        }
    }
    EXPECT_FALSE(together[0].isFollowedBy(together[2])) << "the second lies between";
    const Tensor all = together.front().through(together.back());
    EXPECT_EQ(all.elements(), 16 + 16 + 16 + 4);
    EXPECT_EQ(all.raw(), together.front().raw());
    EXPECT_THROW(static_cast<void>(together[2].through(together[1])), CheckFailure);
}

TEST(Arena, OnlyNeighboursOfOneTypeInOneBufferAreJoined) {
    const std::vector<Shape> shapes{{3}, {40}, {7}};
    const std::vector<Tensor> one = allocateTogether(shapes, allocateHost);
    const std::vector<Tensor> other = allocateTogether(shapes, allocateHost);
    const auto sizes = [](std::vector<Tensor> tensors) {
        std::int64_t total = 0;
        const std::vector<Tensor> runs = joined(std::move(tensors));
        for (const Tensor& run : runs) total += run.elements();
        return std::pair(runs.size(), total);
    };
    EXPECT_EQ(sizes({one[2], one[0], one[1]}),
              std::pair(std::size_t{1}, std::int64_t{16 + 48 + 7}));
    EXPECT_EQ(sizes({one[0], one[2]}), std::pair(std::size_t{2}, std::int64_t{10}));
    EXPECT_EQ(sizes({one[0], Tensor(), other[1]}), std::pair(std::size_t{2}, std::int64_t{43}));
    EXPECT_EQ(sizes({}), std::pair(std::size_t{0}, std::int64_t{0}));
    const Tensor ints(Tensor::host({64}, DType::I32));
    EXPECT_FALSE(one[0].isFollowedBy(ints));
    EXPECT_FALSE(Tensor().isFollowedBy(one[0]));
}

}  // namespace
}  // namespace core
