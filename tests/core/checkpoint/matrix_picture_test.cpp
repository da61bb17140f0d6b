// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/matrix_picture.h"

#include "core/base/random.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>

#include <cmath>

namespace core::test {
namespace {

const std::atomic<bool> kGoOn{false};

std::vector<float> normals(std::size_t count) {
    std::vector<float> values(count);
    CounterRandom(3).normals(0, values);
    return values;
}

class MatrixPictureTest : public testing::Test {
  protected:
    void write(const Shape& shape, std::vector<float> values) {
        all = std::move(values);
        writeCheckpoint(folder / "x.safetensors", {{"t", shape, all}});
        checkpoint = Checkpoint::open(folder / "x.safetensors");
    }
    MatrixPicture draw(const PictureRequest& request) const {
        return *drawMatrix(*checkpoint, checkpoint->tensors()[0], request, kGoOn);
    }
    /// Written apart from the engine: for each pixel all elements, one by one.
    void expectPicture(const MatrixPicture& picture, const PictureRequest& request) const {
        ASSERT_EQ(picture.values.size(), static_cast<std::size_t>(request.width) *
                                             static_cast<std::size_t>(request.height));
        const MatrixWindow& w = request.window;
        for (int y = 0; y < request.height; ++y)
            for (int x = 0; x < request.width; ++x) {
                double sum = 0;
                double farthest = 0;
                int count = 0;
                for (std::int64_t r = w.rows * y / request.height;
                     r < w.rows * (y + 1) / request.height; ++r)
                    for (std::int64_t c = w.columns * x / request.width;
                         c < w.columns * (x + 1) / request.width; ++c) {
                        const auto value = static_cast<double>(all[static_cast<std::size_t>(
                            request.slice.offset + (w.row + r) * request.slice.columns + w.column +
                            c)]);
                        sum += value;
                        ++count;
                        if (std::abs(value) > std::abs(farthest)) farthest = value;
                    }
                const double expected =
                    request.reduction == Reduction::Mean ? sum / count : farthest;
                ASSERT_NEAR(static_cast<double>(
                                picture.values[static_cast<std::size_t>(y * request.width + x)]),
                            expected, 1e-6)
                    << x << ' ' << y;
            }
    }
    TemporaryFolder folder;
    std::vector<float> all;
    std::shared_ptr<const Checkpoint> checkpoint;
};

TEST_F(MatrixPictureTest, EveryWindowInBothReductions) {
    write({3, 70, 1100}, normals(3UL * 70 * 1100));
    const std::int64_t leading[] = {2};
    const MatrixSlice slice = sliceOf(checkpoint->tensors()[0].shape, leading);
    EXPECT_EQ(slice, (MatrixSlice{2LL * 70 * 1100, 70, 1100}));
    for (const MatrixWindow& window :
         {MatrixWindow{0, 0, 70, 1100}, {3, 5, 60, 900}, {10, 1000, 50, 33}, {69, 1099, 1, 1}})
        for (const auto& [width, height] : {std::pair{1, 1}, {7, 5}, {33, 50}, {900, 60}})
            for (const Reduction reduction : {Reduction::Mean, Reduction::LargestMagnitude}) {
                PictureRequest request{slice, window, 0, 0, reduction, false};
                request.width = static_cast<int>(std::min<std::int64_t>(width, window.columns));
                request.height = static_cast<int>(std::min<std::int64_t>(height, window.rows));
                expectPicture(draw(request), request);
            }
}

TEST_F(MatrixPictureTest, ALongRowIsReadInPieces) {
    write({1'300'000}, normals(1'300'000));
    const MatrixSlice slice = sliceOf(checkpoint->tensors()[0].shape, {});
    EXPECT_EQ(slice, (MatrixSlice{0, 1, 1'300'000}));
    const PictureRequest request{slice, {0, 0, 1, 1'300'000}, 701, 1, Reduction::Mean, false};
    expectPicture(draw(request), request);
}

TEST_F(MatrixPictureTest, AScalarIsOnePixel) {
    write({}, {4});
    const MatrixSlice slice = sliceOf({}, {});
    EXPECT_EQ(draw({slice, {0, 0, 1, 1}, 1, 1, Reduction::Mean, false}).values[0], 4.0F);
}

TEST_F(MatrixPictureTest, FiguresOfAllElements) {
    write({100, 100}, normals(10'000));
    const MatrixSlice slice{0, 100, 100};
    const MatrixPicture picture = draw({slice, {0, 0, 100, 100}, 9, 9, Reduction::Mean, false});
    double squares = 0;
    double largest = 0;
    for (const float value : all) {
        squares += std::pow(static_cast<double>(value), 2);
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    }
    EXPECT_NEAR(picture.rms, std::sqrt(squares / 1e4), 1e-9);
    EXPECT_EQ(picture.largest, largest);
}

TEST_F(MatrixPictureTest, NonFiniteElementsAreMarkedAndLeftOut) {
    std::vector<float> values(16, 2.0F);
    values[0] = std::nanf("");
    values[1] = INFINITY;  // with the NaN in one pixel
    values[7] = std::nanf("");
    for (const int i : {10, 11, 14, 15}) values[static_cast<std::size_t>(i)] = -INFINITY;
    write({4, 4}, values);
    const MatrixPicture picture = draw({{0, 4, 4}, {0, 0, 4, 4}, 2, 2, Reduction::Mean, false});
    EXPECT_EQ(picture.marks,
              (std::vector<std::uint8_t>{MatrixPicture::HasInfinite, MatrixPicture::HasNan,
                                         MatrixPicture::Ordinary, MatrixPicture::HasInfinite}));
    EXPECT_EQ(picture.values[0], 2.0F);
    EXPECT_EQ(picture.values[2], 2.0F);
    EXPECT_TRUE(std::isnan(picture.values[3]));
    EXPECT_TRUE(picture.anyNonFinite);
}

TEST_F(MatrixPictureTest, ASampleIsOfOneRowEach) {
    std::vector<float> values(60);
    for (std::size_t i = 0; i < 60; ++i) values[i] = static_cast<float>(i / 10);  // the row
    write({6, 10}, values);
    const MatrixPicture picture = draw({{0, 6, 10}, {0, 0, 6, 10}, 5, 2, Reduction::Mean, true});
    EXPECT_EQ(picture.values[0], 1.0F);
    EXPECT_EQ(picture.values[5], 4.0F);
}

TEST_F(MatrixPictureTest, CancelGivesNothing) {
    write({4, 4}, std::vector<float>(16));
    const std::atomic<bool> cancel{true};
    EXPECT_FALSE(drawMatrix(*checkpoint, checkpoint->tensors()[0],
                            {{0, 4, 4}, {0, 0, 4, 4}, 2, 2, Reduction::Mean, false}, cancel));
}

}  // namespace
}  // namespace core::test
