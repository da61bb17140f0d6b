// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_writer.h"

#include "core/base/error.h"
#include "core/checkpoint/zip_end.h"

#include <algorithm>
#include <utility>

namespace core {
namespace {

constexpr std::uint64_t kAlignment = 64;
constexpr std::uint64_t kZip64Bytes = 20;  ///< the field with two sizes
/// Android's zipalign field: the alignment, then zeros as far as it takes.
constexpr std::uint16_t kAlignmentField = 0xD935;
constexpr std::uint64_t kAlignmentBytes = 6;
constexpr std::uint16_t kVersion = 20;
constexpr std::uint16_t kVersionZip64 = 45;
constexpr std::uint16_t kUtf8Name = 0x800;
constexpr std::uint16_t kFirstOfJanuary1980 = 0x21;
constexpr std::uint16_t kUnix = 3 << 8;
constexpr std::uint32_t kPlainFile = 0100644U << 16U;

/// Little-endian numbers and texts, one after the other.
class Record {
  public:
    explicit Record(std::string_view mark) : bytes_(mark) {}
    Record& u16(std::uint64_t value) { return number(value, 2); }
    Record& u32(std::uint64_t value) { return number(value, 4); }
    Record& u64(std::uint64_t value) { return number(value, 8); }
    Record& text(std::string_view value) {
        bytes_ += value;
        return *this;
    }
    std::string take() { return std::move(bytes_); }

  private:
    Record& number(std::uint64_t value, unsigned bytes) {
        for (unsigned i = 0; i < bytes; ++i) bytes_ += static_cast<char>(value >> (8 * i) & 0xFFU);
        return *this;
    }
    std::string bytes_;
};

std::uint16_t flagsOf(std::string_view name) {
    const bool ascii = std::all_of(name.begin(), name.end(),
                                   [](char c) { return static_cast<signed char>(c) > 0; });
    return ascii ? 0 : kUtf8Name;
}

}  // namespace

std::uint64_t ZipLayout::add(std::string name, std::uint64_t bytes) {
    CORE_CHECK(name.size() <= 0xFFFF, "a name that a zip archive can hold");
    const std::uint64_t head = end_;
    const std::uint64_t least =
        head + kZipLocalBytes + name.size() + (bytes >= wide_ ? kZip64Bytes : 0) + kAlignmentBytes;
    const std::uint64_t content = (least + kAlignment - 1) / kAlignment * kAlignment;
    members_.push_back({std::move(name), bytes, head, content});
    end_ = content + bytes;
    return content;
}

std::string ZipLayout::head(std::size_t index, std::uint32_t crc) const {
    const Member& member = members_[index];
    const bool wide = member.bytes >= wide_;
    const std::uint64_t bytes = wide ? 0xFFFFFFFF : member.bytes;
    const std::uint64_t extra = member.content - member.head - kZipLocalBytes - member.name.size();
    Record record("PK\x03\x04");
    record.u16(wide ? kVersionZip64 : kVersion).u16(flagsOf(member.name)).u16(0);
    record.u16(0).u16(kFirstOfJanuary1980).u32(crc).u32(bytes).u32(bytes);
    record.u16(member.name.size()).u16(extra).text(member.name);
    if (wide) record.u16(1).u16(16).u64(member.bytes).u64(member.bytes);
    const std::uint64_t rest = extra - (wide ? kZip64Bytes : 0) - kAlignmentBytes;
    record.u16(kAlignmentField).u16(2 + rest).u16(kAlignment).text(std::string(rest, '\0'));
    return record.take();
}

std::string ZipLayout::entry(const Member& member, std::uint32_t crc) const {
    const bool wideBytes = member.bytes >= wide_;
    const bool wideHead = member.head >= wide_;
    const std::uint64_t bytes = wideBytes ? 0xFFFFFFFF : member.bytes;
    const std::uint64_t extra = (wideBytes ? 16U : 0U) + (wideHead ? 8U : 0U);
    const std::uint16_t version = extra > 0 ? kVersionZip64 : kVersion;
    Record record("PK\x01\x02");
    record.u16(kUnix | version).u16(version).u16(flagsOf(member.name)).u16(0);
    record.u16(0).u16(kFirstOfJanuary1980).u32(crc).u32(bytes).u32(bytes);
    record.u16(member.name.size()).u16(extra > 0 ? 4 + extra : 0).u16(0).u16(0).u16(0);
    record.u32(kPlainFile).u32(wideHead ? 0xFFFFFFFF : member.head).text(member.name);
    if (extra > 0) record.u16(1).u16(extra);
    if (wideBytes) record.u64(member.bytes).u64(member.bytes);
    if (wideHead) record.u64(member.head);
    return record.take();
}

std::string ZipLayout::tail(std::span<const std::uint32_t> crcs, std::string_view comment) const {
    CORE_CHECK(crcs.size() == members_.size(), "a checksum for each member");
    CORE_CHECK(comment.size() <= 0xFFFF, "a comment that a zip archive can hold");
    std::string directory;
    for (std::size_t i = 0; i < members_.size(); ++i) directory += entry(members_[i], crcs[i]);
    const std::uint64_t bytes = directory.size(), count = members_.size();
    const bool wide = end_ >= wide_ || bytes >= wide_ || count >= 0xFFFF;
    Record record(directory);
    if (wide) {
        record.text("PK\x06\x06").u64(44).u16(kUnix | kVersionZip64).u16(kVersionZip64);
        record.u32(0).u32(0).u64(count).u64(count).u64(bytes).u64(end_);
        record.text("PK\x06\x07").u32(0).u64(end_ + bytes).u32(1);
    }
    const auto narrow = [&](std::uint64_t value) { return value >= wide_ ? 0xFFFFFFFF : value; };
    const std::uint64_t counted = std::min<std::uint64_t>(count, 0xFFFF);
    record.text("PK\x05\x06").u16(0).u16(0).u16(counted).u16(counted);
    record.u32(narrow(bytes)).u32(narrow(end_)).u16(comment.size()).text(comment);
    return record.take();
}

}  // namespace core
