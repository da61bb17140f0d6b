// SPDX-License-Identifier: Apache-2.0
// Every file of bad_files/: one sentence that names it, exit code 3, little memory and time,
// nothing left behind.
#include "tests/app/bad_files/bad_file.h"
#include "tests/app/workshop.h"

#include <gtest/gtest.h>

#include <iostream>
#include <set>

namespace upcycle_test {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;  // which takes several times the memory and time
#else
constexpr bool kSanitized = false;
#endif
constexpr std::uint64_t kMostMemory = std::uint64_t{512} << 20U;
constexpr double kMostSeconds = 10;

Result meet(const core::Path& folder, const BadFile& bad) {
    const std::string model = (folder / bad.opened).string();
    switch (bad.command) {
        case BadFile::Command::Plan:
            return upcycle({"plan", model, "-o", (folder / "plan.json").string()});
        case BadFile::Command::Convert:
            return upcycle({"convert", model, "--plan", (folder / "plan.json").string(), "-o",
                            (folder / "out").string()});
        case BadFile::Command::Inspect:
            break;
    }
    return upcycle({"inspect", model});
}

class BadFiles : public testing::TestWithParam<std::string> {};

TEST_P(BadFiles, EndInOneSentenceAndLeaveNothing) {
    const std::vector<BadFile> files = allBadFiles().at(GetParam());
    std::set<std::string> names;
    std::uint64_t memory = 0;
    double seconds = 0;
    for (const BadFile& bad : files) {
        SCOPED_TRACE(bad.name);
        EXPECT_TRUE(names.insert(bad.name).second) << "a second case of this name";
        const core::ScratchFolder scratch;
        for (const auto& [name, content] : bad.files) {
            std::filesystem::create_directories((scratch.path() / name).parent_path());
            core::writeTextFile(scratch.path() / name, content);
        }
        const auto before = treeOf(scratch.path());
        const Result result = meet(scratch.path(), bad);
        expectRefused(result, 3, {bad.named});
        EXPECT_EQ(treeOf(scratch.path()), before);
        memory = std::max(memory, result.peakBytes);
        seconds = std::max(seconds, result.cpuSeconds);
        if (kSanitized) continue;
        EXPECT_LT(result.peakBytes, kMostMemory);
        EXPECT_LT(result.cpuSeconds, kMostSeconds);
    }
    std::cout << GetParam() << ": " << files.size() << " bad files, at most " << (memory >> 20U)
              << " MiB and " << seconds << " s\n";
}

INSTANTIATE_TEST_SUITE_P(Formats, BadFiles,
                         testing::Values("safetensors", "index", "hdf5", "npz", "torch", "config",
                                         "plan"),
                         [](const auto& parameter) { return parameter.param; });

TEST(BadFileLists, HoldAtLeastThreeHundred) {
    std::size_t total = 0;
    for (const auto& [format, files] : allBadFiles()) total += files.size();
    std::cout << total << " bad files\n";
    EXPECT_GE(total, 300U);
}

}  // namespace
}  // namespace upcycle_test
