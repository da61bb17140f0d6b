// SPDX-License-Identifier: Apache-2.0
#include "core/data/idx.h"

#include "tests/core/data/data_helpers.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace core::test {

void writeGzip(const Path& path, std::string_view bytes) {
    const gzFile file = ::gzopen(path.c_str(), "wb");
    ASSERT_NE(file, nullptr);
    ASSERT_EQ(::gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())),
              static_cast<int>(bytes.size()));
    ASSERT_EQ(::gzclose(file), Z_OK);
}

void writeIdxFolder(const Path& folder, int train, int test, int height, int width) {
    for (const auto& [stem, count] : {std::pair{"train", train}, std::pair{"t10k", test}}) {
        std::string pixels;
        std::string labels;
        for (int i = 0; i < count; ++i) {
            pixels += std::string(static_cast<std::size_t>(height * width), static_cast<char>(i));
            labels += static_cast<char>(i % 3);
        }
        const auto size = [](int n) { return static_cast<std::uint32_t>(n); };
        writeBytes(folder / (std::string(stem) + "-images-idx3-ubyte"),
                   idxBytes({size(count), size(height), size(width)}, pixels));
        writeBytes(folder / (std::string(stem) + "-labels-idx1-ubyte"),
                   idxBytes({size(count)}, labels));
    }
}

namespace {

TEST(Idx, ReadsPlainAndGzip) {
    const TemporaryFolder folder;
    const std::string bytes = idxBytes({2, 2, 3}, "abcdefABCDEF");
    writeBytes(folder / "plain", bytes);
    writeGzip(folder / "packed.gz", bytes);
    for (const char* name : {"plain", "packed.gz"}) {
        const IdxFile file = readIdx(folder / name, 3);
        EXPECT_EQ(file.sizes, (std::vector<std::int64_t>{2, 2, 3}));
        EXPECT_EQ(std::string(file.values.begin(), file.values.end()), "abcdefABCDEF");
    }
}

TEST(Idx, NamesFileAndPlaceOfWhatIsWrong) {
    const TemporaryFolder folder;
    const auto refusal = [&](const std::string& bytes) {
        writeBytes(folder / "file", bytes);
        const std::string message =
            errorOf(ErrorKind::BadInput, [&] { readIdx(folder / "file", 3); });
        EXPECT_NE(message.find((folder / "file").string()), std::string::npos) << message;
        return message;
    };
    EXPECT_NE(refusal("").find("byte 0"), std::string::npos);
    EXPECT_NE(refusal(std::string("\0\0", 2)).find("magic"), std::string::npos);
    EXPECT_NE(refusal(idxBytes({4}, "abcd")).find("0x00000801"), std::string::npos);
    EXPECT_NE(refusal(std::string("PK\3\4rest of an archive", 20)).find("0x504b0304"),
              std::string::npos);
    EXPECT_NE(refusal(idxBytes({1, 1, 1}, "a").substr(0, 14)).find("sizes"), std::string::npos);
    EXPECT_NE(refusal(idxBytes({0, 2, 2}, "")).find("size 0"), std::string::npos);
    EXPECT_NE(refusal(idxBytes({1, 2, 5000}, "")).find("size 5000"), std::string::npos);
    EXPECT_NE(refusal(idxBytes({0xFFFFFFFFU, 2, 2}, "")).find("4294967295"), std::string::npos);
    EXPECT_NE(refusal(idxBytes({2, 2, 2}, "abcdefg")).find("after 7 elements"), std::string::npos);
    EXPECT_NE(refusal(idxBytes({2, 2, 2}, "abcdefghi")).find("goes on"), std::string::npos);
}

TEST(Idx, AllocatesWhatIsThereAndNotWhatIsClaimed) {
    const TemporaryFolder folder;
    writeBytes(folder / "liar", idxBytes({1000000000U, 4, 4}, "abcd"));
    EXPECT_NE(
        errorOf(ErrorKind::BadInput, [&] { readIdx(folder / "liar", 3); }).find("after 4 elements"),
        std::string::npos);
    writeBytes(folder / "absurd", idxBytes({2000000000U, 4096, 4096}, "abcd"));
    EXPECT_NE(errorOf(ErrorKind::BadInput, [&] { readIdx(folder / "absurd", 3); }).find("allowed"),
              std::string::npos);
}

TEST(Idx, RefusesDamagedGzip) {
    const TemporaryFolder folder;
    std::string elements(50000, '\0');
    for (std::size_t i = 0; i < elements.size(); ++i)
        elements[i] = static_cast<char>((i * 2654435761U) >> 13U);
    writeGzip(folder / "whole", idxBytes({500, 10, 10}, elements));
    const std::string whole = readBytes(folder / "whole");
    ASSERT_EQ(readIdx(folder / "whole", 3).values.size(), elements.size());

    writeBytes(folder / "cut", whole.substr(0, whole.size() / 2));
    errorOf(ErrorKind::BadInput, [&] { readIdx(folder / "cut", 3); });
    std::string flipped = whole;
    flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x10);
    writeBytes(folder / "flipped", flipped);
    errorOf(ErrorKind::BadInput, [&] { readIdx(folder / "flipped", 3); });
    std::string sum = whole;
    sum[whole.size() - 6] = static_cast<char>(sum[whole.size() - 6] ^ 1);
    writeBytes(folder / "sum", sum);
    errorOf(ErrorKind::BadInput, [&] { readIdx(folder / "sum", 3); });
}

TEST(Idx, FolderGivesImagesAndLabels) {
    const TemporaryFolder folder;
    writeIdxFolder(folder.path(), 7, 4, 5, 6);
    const ImageShape shape{.channels = 1, .height = 5, .width = 6};
    const auto train = openIdxFolder(folder.path(), Split::Train, shape, "digits", {});
    const auto test = openIdxFolder(folder.path(), Split::Test, shape, "digits", {});
    EXPECT_EQ(train->size(), 7);
    EXPECT_EQ(test->size(), 4);
    EXPECT_EQ(train->classes(), 3);
    EXPECT_EQ(train->description(), "digits train, 7 images of 5x6, 3 classes");
    std::vector<float> pixels(30, -1.0F);
    EXPECT_EQ(train->read(5, shape, pixels.data()), 2);
    EXPECT_EQ(pixels, std::vector<float>(30, 5.0F));

    const ImageShape larger{.channels = 3, .height = 8, .width = 8};
    std::vector<float> colour(3 * 64, -1.0F);
    EXPECT_EQ(train->read(4, larger, colour.data()), 1);
    EXPECT_EQ(colour, std::vector<float>(3 * 64, 4.0F));
}

TEST(Idx, FolderRefusesWhatDoesNotFit) {
    const TemporaryFolder folder;
    const ImageShape shape{.channels = 1, .height = 2, .width = 2};
    const auto open = [&] { openIdxFolder(folder.path(), Split::Train, shape, "digits", {}); };
    EXPECT_NE(errorOf(ErrorKind::BadInput, open).find("train-images-idx3-ubyte"),
              std::string::npos);
    writeIdxFolder(folder.path(), 3, 3, 2, 2);
    writeBytes(folder / "train-labels-idx1-ubyte", idxBytes({2}, "\1\2"));
    EXPECT_NE(errorOf(ErrorKind::BadInput, open).find("3 images"), std::string::npos);
    const ImageShape four{.channels = 4, .height = 2, .width = 2};
    EXPECT_NE(errorOf(ErrorKind::BadInput,
                      [&] { openIdxFolder(folder.path(), Split::Test, four, "digits", {}); })
                  .find("takes 4"),
              std::string::npos);
}

}  // namespace
}  // namespace core::test
