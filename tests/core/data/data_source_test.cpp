// SPDX-License-Identifier: Apache-2.0
#include "core/data/data_source.h"

#include "core/data/batch_loader.h"
#include "core/data/subset.h"
#include "tests/core/data/data_helpers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>
#include <set>
#include <vector>

namespace core::test {
namespace {

const ImageShape kShape{.channels = 1, .height = 28, .width = 28};

std::string refusal(ErrorKind kind, const std::string& source, Split split = Split::Train) {
    return errorOf(kind, [&] { openImages(source, split, kShape, 0); });
}

TEST(DataSource, NamesOfSplits) {
    for (const Split split : {Split::Train, Split::Validation, Split::Test})
        EXPECT_EQ(splitFromName(splitName(split)), split);
    EXPECT_FALSE(splitFromName("dev").has_value());
}

TEST(DataSource, UnknownKindsAreRefusedWithTheKnownOnes) {
    for (const char* source : {"", "imagenet", "text:/tmp", "jsonl:a.jsonl", "fashion-mnist2"}) {
        try {
            openImages(source, Split::Train, kShape, 0);
            ADD_FAILURE() << source;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::Usage);
            for (const char* kind : {"fashion-mnist", "idx:DIR", "images:DIR", "synthetic:"})
                EXPECT_NE(error.hint().find(kind), std::string::npos) << error.hint();
        }
    }
}

TEST(DataSource, BadOptionsAreNamed) {
    const auto names = [](const std::string& source, const std::string& word) {
        const std::string message = refusal(ErrorKind::Usage, source);
        EXPECT_NE(message.find(word), std::string::npos) << message;
    };
    names("synthetic:tokens,vocab=32128,inputs=256,targets=64", "'tokens'");
    names("synthetic:classes=10", "images=HxWxC");
    names("synthetic:images=28x28,classes=10", "'28x28'");
    names("synthetic:images=28x28x0,classes=10", "'0'");
    names("synthetic:images=28x28x1,classes=ten", "'ten'");
    names("synthetic:images=28x28x1,classes=10,colour=1", "'colour'");
    names("synthetic:images=28x99999999999999999999x1", "99999999999999999999");
    names("idx:", "folder is missing");
    EXPECT_NE(refusal(ErrorKind::BadInput, "idx:/nowhere/at all").find("/nowhere/at all"),
              std::string::npos);
    refusal(ErrorKind::BadInput, "images:/nowhere");
    refusal(ErrorKind::BadInput, "fashion-mnist:/nowhere");
}

TEST(DataSource, MissingSplitsAreRefusedWithThoseThereAre) {
    const TemporaryFolder folder;
    writeIdxFolder(folder.path(), 6, 3, 4, 4);
    const std::string source = "idx:" + folder.path().string();
    EXPECT_EQ(splitsOf(source), (std::vector{Split::Train, Split::Test}));
    EXPECT_EQ(evaluationSplit(source), Split::Test);
    EXPECT_EQ(openImages(source, Split::Train, kShape, 0)->size(), 6);
    EXPECT_EQ(openImages(source, Split::Test, kShape, 0)->size(), 3);
    try {
        openImages(source, Split::Validation, kShape, 0);
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::BadInput);
        EXPECT_NE(error.hint().find("train, test"), std::string::npos);
    }
}

TEST(DataSource, FashionMnistOfThePackage) {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
        EXPECT_NE(refusal(ErrorKind::BadInput, "fashion-mnist").find("not installed"),
                  std::string::npos);
        return;
    }
    const auto test = openImages("fashion-mnist", Split::Test, kShape, 0);
    EXPECT_EQ(test->size(), 10000);
    EXPECT_EQ(test->classes(), 10);
    EXPECT_EQ(test->description(), "Fashion-MNIST test, 10000 images of 28x28, 10 classes");
    ASSERT_EQ(test->classNames().size(), 10U);
    EXPECT_EQ(test->classNames()[9], "Ankle boot");
    EXPECT_EQ(test->label(0), 9);
    std::vector<int> counts(10, 0);
    for (std::int64_t i = 0; i < test->size(); ++i)
        ++counts[static_cast<std::size_t>(test->label(i))];
    EXPECT_EQ(counts, std::vector<int>(10, 1000));
}

