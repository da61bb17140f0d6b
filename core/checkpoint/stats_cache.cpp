// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/stats_cache.h"

#include "core/checkpoint/stats_record_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <utility>
#include <vector>

namespace core {
namespace {

constexpr std::uint64_t kMostBytes = 64ULL << 20U;
constexpr std::string_view kEnding = ".stats";

/// Names are of files; the same name may stand for other bytes where a layout maps them.
ByteDigest keyOf(const TensorInfo& tensor) {
    const std::string text =
        fmt::format("{}\n{}\n{}\n{}\n{}", tensor.name, tensor.storedAs, dtypeName(tensor.dtype),
                    toString(tensor.shape), tensor.offset);
    return digestOf(std::as_bytes(std::span(text)));
}

/// Removes the cache files that were used longest ago until the rest is small enough.
void prune(const Path& folder) {
    struct Old {
        std::filesystem::file_time_type used;
        Path file;
        std::uint64_t bytes;
    };
    std::vector<Old> all;
    std::uint64_t total = 0;
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
        if (!entry.path().filename().string().ends_with(kEnding)) continue;
        const auto used = entry.last_write_time(code);
        const std::uint64_t bytes = code ? 0 : entry.file_size(code);
        if (code) continue;
        all.push_back({used, entry.path(), bytes});
        total += bytes;
    }
    std::sort(all.begin(), all.end(), [](const Old& a, const Old& b) { return a.used < b.used; });
    for (const Old& old : all) {
        if (total <= kMostBytes) return;
        std::filesystem::remove(old.file, code);
        total -= old.bytes;
    }
}

Path folderFrom(const char* variable, const char* below) {
    const char* value = std::getenv(variable);
    const Path path = value == nullptr ? "" : value;
    return path.is_absolute() ? path / below / "upcycler" / "stats" : Path();
}

}  // namespace

Path defaultStatsFolder() {
    const Path named = folderFrom("XDG_CACHE_HOME", "");
    return named.empty() ? folderFrom("HOME", ".cache") : named;
}

StatsCache::StatsCache(const Checkpoint& checkpoint, Path folder) : folder_(std::move(folder)) {
    if (folder_.empty()) return;
    for (const std::string& name : checkpoint.files()) {
        Shelf shelf;
        shelf.source = checkpoint.folder() / name;
        const std::optional<FileIdentity> identity = identityOf(shelf.source);
        if (!identity || identity->isFresh()) continue;
        shelf.identity = *identity;
        const ByteDigest digest = digestOf(std::as_bytes(std::span(&*identity, 1)));
        shelf.file = folder_ / fmt::format("{:016x}{:016x}{}", digest.high, digest.low, kEnding);
        load(shelf);
        shelves_.emplace(name, std::move(shelf));
    }
}

void StatsCache::load(Shelf& shelf) const {
    shelf.damaged = true;
    try {
        std::error_code code;
        if (!std::filesystem::exists(shelf.file, code)) return;
        const std::string bytes = readTextFile(shelf.file, kMostBytes);
        StatsRecords records = recordsOf(bytes, shelf.identity);
        shelf.known = std::move(records.found);
        shelf.damaged = !records.whole;
        std::filesystem::last_write_time(shelf.file, std::filesystem::file_time_type::clock::now(),
                                         code);
    } catch (...) {  // NOLINT(bugprone-empty-catch): a cache that cannot be read is not there
    }
}

std::optional<TensorStats> StatsCache::find(const TensorInfo& tensor) const {
    const std::lock_guard lock(mutex_);
    const auto shelf = shelves_.find(tensor.file);
    if (shelf == shelves_.end()) return std::nullopt;
    const auto found = shelf->second.known.find(keyOf(tensor));
    const auto elements = static_cast<std::uint64_t>(tensor.shape.elements());
    if (found == shelf->second.known.end() || found->second.count != elements) return std::nullopt;
    return found->second;
}

void StatsCache::keep(const TensorInfo& tensor, const TensorStats& stats) {
    if (stats.count != static_cast<std::uint64_t>(tensor.shape.elements())) return;
    const std::lock_guard lock(mutex_);
    const auto found = shelves_.find(tensor.file);
    if (found == shelves_.end()) return;
    Shelf& shelf = found->second;
    const ByteDigest key = keyOf(tensor);
    if (identityOf(shelf.source) != shelf.identity || !shelf.known.emplace(key, stats).second)
        return;
    try {
        append(shelf, recordOf(key, stats));
    } catch (...) {  // this process does without the cache from here on
        shelves_.erase(found);
    }
}

void StatsCache::append(Shelf& shelf, const std::string& record) const {
    if (shelf.damaged) {
        std::filesystem::create_directories(folder_);
        std::string all = headerOf(shelf.identity);
        for (const auto& [key, stats] : shelf.known) all += recordOf(key, stats);
        writeTextFile(shelf.file, all);
        prune(folder_);
        shelf.damaged = false;
        return;
    }
    if (!shelf.appended.isOpen()) shelf.appended = File::openForAppending(shelf.file);
    shelf.appended.append(record);
}

}  // namespace core
