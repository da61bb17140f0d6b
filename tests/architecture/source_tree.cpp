// SPDX-License-Identifier: Apache-2.0
#include "tests/architecture/source_tree.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

std::vector<SourceFile> readSources(const std::vector<std::string>& folders,
                                    const std::vector<std::string>& endings) {
    const std::filesystem::path root = UPCYCLER_SOURCE_DIR;
    std::vector<SourceFile> files;
    for (const std::string& folder : folders) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / folder)) {
            if (!entry.is_regular_file()) continue;
            const std::string path = std::filesystem::relative(entry.path(), root).string();
            bool wanted = false;
            for (const std::string& ending : endings) wanted = wanted || path.ends_with(ending);
            if (!wanted) continue;
            std::ostringstream text;
            text << std::ifstream(entry.path()).rdbuf();
            files.push_back({path, text.str()});
        }
    }
    return files;
}

std::vector<std::string> includesOf(const SourceFile& file) {
    static const std::regex kInclude(R"(#\s*include\s*[<"]([^">]+)[">])");
    std::vector<std::string> targets;
    for (std::sregex_iterator match(file.text.begin(), file.text.end(), kInclude), end;
         match != end; ++match)
        targets.push_back((*match)[1]);
    return targets;
}
