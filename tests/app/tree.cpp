// SPDX-License-Identifier: Apache-2.0
#include "tests/app/tree.h"

namespace upcycle_test {

std::map<std::string, std::string> treeOf(const core::Path& folder) {
    std::map<std::string, std::string> tree;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        const std::string name = std::filesystem::relative(entry.path(), folder).string();
        tree[name] = entry.is_regular_file() ? core::readTextFile(entry.path()) : "(folder)";
    }
    return tree;
}

}  // namespace upcycle_test
