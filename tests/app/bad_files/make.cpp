// SPDX-License-Identifier: Apache-2.0
// make_bad_files FOLDER: writes every bad file of the tests to FOLDER/FORMAT/CASE/ and prints how
// many there are.
#include "core/base/error.h"
#include "core/base/file.h"
#include "tests/app/bad_files/bad_file.h"

#include <cstdio>

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: make_bad_files FOLDER\n", stderr);
        return 2;
    }
    try {
        std::size_t total = 0;
        for (const auto& [format, files] : upcycle_test::allBadFiles()) {
            for (const upcycle_test::BadFile& bad : files)
                for (const auto& [name, content] : bad.files) {
                    const core::Path path = core::Path(argv[1]) / format / bad.name / name;
                    std::filesystem::create_directories(path.parent_path());
                    core::writeTextFile(path, content);
                }
            std::printf("%-12s %3zu\n", format.c_str(), files.size());
            total += files.size();
        }
        std::printf("%-12s %3zu\n", "all", total);
    } catch (const core::Error& error) {
        std::fprintf(stderr, "make_bad_files: %s\n", error.what());
        return core::exitCode(error.kind());
    }
    return 0;
}
