// SPDX-License-Identifier: Apache-2.0
#include "tests/architecture/source_tree.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>

namespace {

constexpr const char* kApache = "SPDX-License-Identifier: Apache-2.0";
constexpr const char* kGpl = "SPDX-License-Identifier: GPL-3.0-or-later";

/// The window and what is linked into programs with it.
bool belongsToTheWindow(const std::string& path) {
    return path.starts_with("ui/") || path.starts_with("app/upcycler/") ||
           path.starts_with("tests/ui/") || path.starts_with("tests/bench/ui/");
}

/// The first line, or the second one of a script that begins with "#!".
std::string licenceLine(const std::string& text) {
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    if (line.starts_with("#!")) std::getline(lines, line);
    return line;
}

TEST(Sources, CarryTheirLicence) {
    const std::vector<std::string> folders{"core", "gpu", "ui", "app", "tests"};
    for (const SourceFile& file : readSources(folders, {".h", ".cpp", ".cu", ".cuh"}))
        EXPECT_EQ(licenceLine(file.text),
                  std::string("// ") + (belongsToTheWindow(file.path) ? kGpl : kApache))
            << file.path;
    for (const SourceFile& file : readSources(folders, {"CMakeLists.txt", ".cmake", ".py", ".sh"}))
        EXPECT_EQ(licenceLine(file.text),
                  std::string("# ") + (belongsToTheWindow(file.path) ? kGpl : kApache))
            << file.path;
}

TEST(Sources, HeadersHaveAGuard) {
    for (const SourceFile& file :
         readSources({"core", "gpu", "ui", "app", "tests"}, {".h", ".cuh"}))
        EXPECT_NE(file.text.find("#pragma once"), std::string::npos) << file.path;
}

/// What the host harness (tests/gpu/simt) could not run: the plug-in's sources are the same text
/// for both compilers.
TEST(Sources, KernelsUseWhatTheHarnessKnows) {
    for (const SourceFile& file : readSources({"gpu"}, {".h", ".cpp", ".cu", ".cuh"})) {
        for (const char* word :
             {"<<<", "#ifdef", "#ifndef", "#if ", "asm(", "asm ", "cooperative_groups", "cub::"}) {
            // Tensor cores have no other door; the harness has a header of that name.
            if (file.path == "gpu/cuda/gpu_mma.h" && std::string(word).starts_with("asm")) continue;
            EXPECT_EQ(file.text.find(word), std::string::npos) << file.path << " has " << word;
        }
        if (file.path != "gpu/cuda/gpu_shared_memory.h") {
            EXPECT_EQ(file.text.find("__shared__"), std::string::npos) << file.path;
        }
    }
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

}  // namespace
