// SPDX-License-Identifier: Apache-2.0
#include "core/run/memory.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace core {
namespace {

constexpr std::uint64_t kKilo = 1024;

/// The number in the line of a /proc or control group file that begins with `key`.
std::optional<std::uint64_t> keyedNumber(const char* file, const std::string& key) {
    std::ifstream lines(file);
    for (std::string word; lines >> word; lines.ignore(4096, '\n')) {
        std::uint64_t value = 0;
        if (word == key && lines >> value) return value;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> numberIn(const char* file) {
    std::uint64_t value = 0;
    if (std::ifstream(file) >> value) return value;
    return std::nullopt;
}

}  // namespace

std::uint64_t availableMemoryBytes() {
    std::uint64_t available = std::numeric_limits<std::uint64_t>::max();
    if (const auto free = keyedNumber("/proc/meminfo", "MemAvailable:")) available = *free * kKilo;
    const auto limit = numberIn("/sys/fs/cgroup/memory.max");
    const auto used = numberIn("/sys/fs/cgroup/memory.current");
    const auto cached = keyedNumber("/sys/fs/cgroup/memory.stat", "inactive_file");
    if (limit && used) {
        const std::uint64_t held = *used - std::min(*used, cached.value_or(0));
        available = std::min(available, *limit - std::min(*limit, held));
    }
    struct rlimit space {};
    if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
        const std::uint64_t mapped =
            keyedNumber("/proc/self/status", "VmSize:").value_or(0) * kKilo;
        available = std::min<std::uint64_t>(
            available, space.rlim_cur - std::min<std::uint64_t>(space.rlim_cur, mapped));
    }
    return available;
}

std::uint64_t peakProcessBytes() {
    return keyedNumber("/proc/self/status", "VmHWM:").value_or(0) * kKilo;
}

void requireMemoryBytes(std::uint64_t bytes, std::string_view what) {
    const std::uint64_t available = availableMemoryBytes();
    if (bytes <= available) return;
    throw Error(
        ErrorKind::OutOfMemory,
        fmt::format("{} needs about {} of memory, {} are available", what,
                    formatBytes(static_cast<double>(bytes)),
                    formatBytes(static_cast<double>(available))),
        "take a smaller microbatch (--set microbatch=N), fewer experts, or a larger machine");
}

}  // namespace core
