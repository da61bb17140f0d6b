// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/file_identity.h"

#include <sys/stat.h>

#include <chrono>

namespace core {
namespace {

constexpr std::int64_t kNanoseconds = 1'000'000'000;
constexpr std::int64_t kFresh = 2 * kNanoseconds;

}  // namespace

bool FileIdentity::isFresh() const noexcept {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count() - changed < kFresh;
}

std::optional<FileIdentity> identityOf(const Path& path) noexcept {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return FileIdentity{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
                        status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec};
}

}  // namespace core
