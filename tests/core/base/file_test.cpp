// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"

#include "core/base/error.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <vector>

namespace {

using core::AtomicTarget;
using core::Error;
using core::ErrorKind;
using core::File;
using core::FileLock;
using core::Path;

/// Kind of the Error that `action` throws; fails the test when it throws none.
template <typename F>
ErrorKind kindOf(F action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_FALSE(error.hint().empty()) << error.what();
        return error.kind();
    }
    ADD_FAILURE() << "no Error was thrown";
    return ErrorKind::Internal;
}

std::span<const std::byte> bytesOf(std::string_view text) { return std::as_bytes(std::span(text)); }

class Files : public testing::Test {
  protected:
    void SetUp() override {
        std::string name =
            (std::filesystem::temp_directory_path() / "upcycler-files-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    Path path(const std::string& name) const { return folder_ / name; }
    std::vector<std::string> names() const {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(folder_))
            all.push_back(entry.path().filename());
        std::sort(all.begin(), all.end());
        return all;
    }
    void put(const std::string& name, std::string_view text) const {
        std::ofstream(path(name)) << text;
    }

    Path folder_;
};

TEST_F(Files, WritesAndReadsAtOffsets) {
    const File file = File::createNew(path("a"));
    file.writeAt(0, bytesOf("hello world"));
    file.writeAt(6, bytesOf("there"));
    EXPECT_EQ(file.size(), 11U);
    std::string text(5, ' ');
    file.readAt(6, std::as_writable_bytes(std::span(text)));
    EXPECT_EQ(text, "there");
}

TEST_F(Files, UpdatesInPlace) {
    put("a", "hello world");
    File::openForUpdating(path("a")).writeAt(0, bytesOf("HELLO"));
    EXPECT_EQ(core::readTextFile(path("a")), "HELLO world");
}

TEST_F(Files, ReadingBeyondTheEndIsBadInput) {
    put("a", "short");
    const File file = File::openForReading(path("a"));
    std::string text(10, ' ');
    EXPECT_EQ(kindOf([&] { file.readAt(0, std::as_writable_bytes(std::span(text))); }),
              ErrorKind::BadInput);
    EXPECT_EQ(kindOf([&] { file.readAt(1U << 20U, std::as_writable_bytes(std::span(text))); }),
              ErrorKind::BadInput);
}

TEST_F(Files, RefusesWhatIsNoFile) {
    EXPECT_EQ(kindOf([&] { File::openForReading(path("missing")); }), ErrorKind::BadInput);
    EXPECT_EQ(kindOf([&] { File::openForReading(folder_); }), ErrorKind::BadInput);
    put("a", "x");
    EXPECT_THROW(File::createNew(path("a")), Error);
    EXPECT_EQ(kindOf([&] { File::openForUpdating(path("missing")); }), ErrorKind::BadInput);
}

TEST_F(Files, ErrorsNameThePath) {
    try {
        File::openForReading(path("missing"));
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(path("missing").string()), std::string::npos);
    }
}

TEST_F(Files, AppendsAndMoves) {
    File file = File::openForAppending(path("log"));
    file.append("one\n");
    File moved = std::move(file);
    EXPECT_FALSE(file.isOpen());  // NOLINT(bugprone-use-after-move): what a move leaves is part of
                                  // the contract
    moved.append("two\n");
    moved.close();
    EXPECT_FALSE(moved.isOpen());
    EXPECT_EQ(core::readTextFile(path("log")), "one\ntwo\n");
}

TEST_F(Files, PreallocatedSpaceIsThere) {
    const File file = File::createNew(path("a"));
    file.preallocate(1U << 20U);
    EXPECT_EQ(file.size(), 1U << 20U);
    file.preallocate(0);
}

TEST_F(Files, TextFilesAreBounded) {
    put("a", "0123456789");
    EXPECT_EQ(core::readTextFile(path("a"), 10), "0123456789");
    EXPECT_EQ(kindOf([&] { core::readTextFile(path("a"), 9); }), ErrorKind::BadInput);
}

