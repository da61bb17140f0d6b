// SPDX-License-Identifier: Apache-2.0
#include "core/data/resize.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

namespace core {
namespace {

std::vector<float> fit(const std::vector<std::uint8_t>& pixels, std::int64_t width,
                       std::int64_t height, int channels, const ImageShape& shape) {
    std::vector<float> out(static_cast<std::size_t>(shape.channels * shape.height * shape.width),
                           -1.0F);
    fitImage({pixels.data(), width, height, channels}, shape, out.data());
    return out;
}

TEST(Resize, SameSizeIsACopy) {
    const std::vector<std::uint8_t> pixels{1, 2, 3, 250, 5, 6};
    EXPECT_EQ(fit(pixels, 3, 2, 1, {.channels = 1, .height = 2, .width = 3}),
              (std::vector<float>{1, 2, 3, 250, 5, 6}));
}

TEST(Resize, InterleavedColoursBecomePlanes) {
    const std::vector<std::uint8_t> pixels{1, 2, 3, 4, 5, 6};
    EXPECT_EQ(fit(pixels, 2, 1, 3, {.channels = 3, .height = 1, .width = 2}),
              (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

TEST(Resize, ConvertsChannels) {
    const ImageShape grey{.channels = 1, .height = 1, .width = 1};
    EXPECT_EQ(fit({100, 200, 50}, 1, 1, 3, grey), (std::vector<float>{153}));  // ITU-R 601
    EXPECT_EQ(fit({77}, 1, 1, 1, {.channels = 3, .height = 1, .width = 1}),
              (std::vector<float>{77, 77, 77}));
}

TEST(Resize, HalvingUsesTheWideTriangle) {
    // Taps of a half-size axis around an output pixel: 1/8, 3/8, 3/8, 1/8 (cut off at the border).
    const std::vector<std::uint8_t> row{0, 80, 160, 240, 0, 0, 0, 80};
    const std::vector<float> out = fit(row, 8, 1, 1, {.channels = 1, .height = 1, .width = 4});
    // Height 1 cannot shrink with the width: the middle 4 pixels are what a 4x1 picture shows.
    EXPECT_EQ(out, (std::vector<float>{160, 240, 0, 0}));
    std::vector<std::uint8_t> square;
    for (int y = 0; y < 8; ++y) square.insert(square.end(), row.begin(), row.end());
    const std::vector<float> half = fit(square, 8, 8, 1, {.channels = 1, .height = 4, .width = 4});
    EXPECT_EQ(half[0], 57);   // (3*0 + 3*80 + 1*160) / 7 = 57.1
    EXPECT_EQ(half[1], 160);  // (80 + 3*160 + 3*240 + 0) / 8
    EXPECT_EQ(half[2], 30);   // (240 + 0 + 0 + 0) / 8
    EXPECT_EQ(half[3], 34);   // (1*0 + 3*0 + 3*80) / 7 = 34.3
}

TEST(Resize, EnlargingInterpolates) {
    const std::vector<std::uint8_t> square{0, 100, 0, 100};
    const std::vector<float> out = fit(square, 2, 2, 1, {.channels = 1, .height = 4, .width = 4});
    EXPECT_EQ((std::vector<float>(out.begin(), out.begin() + 4)),
              (std::vector<float>{0, 25, 75, 100}));
}

TEST(Resize, CropsTheLongSideInTheMiddle) {
    std::vector<std::uint8_t> wide;  // 3 rows of 0 10 20 ... 80
    for (int y = 0; y < 3; ++y)
        for (int x = 0; x < 9; ++x) wide.push_back(static_cast<std::uint8_t>(10 * x));
    EXPECT_EQ(fit(wide, 9, 3, 1, {.channels = 1, .height = 3, .width = 3}),
              (std::vector<float>{30, 40, 50, 30, 40, 50, 30, 40, 50}));
}

TEST(Resize, ConstantImagesStayConstantAtOddSizes) {
    for (const std::int64_t width : {1, 2, 5, 17, 301})
        for (const std::int64_t height : {1, 3, 224}) {
            const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width * height), 93);
            const ImageShape shape{.channels = 1, .height = 7, .width = 11};
            EXPECT_EQ(fit(pixels, width, height, 1, shape), std::vector<float>(77, 93.0F));
        }
}

}  // namespace
}  // namespace core
