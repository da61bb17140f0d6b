// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_end.h"

#include "core/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <vector>

namespace core {
namespace {

constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64LocatorBytes = 20;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kMostComment = 65535;
constexpr std::uint64_t kMostDirectory = std::uint64_t{64} << 20U;
constexpr std::uint64_t kMostMembers = 500'000;

/// The last record of an archive; the archive's comment follows it.
struct EndRecord {
    std::uint64_t at = 0;
    std::string bytes;
};

/// Every place is looked at where an end record would have a comment that ends with the file: two
/// such places are two archives in one, of which programs would read different ones.
EndRecord findEndRecord(const File& file) {
    const std::uint64_t size = file.size();
    if (size < kEndBytes)
        refuseZip(file, fmt::format("{} bytes are too few for a zip archive", size));
    const std::uint64_t bytes = std::min<std::uint64_t>(size, kEndBytes + kMostComment);
    const std::string tail = readZipText(file, size - bytes, bytes);
    std::vector<std::size_t> found;
    for (std::size_t i = tail.find("PK\x05\x06"); i <= tail.size() - kEndBytes;
         i = tail.find("PK\x05\x06", i + 1))
        if (ZipRecord(std::string_view(tail).substr(i)).u16(20) == tail.size() - i - kEndBytes)
            found.push_back(i);
    if (found.empty()) refuseZip(file, "the directory at the end of the zip archive is missing");
    if (found.size() > 1)
        refuseZip(file,
                  fmt::format("the zip archive has two end records, at bytes {} and {}",
                              size - bytes + found[0], size - bytes + found[1]),
                  "write the file anew");
    return {size - bytes + found[0], tail.substr(found[0])};
}

struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t members = 0;
    std::uint64_t end = 0;  ///< where the records behind it begin
};

/// Replaces what the end record says by the zip64 end record that stands before it, if one does.
void readZip64End(const File& file, const EndRecord& end, Directory& directory) {
    if (end.at < kEnd64LocatorBytes + kEnd64Bytes) return;
    const std::uint64_t mark = end.at - kEnd64LocatorBytes;
    const std::string locator = readZipText(file, mark, kEnd64LocatorBytes);
    if (!ZipRecord(locator).begins("PK\x06\x07")) return;
    const std::uint64_t at = ZipRecord(locator).u64(8);
    if (at > mark - kEnd64Bytes)
        refuseZip(file,
                  fmt::format("the zip64 directory is said to end at byte {}, which is behind "
                              "its own mark at {}",
                              at, mark));
    const std::string text = readZipText(file, at, kEnd64Bytes);
    const ZipRecord record(text);
    if (!record.begins("PK\x06\x06") || record.u64(4) != mark - at - 12)
        refuseZip(file,
                  fmt::format("no zip64 directory stands at byte {}, where it is said to", at));
    const Directory large{record.u64(48), record.u64(40), record.u64(32), at};
    if ((directory.offset != kInZip64 && directory.offset != large.offset) ||
        (directory.bytes != kInZip64 && directory.bytes != large.bytes) ||
        (directory.members != 0xFFFF && directory.members != large.members))
        refuseZip(file, "the two end records of the zip archive contradict each other");
    directory = large;
}

}  // namespace

void refuseZip(const File& file, const std::string& text, const char* hint) {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", file.path().string(), text), hint);
}

std::string readZipText(const File& file, std::uint64_t offset, std::uint64_t bytes) {
    std::string text(bytes, '\0');
    file.readAt(offset, std::as_writable_bytes(std::span(text)));
    return text;
}

ZipEnd findZipEnd(const File& file) {
    const EndRecord end = findEndRecord(file);
    const ZipRecord record(end.bytes);
    Directory directory{record.u32(16), record.u32(12), record.u16(10), end.at};
    readZip64End(file, end, directory);
    const auto zeroOr = [](std::uint16_t value, std::uint16_t other) {
        return value == 0 || value == other;
    };
    if (!zeroOr(record.u16(4), 0xFFFF) || !zeroOr(record.u16(6), 0xFFFF) ||
        record.u16(8) != record.u16(10))
        refuseZip(file, "the zip archive is one of several parts", "join the parts first");
    if (directory.bytes > directory.end || directory.offset != directory.end - directory.bytes)
        refuseZip(file,
                  fmt::format("the zip directory claims bytes {} + {}, but ends at {}",
                              directory.offset, directory.bytes, directory.end),
                  "bytes were added or lost: copy the file again or write it anew");
    if (directory.bytes > kMostDirectory || directory.members > kMostMembers ||
        directory.members > directory.bytes / kZipCentralBytes)
        refuseZip(file,
                  fmt::format("the zip directory of {} bytes claims {} members (at most {} are "
                              "read)",
                              directory.bytes, directory.members, kMostMembers));
    return {directory.offset, directory.bytes, directory.members, end.bytes.substr(kEndBytes)};
}

}  // namespace core