TEST_F(Files, WriteTextFileReplacesInOneStep) {
    core::writeTextFile(path("a"), "first");
    core::writeTextFile(path("a"), "second");
    EXPECT_EQ(core::readTextFile(path("a")), "second");
    EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(Files, AtomicFileAppearsAtCommit) {
    {
        AtomicTarget target(path("out"), AtomicTarget::Kind::File, false);
        File::createNew(target.temporary()).append("whole");
        EXPECT_FALSE(std::filesystem::exists(path("out")));
        target.commit();
    }
    EXPECT_EQ(core::readTextFile(path("out")), "whole");
    EXPECT_EQ(names(), std::vector<std::string>{"out"});
}

TEST_F(Files, AtomicTargetWithoutCommitLeavesNothing) {
    for (const auto kind : {AtomicTarget::Kind::File, AtomicTarget::Kind::Directory}) {
        AtomicTarget target(path("out"), kind, false);
        if (kind == AtomicTarget::Kind::File)
            File::createNew(target.temporary()).append("half");
        else
            File::createNew(target.temporary() / "inner").append("half");
    }
    EXPECT_TRUE(names().empty());
}

TEST_F(Files, AtomicDirectoryReplacesADirectory) {
    std::filesystem::create_directory(path("out"));
    put("out/old", "old");
    AtomicTarget target(path("out"), AtomicTarget::Kind::Directory, true);
    File::createNew(target.temporary() / "new").append("new");
    target.commit();
    EXPECT_FALSE(std::filesystem::exists(path("out/old")));
    EXPECT_EQ(core::readTextFile(path("out/new")), "new");
    EXPECT_EQ(names(), std::vector<std::string>{"out"});
}

TEST_F(Files, AtomicTargetRefusesWhatExists) {
    put("out", "precious");
    EXPECT_EQ(kindOf([&] { AtomicTarget(path("out"), AtomicTarget::Kind::File, false); }),
              ErrorKind::BadInput);
    EXPECT_EQ(kindOf([&] { AtomicTarget(path("no/out"), AtomicTarget::Kind::File, false); }),
              ErrorKind::BadInput);
    EXPECT_EQ(core::readTextFile(path("out")), "precious");
}

TEST_F(Files, AtomicTargetRefusesWhatAppearedMeanwhile) {
    AtomicTarget target(path("out"), AtomicTarget::Kind::File, false);
    File::createNew(target.temporary()).append("mine");
    put("out", "theirs");
    EXPECT_THROW(target.commit(), Error);
    EXPECT_EQ(core::readTextFile(path("out")), "theirs");
}

TEST_F(Files, TemporariesOfDeadProcessesAreRemoved) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    put(".out.tmp-" + std::to_string(child) + "-0", "left behind");
    put(".other.tmp-" + std::to_string(child) + "-0", "another target's");
    put(".out.tmp-" + std::to_string(::getpid()) + "-77", "a living process's");
    { const AtomicTarget target(path("out"), AtomicTarget::Kind::File, false); }
    EXPECT_EQ(names(),
              (std::vector<std::string>{".other.tmp-" + std::to_string(child) + "-0",
                                        ".out.tmp-" + std::to_string(::getpid()) + "-77"}));
}

TEST_F(Files, LockIsExclusiveAndEndsWithItsHolder) {
    EXPECT_FALSE(FileLock::isHeld(path("lock")));
    {
        const auto lock = FileLock::tryLock(path("lock"));
        ASSERT_TRUE(lock.has_value());
        EXPECT_TRUE(FileLock::isHeld(path("lock")));
        EXPECT_FALSE(FileLock::tryLock(path("lock")).has_value());
    }
    EXPECT_FALSE(FileLock::isHeld(path("lock")));
    EXPECT_TRUE(FileLock::tryLock(path("lock")).has_value());
}

TEST_F(Files, DiskSpaceIsAskedOfTheNearestFolder) {
    EXPECT_GT(core::freeDiskBytes(path("not/yet/there")), 0U);
    core::requireDiskBytes(folder_, 1, "a test");
    EXPECT_EQ(kindOf([&] { core::requireDiskBytes(folder_, ~0ULL, "a test"); }),
              ErrorKind::DiskFull);
}

}  // namespace