TEST(DataSource, SyntheticImagesAreNormalAndRepeatable) {
    const std::string source = "synthetic:images=28x28x1,classes=10";
    const auto images = openImages(source, Split::Train, kShape, 5);
    EXPECT_EQ(images->size(), 1024);
    EXPECT_EQ(images->classes(), 10);
    EXPECT_TRUE(images->isNormalized());
    std::vector<float> pixels(784);
    std::vector<int> counts(10, 0);
    double sum = 0;
    double squares = 0;
    for (std::int64_t i = 0; i < images->size(); ++i) {
        ++counts[static_cast<std::size_t>(images->read(i, kShape, pixels.data()))];
        for (const float value : pixels) {
            sum += static_cast<double>(value);
            squares += static_cast<double>(value) * static_cast<double>(value);
        }
    }
    const double n = 1024.0 * 784.0;
    EXPECT_NEAR(sum / n, 0.0, 5 / std::sqrt(n));
    EXPECT_NEAR(squares / n, 1.0, 5 * std::sqrt(2 / n));
    for (const int count : counts) EXPECT_NEAR(count, 102.4, 50);

    const auto read = [&](Split split, std::uint64_t seed) {
        openImages(source, split, kShape, seed)->read(3, kShape, pixels.data());
        return pixels;
    };
    EXPECT_EQ(read(Split::Train, 5), read(Split::Train, 5));
    EXPECT_NE(read(Split::Train, 5), read(Split::Train, 6));
    EXPECT_NE(read(Split::Train, 5), read(Split::Validation, 5));
    const ImageShape other{.channels = 3, .height = 28, .width = 28};
    errorOf(ErrorKind::BadInput, [&] { openImages(source, Split::Train, other, 0); });
}

TEST(DataSource, LargeSyntheticPicturesShareAPool) {
    const ImageShape shape{.channels = 3, .height = 1024, .width = 1024};
    const auto images =
        openImages("synthetic:images=1024x1024x3,classes=4", Split::Train, shape, 0);
    EXPECT_EQ(images->size(), 1024);
    std::vector<float> first(3 * 1024 * 1024);
    std::vector<float> third(first.size());
    images->read(0, shape, first.data());
    images->read(2, shape, third.data());
    EXPECT_EQ(first, third);  // two fit in 32 MiB
}

TEST(DataSource, NormalizedValuesPassTheLoaderUnchanged) {
    const auto images =
        openImages("synthetic:images=28x28x1,classes=10,examples=8", Split::Train, kShape, 1);
    LoaderOptions options;
    options.batch = 8;
    options.shuffle = false;
    BatchLoader loader(images, options, {});
    const HostBatch batch = *loader.next();
    std::vector<float> pixels(784);
    images->read(2, kShape, pixels.data());
    EXPECT_TRUE(std::equal(pixels.begin(), pixels.end(), batch.pixels.data<float>() + 2 * 784));
}

TEST(Subset, HeldOutAndRestPartitionTheWhole) {
    for (const std::int64_t count : {2, 19, 20, 1000}) {
        const auto held = heldOutIndices(count, 3, true);
        const auto rest = heldOutIndices(count, 3, false);
        EXPECT_EQ(static_cast<std::int64_t>(held.size()), std::max<std::int64_t>(1, count / 20));
        std::set<std::int64_t> all(held.begin(), held.end());
        all.insert(rest.begin(), rest.end());
        EXPECT_EQ(static_cast<std::int64_t>(all.size()), count);
        EXPECT_EQ(held.size() + rest.size(), all.size());
    }
    EXPECT_NE(heldOutIndices(1000, 3, true), heldOutIndices(1000, 4, true));
}

TEST(Subset, SamplesAreDrawnFromAllOver) {
    const auto whole = std::make_shared<CountingImages>(200);
    const auto sample = sampleExamples(whole, 40, 1);
    EXPECT_EQ(sample->size(), 40);
    EXPECT_EQ(sample->classes(), 7);
    std::vector<float> pixel(1);
    const ImageShape one{.channels = 1, .height = 1, .width = 1};
    std::set<float> seen;
    for (std::int64_t i = 0; i < 40; ++i) {
        EXPECT_EQ(sample->read(i, one, pixel.data()), sample->label(i));
        seen.insert(pixel[0]);
    }
    EXPECT_EQ(seen.size(), 40U);
    EXPECT_LT(*seen.begin(), 60);
    EXPECT_GT(*seen.rbegin(), 140);
    EXPECT_EQ(sampleExamples(whole, 200, 1), whole);
}

TEST(Subset, PermutationsAreUniform) {
    std::vector<int> counts(24, 0);
    constexpr int kDraws = 12000;
    for (std::uint64_t stream = 0; stream < kDraws; ++stream) {
        const auto order = keyedPermutation(4, 9, stream);
        std::size_t code = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            std::size_t rank = 0;
            for (std::size_t k = i + 1; k < 4; ++k) rank += order[k] < order[i] ? 1U : 0U;
            code = code * (4 - i) + rank;
        }
        ++counts[code];
    }
    for (const int count : counts) EXPECT_NEAR(count, kDraws / 24, 5 * 22);
}

}  // namespace
}  // namespace core::test
