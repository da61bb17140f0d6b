// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

/// A file of the repository, path relative to its root.
struct SourceFile {
    std::string path;
    std::string text;
};

/// All files below the given top-level folders whose names end in one of `endings`.
std::vector<SourceFile> readSources(const std::vector<std::string>& folders,
                                    const std::vector<std::string>& endings);

/// The targets of `#include "..."` and `#include <...>` lines, without the brackets.
std::vector<std::string> includesOf(const SourceFile& file);
