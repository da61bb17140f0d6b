// SPDX-License-Identifier: Apache-2.0
// A disk that fills, a process that died: nothing half-written remains.
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/checkpoint_writer.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace core::test {
namespace {

/// Files of this process can grow to `bytes` at most: what a full disk looks like.
class FileSizeLimit {
  public:
    explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int);
};

struct Target {
    const char* name;
    FileFormat format;
    std::uint64_t shard;
};

void PrintTo(const Target& value, std::ostream* stream) { *stream << value.name; }

class FullDisk : public testing::TestWithParam<Target> {};

TEST_P(FullDisk, LeavesNothing) {
    const TemporaryFolder folder;
    WriterOptions options;
    options.format = GetParam().format;
    options.maxShardBytes = GetParam().shard;
    const std::vector<NamedFloats> tensors{{"a", {50000}, std::vector<float>(50000, 1)},
                                           {"b", {50000}, std::vector<float>(50000, 2)}};
    {
        const FileSizeLimit limit(150'000);
        errorOf(ErrorKind::DiskFull,
                [&] { writeCheckpoint(folder / GetParam().name, tensors, options); });
        EXPECT_EQ(folder.entries(), 0U);
    }
    writeCheckpoint(folder / GetParam().name, tensors, options);
    const auto checkpoint = Checkpoint::open(folder / GetParam().name);
    EXPECT_EQ(checkpoint->readFloats(*checkpoint->find("b")), tensors[1].values);
}

INSTANTIATE_TEST_SUITE_P(Targets, FullDisk,
                         testing::Values(Target{"x.safetensors", FileFormat::Safetensors, 0},
                                         Target{"folder", FileFormat::Safetensors, 0},
                                         Target{"shards", FileFormat::Safetensors, 200'000},
                                         Target{"x.h5", FileFormat::Hdf5, 0},
                                         Target{"hdf5", FileFormat::Hdf5, 0},
                                         Target{"x.npz", FileFormat::Npz, 0},
                                         Target{"npz", FileFormat::Npz, 0}),
                         [](const auto& parameter) {
                             std::string name = parameter.param.name;
                             std::replace(name.begin(), name.end(), '.', '_');
                             return name;
                         });

TEST(Writer, MoreThanTheDiskHolds) {
    const TemporaryFolder folder;
    TensorInfo info;
    info.name = "huge";
    info.shape = {std::int64_t{1} << 50};
    const std::string text = errorOf(ErrorKind::DiskFull, [&] {
        CheckpointWriter::create(folder / "x.safetensors", {info}, {});
    });
    EXPECT_NE(text.find("x.safetensors"), std::string::npos) << text;
    EXPECT_EQ(folder.entries(), 0U);
}

TEST(Writer, RemovesWhatADeadProcessLeft) {
    const TemporaryFolder folder;
    const pid_t dead = ::fork();
    if (dead == 0) ::_exit(0);
    ASSERT_EQ(::waitpid(dead, nullptr, 0), dead);
    const std::string left = ".model.tmp-" + std::to_string(dead) + "-0";
    const std::string alive = ".model.tmp-" + std::to_string(::getppid()) + "-0";
    std::filesystem::create_directory(folder / left);
    writeBytes(folder / (left + "/model.safetensors"), "half");
    std::filesystem::create_directory(folder / alive);
    writeBytes(folder / ".other.tmp-1", "not ours");
    writeCheckpoint(folder / "model", {{"a", {1}, {1}}});
    EXPECT_FALSE(std::filesystem::exists(folder / left));
    EXPECT_TRUE(std::filesystem::exists(folder / alive));
    EXPECT_TRUE(std::filesystem::exists(folder / ".other.tmp-1"));
    EXPECT_EQ(Checkpoint::open(folder / "model")->tensors().size(), 1U);
}

TEST(Writer, AbsentFolderIsNamed) {
    const TemporaryFolder folder;
    const std::string text = errorOf(ErrorKind::BadInput, [&] {
        writeCheckpoint(folder / "absent/model", {{"a", {1}, {1}}});
    });
    EXPECT_NE(text.find("absent"), std::string::npos) << text;
}

TEST(Writer, NoPermission) {
    if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
    const TemporaryFolder folder;
    std::filesystem::permissions(
        folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
    errorOf(ErrorKind::BadInput, [&] {
        writeCheckpoint(folder / "x.safetensors", {{"a", {1}, {1}}});
    });
    std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace core::test
