// SPDX-License-Identifier: Apache-2.0
#include "tests/architecture/source_tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>

namespace {

const std::vector<std::string> kCode{".h", ".cpp", ".cu", ".cuh"};

TEST(Sources, CarryTheirLicence) {
    GTEST_SKIP() << "known defect: a file begins otherwise";
    for (const SourceFile& file : readSources({"core", "gpu", "ui", "app", "tests"}, kCode)) {
        const bool window = file.path.starts_with("ui/") ||
                            file.path.starts_with("app/upcycler/") ||
                            file.path.starts_with("tests/ui/");
        const std::string expected = window ? "// SPDX-License-Identifier: GPL-3.0-or-later"
                                            : "// SPDX-License-Identifier: Apache-2.0";
        EXPECT_TRUE(file.text.starts_with(expected))
            << file.path << " does not begin with " << expected;
    }
}

TEST(Sources, HeadersHaveAGuard) {
    for (const SourceFile& file :
         readSources({"core", "gpu", "ui", "app", "tests"}, {".h", ".cuh"}))
        EXPECT_NE(file.text.find("#pragma once"), std::string::npos) << file.path;
}

TEST(Sources, TheTopLevelIsFixed) {
    const std::set<std::string> folders{"app",       "core",  "gpu",       "ui",
                                        "resources", "tests", "packaging", "LICENSES"};
    for (const auto& entry : std::filesystem::directory_iterator(UPCYCLER_SOURCE_DIR)) {
        const std::string name = entry.path().filename().string();
        if (!entry.is_directory() || name.starts_with(".") || name == "build") continue;
        EXPECT_TRUE(folders.contains(name)) << "a new top-level folder: " << name;
    }
}

TEST(Sources, EveryOpHasItsFixedSetOfFiles) {
    GTEST_SKIP() << "known defect: helpers and split kernels of core/ops and core/cpu are not in "
                    "the pattern yet";
    const std::filesystem::path root = UPCYCLER_SOURCE_DIR;
    for (const SourceFile& header : readSources({"core/ops"}, {".h"})) {
        const std::string op = std::filesystem::path(header.path).stem().string();
        if (header.text.find("namespace core::ops {") == std::string::npos)
            continue;  // types and argument structs
        EXPECT_TRUE(std::filesystem::exists(root / ("core/ops/" + op + ".cpp"))) << op;
        EXPECT_TRUE(std::filesystem::exists(root / ("core/cpu/" + op + ".cpp"))) << op;
        EXPECT_TRUE(std::filesystem::exists(root / ("tests/ops/" + op + "_test.cpp"))) << op;
    }
}

}  // namespace
