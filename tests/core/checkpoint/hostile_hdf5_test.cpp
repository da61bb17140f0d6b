// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"
#include "tests/core/checkpoint/checkpoint_helpers.h"

#include <gtest/gtest.h>

namespace core::test {
namespace {

std::string goodFile(const std::string& name = "h5py.h5") {
    return readBytes(Path(UPCYCLER_SOURCE_DIR) / "tests/reference/checkpoint" / name);
}

/// Opens and reads everything; errors of the right kind are fine.
bool isRefused(const Path& path) {
    try {
        const auto checkpoint = Checkpoint::open(path);
        for (const TensorInfo& tensor : checkpoint->tensors()) checkpoint->readFloats(tensor);
        return false;
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::BadInput) << error.what();
        std::string words = error.what();
        if (const auto at = words.find(path.string()); at != std::string::npos)
            words.erase(at, path.string().size());  // a temporary folder may be called anything
        EXPECT_EQ(words.find("H5"), std::string::npos) << error.what();
        return true;
    }
}

TEST(HostileHdf5, CutShortAtAnyLength) {
    const TemporaryFolder folder;
    const std::string good = goodFile();
    for (std::size_t bytes = 8; bytes < good.size(); bytes += 131) {
        writeBytes(folder / "x.h5", good.substr(0, bytes));
        EXPECT_TRUE(isRefused(folder / "x.h5")) << bytes;
    }
}

TEST(HostileHdf5, GroupsAndListsCutShortOrOverwritten) {
    const TemporaryFolder folder;
    for (const char* name : {"groups.h5", "tf_model.h5", "keras_split.h5"}) {
        const std::string good = goodFile(name);
        for (std::size_t at = 8; at < good.size(); at += 711) {
            writeBytes(folder / "x.h5", good.substr(0, at));
            EXPECT_TRUE(isRefused(folder / "x.h5")) << name << " " << at;
            std::string bad = good;
            bad.replace(at, 16, 16, '\xff');
            writeBytes(folder / "x.h5", bad);
            isRefused(folder / "x.h5");
        }
    }
}

TEST(HostileHdf5, NothingIsPrintedToStderr) {
    const TemporaryFolder folder;
    writeBytes(folder / "x.h5", goodFile().substr(0, 3000));
    testing::internal::CaptureStderr();
    EXPECT_TRUE(isRefused(folder / "x.h5"));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(HostileHdf5, AWholeFileIsReadAfterManyBrokenOnes) {
    const TemporaryFolder folder;
    const std::string good = goodFile();
    for (std::size_t at = 100; at < 2000; at += 50) {
        std::string bad = good;
        bad.replace(at, 40, 40, '\xff');
        writeBytes(folder / "x.h5", bad);
        isRefused(folder / "x.h5");
    }
    writeBytes(folder / "x.h5", good);
    EXPECT_FALSE(isRefused(folder / "x.h5"));
}

}  // namespace
}  // namespace core::test
