// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstdint>
#include <optional>

namespace core {

/// Tells one state of a file from every other: another file, or the same one written again,
/// differs.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t bytes = 0;
    std::int64_t changed = 0;  ///< nanoseconds since 1970
    bool operator==(const FileIdentity&) const = default;

    /// Changed so short a time ago that one more change might carry the same time.
    bool isFresh() const noexcept;
};

/// Empty where there is no such file.
std::optional<FileIdentity> identityOf(const Path& path) noexcept;

}  // namespace core
