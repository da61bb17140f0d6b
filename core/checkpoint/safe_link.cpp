// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/safe_link.h"

#include <system_error>

namespace core {

bool isSafeLink(const Path& path, const Path& folder) {
    std::error_code code;
    if (!std::filesystem::is_symlink(path, code)) return !code;
    const Path target = std::filesystem::canonical(path, code);
    if (code) return false;
    const Path home = std::filesystem::canonical(folder, code);
    if (code) return false;
    const Path snapshots = home.parent_path();
    return target.parent_path() == home ||
           (snapshots.filename() == "snapshots" &&
            target.parent_path() == snapshots.parent_path() / "blobs");
}

}  // namespace core
