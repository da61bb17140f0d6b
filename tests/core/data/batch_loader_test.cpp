// SPDX-License-Identifier: Apache-2.0
#include "core/data/batch_loader.h"

#include "tests/core/data/data_helpers.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <set>
#include <vector>

namespace core::test {
namespace {

const ImageShape kShape{.channels = 1, .height = 4, .width = 4};

LoaderOptions options(std::int64_t batch) {
    LoaderOptions result;
    result.batch = batch;
    result.shape = kShape;
    result.normalization = {.mean = {0.0F}, .std = {1.0F / 255.0F}};  // pixels stay what they are
    result.seed = 11;
    return result;
}

/// Everything in a batch, comparable bit by bit.
std::vector<float> contents(const HostBatch& batch) {
    std::vector<float> all(batch.pixels.span<float>().begin(), batch.pixels.span<float>().end());
    for (const std::int64_t label : batch.labels.span<std::int64_t>())
        all.push_back(static_cast<float>(label));
    return all;
}

/// The image number of each example of a batch of CountingImages.
std::vector<int> numbers(const HostBatch& batch) {
    std::vector<int> result;
    const std::int64_t floats = batch.pixels.elements() / batch.labels.elements();
    for (std::int64_t i = 0; i < batch.labels.elements(); ++i)
        result.push_back(static_cast<int>(batch.pixels.data<float>()[i * floats] + 0.5F));
    return result;
}

TEST(BatchLoader, AnEpochIsAPermutation) {
    const auto dataset = std::make_shared<CountingImages>(60);
    BatchLoader loader(dataset, options(12), {});
    std::vector<std::vector<int>> epochs(2);
    for (std::vector<int>& epoch : epochs)
        for (int i = 0; i < 5; ++i) {
            const auto batch = numbers(*loader.next());
            epoch.insert(epoch.end(), batch.begin(), batch.end());
        }
    for (const std::vector<int>& epoch : epochs)
        EXPECT_EQ(std::set<int>(epoch.begin(), epoch.end()).size(), 60U);
    EXPECT_NE(epochs[0], epochs[1]);
    EXPECT_FALSE(std::is_sorted(epochs[0].begin(), epochs[0].end()));
}

TEST(BatchLoader, LabelsBelongToTheirImages) {
    BatchLoader loader(std::make_shared<CountingImages>(40), options(8), {});
    for (int i = 0; i < 10; ++i) {
        const HostBatch batch = *loader.next();
        const std::vector<int> images = numbers(batch);
        for (std::size_t k = 0; k < images.size(); ++k)
            EXPECT_EQ(batch.labels.data<std::int64_t>()[k], images[k] % 7);
    }
}

TEST(BatchLoader, TheStreamIsTheSameForAnyNumberOfThreads) {
    LoaderOptions augmented = options(5);
    augmented.augmentation = {.cropPadding = 2, .flip = true};
    const auto dataset = std::make_shared<CountingImages>(33);
    std::vector<std::vector<float>> streams;
    for (const int workers : {1, 1, 3}) {
        augmented.workers = workers;
        BatchLoader loader(dataset, augmented, {});
        std::vector<float>& stream = streams.emplace_back();
        for (int i = 0; i < 30; ++i) {
            const std::vector<float> batch = contents(*loader.next());
            stream.insert(stream.end(), batch.begin(), batch.end());
        }
    }
    EXPECT_EQ(streams[0], streams[1]);
    EXPECT_EQ(streams[0], streams[2]);
    augmented.seed = 12;
    BatchLoader other(dataset, augmented, {});
    const std::vector<float> first = contents(*other.next());
    EXPECT_FALSE(std::equal(first.begin(), first.end(), streams[0].begin()));
}

TEST(BatchLoader, ResumingAtAPositionContinuesTheStream) {
    LoaderOptions augmented = options(5);
    augmented.augmentation = {.cropPadding = 2, .flip = true};
    const auto dataset = std::make_shared<CountingImages>(33);
    BatchLoader whole(dataset, augmented, {});
    for (int given = 0; given < 20; ++given) {
        BatchLoader resumed(dataset, augmented, whole.position());
        EXPECT_EQ(resumed.position(), whole.position());
        EXPECT_EQ(contents(*resumed.next()), contents(*whole.next())) << given;
        EXPECT_EQ(resumed.position(), whole.position());
    }
}

TEST(BatchLoader, PositionCountsWhatWasGiven) {
    BatchLoader loader(std::make_shared<CountingImages>(33), options(10), {});
    EXPECT_EQ(loader.position(), (DataPosition{0, 0}));
    loader.next();
    EXPECT_EQ(loader.position(), (DataPosition{0, 10}));
    loader.next();
    loader.next();
    EXPECT_EQ(loader.position(), (DataPosition{1, 0}));  // 3 images are no batch
    loader.next();
    EXPECT_EQ(loader.position(), (DataPosition{1, 10}));
}

TEST(BatchLoader, KeepsTheRestWhenAsked) {
    LoaderOptions keeping = options(10);
    keeping.dropLast = false;
    BatchLoader loader(std::make_shared<CountingImages>(33), keeping, {});
    for (int i = 0; i < 3; ++i) EXPECT_EQ(loader.next()->labels.elements(), 10);
    EXPECT_EQ(loader.next()->labels.elements(), 3);
    EXPECT_EQ(loader.position(), (DataPosition{1, 0}));
    EXPECT_EQ(loader.next()->labels.elements(), 10);
}

TEST(BatchLoader, WithoutShuffleOneEpochInOrder) {
    LoaderOptions ordered = options(10);
    ordered.shuffle = false;
    ordered.dropLast = false;
    for (const int workers : {1, 4}) {
        ordered.workers = workers;
        BatchLoader loader(std::make_shared<CountingImages>(33), ordered, {});
        std::vector<int> seen;
        while (const auto batch = loader.next()) {
            const auto images = numbers(*batch);
            seen.insert(seen.end(), images.begin(), images.end());
        }
        std::vector<int> expected(33);
        std::iota(expected.begin(), expected.end(), 0);
        EXPECT_EQ(seen, expected);
        EXPECT_FALSE(loader.next().has_value());
    }
}

TEST(BatchLoader, RefusesWhatGivesNoBatch) {
    const auto dataset = std::make_shared<CountingImages>(9);
    const auto refusal = [&](const LoaderOptions& bad, DataPosition start) {
        return errorOf(ErrorKind::BadInput, [&] { BatchLoader(dataset, bad, start); });
    };
    EXPECT_NE(refusal(options(10), {}).find("more than the 9 images"), std::string::npos);
    EXPECT_NE(refusal(options(3), {0, 10}).find("image 10"), std::string::npos);
    LoaderOptions channels = options(3);
    channels.normalization = {.mean = {0.5F, 0.5F, 0.5F}, .std = {0.5F}};
    EXPECT_NE(refusal(channels, {}).find("3 values"), std::string::npos);
    LoaderOptions flat = options(3);
    flat.normalization = {.mean = {0.5F}, .std = {0.0F}};
    refusal(flat, {});
}

class BrokenImages final : public CountingImages {
  public:
    using CountingImages::CountingImages;
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        if (index == 17) throw Error(ErrorKind::BadInput, "image 17 is broken", "remove it");
        return CountingImages::read(index, shape, into);
    }
};

TEST(BatchLoader, RethrowsTheThreadsError) {
    LoaderOptions ordered = options(5);
    ordered.shuffle = false;
    BatchLoader loader(std::make_shared<BrokenImages>(60), ordered, {});
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(loader.next().has_value());
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(errorOf(ErrorKind::BadInput, [&] { loader.next(); }), "image 17 is broken");
    EXPECT_EQ(loader.position(), (DataPosition{0, 15}));
}

class SlowImages final : public CountingImages {
  public:
    using CountingImages::CountingImages;
    std::int64_t read(std::int64_t index, const ImageShape& shape, float* into) const override {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        return CountingImages::read(index, shape, into);
    }
};

TEST(BatchLoader, EndsPromptlyAtAnyMoment) {
    const auto begin = std::chrono::steady_clock::now();
    for (const int given : {0, 1, 4})
        for (const int workers : {1, 4}) {
            LoaderOptions many = options(20000);  // 40 s a batch
            many.workers = workers;
            const BatchLoader unread(std::make_shared<SlowImages>(20000), many, {});
            LoaderOptions few = options(2);
            few.workers = workers;
            BatchLoader loader(std::make_shared<SlowImages>(100), few, {});
            for (int i = 0; i < given; ++i) loader.next();
        }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

}  // namespace
}  // namespace core::test
