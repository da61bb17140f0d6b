// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/stats_cache.h"

#include "tests/core/checkpoint/stats_helpers.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>

namespace core::test {
namespace {

using namespace std::chrono_literals;

class StatsCacheTest : public testing::Test {
  protected:
    /// A checkpoint whose file is old enough to be kept.
    std::shared_ptr<const Checkpoint> write(const std::vector<float>& values) {
        const Path path = folder / "x.safetensors";
        std::filesystem::remove(path);
        const auto checkpoint = writeTensor(path, DType::F32, values);
        std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now() - 1h);
        return checkpoint;
    }
    std::vector<Path> cacheFiles() const {
        std::vector<Path> files;
        for (const auto& entry : std::filesystem::directory_iterator(folder / "cache"))
            files.push_back(entry.path());
        return files;
    }
    /// What a cache made anew says of the first tensor.
    std::optional<TensorStats> found(const Checkpoint& checkpoint) const {
        return StatsCache(checkpoint, folder / "cache").find(checkpoint.tensors()[0]);
    }
    void keep(const Checkpoint& checkpoint) {
        StatsCache(checkpoint, folder / "cache")
            .keep(checkpoint.tensors()[0], statsOfFirst(checkpoint));
    }
    TemporaryFolder folder;
};

TEST_F(StatsCacheTest, OutlivesTheObjectAndIsEqual) {
    const auto checkpoint = write({1, 2, 0, std::nanf("")});
    EXPECT_FALSE(found(*checkpoint));
    keep(*checkpoint);
    ASSERT_TRUE(found(*checkpoint));
    EXPECT_EQ(*found(*checkpoint), statsOfFirst(*checkpoint));
    EXPECT_EQ(*found(*Checkpoint::open(folder / "x.safetensors")), statsOfFirst(*checkpoint));
}

TEST_F(StatsCacheTest, AnotherFileOfTheSameNameFindsNothing) {
    keep(*write({1, 2, 3, 4}));
    EXPECT_FALSE(found(*write({1, 2, 3, 5})));
}

TEST_F(StatsCacheTest, TheSameFileWrittenAgainFindsNothing) {
    const auto checkpoint = write({1, 2, 3, 4});
    keep(*checkpoint);
    std::filesystem::last_write_time(folder / "x.safetensors",
                                     std::filesystem::file_time_type::clock::now() - 30min);
    EXPECT_FALSE(found(*checkpoint));
}

TEST_F(StatsCacheTest, AFileThatChangesWhileItIsReadIsNotKept) {
    const auto checkpoint = write({1, 2, 3, 4});
    StatsCache cache(*checkpoint, folder / "cache");
    std::filesystem::last_write_time(folder / "x.safetensors",
                                     std::filesystem::file_time_type::clock::now() - 30min);
    cache.keep(checkpoint->tensors()[0], statsOfFirst(*checkpoint));
    EXPECT_FALSE(cache.find(checkpoint->tensors()[0]));
    EXPECT_FALSE(found(*checkpoint));
}

TEST_F(StatsCacheTest, AFileOfThisMomentIsNotKept) {
    const auto checkpoint =
        writeTensor(folder / "x.safetensors", DType::F32, std::vector<float>{1, 2});
    std::filesystem::last_write_time(folder / "x.safetensors",
                                     std::filesystem::file_time_type::clock::now() + 1h);
    keep(*checkpoint);
    EXPECT_FALSE(found(*checkpoint));
}

TEST_F(StatsCacheTest, PartialStatisticsAreNotKept) {
    const auto checkpoint = write({1, 2, 3, 4});
    TensorStats partial = statsOfFirst(*checkpoint);
    partial.count = 2;
    StatsCache(*checkpoint, folder / "cache").keep(checkpoint->tensors()[0], partial);
    EXPECT_FALSE(found(*checkpoint));
}

TEST_F(StatsCacheTest, DamageIsNotSeenAndMended) {
    const auto checkpoint = write({1, 2, 3, 4});
    keep(*checkpoint);
    const std::string good = readBytes(cacheFiles().at(0));
    for (std::size_t at = 0; at < good.size(); at += 7) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x10);
        writeBytes(cacheFiles().at(0), bad);
        EXPECT_FALSE(found(*checkpoint)) << at;
    }
    for (const std::size_t length : {std::size_t{0}, std::size_t{5}, good.size() - 1}) {
        writeBytes(cacheFiles().at(0), good.substr(0, length));
        EXPECT_FALSE(found(*checkpoint)) << length;
    }
    writeBytes(cacheFiles().at(0), good + "torn");  // the last record of a killed process
    EXPECT_TRUE(found(*checkpoint));
    writeBytes(cacheFiles().at(0), "nonsense");
    keep(*checkpoint);
    EXPECT_EQ(readBytes(cacheFiles().at(0)), good);
}

TEST_F(StatsCacheTest, APlaceThatCannotBeWrittenIsNoError) {
    const auto checkpoint = write({1, 2});
    writeBytes(folder / "cache", "a file where the folder should be");
    StatsCache cache(*checkpoint, folder / "cache");
    cache.keep(checkpoint->tensors()[0], statsOfFirst(*checkpoint));
    StatsCache none(*checkpoint, {});
    none.keep(checkpoint->tensors()[0], statsOfFirst(*checkpoint));
    EXPECT_FALSE(none.find(checkpoint->tensors()[0]));
}

TEST_F(StatsCacheTest, OldFilesGoWhenTheFolderIsFull) {
    std::filesystem::create_directory(folder / "cache");
    const auto now = std::filesystem::file_time_type::clock::now();
    for (int i = 0; i < 3; ++i) {
        const Path old = folder / ("cache/" + std::to_string(i) + ".stats");
        writeBytes(old, "x");
        std::filesystem::resize_file(old, 30ULL << 20U);  // sparse
        std::filesystem::last_write_time(old, now - std::chrono::hours(10 - i));
    }
    keep(*write({1, 2}));
    EXPECT_FALSE(std::filesystem::exists(folder / "cache/0.stats"));
    EXPECT_TRUE(std::filesystem::exists(folder / "cache/1.stats"));
    EXPECT_TRUE(std::filesystem::exists(folder / "cache/2.stats"));
    EXPECT_EQ(cacheFiles().size(), 3U);
}

TEST(DefaultStatsFolder, FollowsTheDesktopsRules) {
    const char* before = std::getenv("XDG_CACHE_HOME");
    const std::string kept = before == nullptr ? "" : before;
    ::setenv("XDG_CACHE_HOME", "/somewhere", 1);
    EXPECT_EQ(defaultStatsFolder(), "/somewhere/upcycler/stats");
    ::setenv("XDG_CACHE_HOME", "relative", 1);
    EXPECT_NE(defaultStatsFolder(), "relative/upcycler/stats");
    before == nullptr ? ::unsetenv("XDG_CACHE_HOME") : ::setenv("XDG_CACHE_HOME", kept.c_str(), 1);
}

}  // namespace
}  // namespace core::test
