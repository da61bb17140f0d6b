// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_archive.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#define ZLIB_CONST  // zlib then reads from const memory
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64LocatorBytes = 20;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kMostComment = 65535;
constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;
constexpr std::uint64_t kMostDirectory = std::uint64_t{64} << 20U;
constexpr std::uint64_t kMostMembers = 500'000;
/// Deflate shrinks at most by this factor.
constexpr std::uint64_t kMaxInflation = 1032;
/// Bytes read behind a member's name for whoever visits: further fields and a .npy header.
constexpr std::uint64_t kLook = 320;
constexpr unsigned kEncrypted = 0x2041;  ///< flags: encrypted, strongly, masked headers

/// Little-endian numbers of a record whose length was checked.
class Record {
  public:
    explicit Record(std::string_view bytes) : bytes_(bytes) {}
    std::uint64_t number(std::size_t at, std::size_t width) const {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes_.data() + at, width);
        return value;
    }
    std::uint16_t u16(std::size_t at) const { return static_cast<std::uint16_t>(number(at, 2)); }
    std::uint32_t u32(std::size_t at) const { return static_cast<std::uint32_t>(number(at, 4)); }
    std::uint64_t u64(std::size_t at) const { return number(at, 8); }
    bool begins(std::string_view mark) const { return bytes_.starts_with(mark); }

  private:
    std::string_view bytes_;
};

[[noreturn]] void refuse(const File& file, const std::string& text,
                         const char* hint = "the file is damaged or cut short: copy it again") {
    throw Error(ErrorKind::BadInput, fmt::format("{}: {}", file.path().string(), text), hint);
}

std::string readText(const File& file, std::uint64_t offset, std::uint64_t bytes) {
    std::string text(bytes, '\0');
    file.readAt(offset, std::as_writable_bytes(std::span(text)));
    return text;
}

/// The last record of an archive; the archive's comment follows it.
struct EndRecord {
    std::uint64_t at = 0;
    std::string bytes;
};

/// Every place is looked at where an end record would have a comment that ends with the file: two
/// such places are two archives in one, of which programs would read different ones.
EndRecord findEndRecord(const File& file) {
    const std::uint64_t size = file.size();
    if (size < kEndBytes) refuse(file, fmt::format("{} bytes are too few for a zip archive", size));
    const std::uint64_t bytes = std::min<std::uint64_t>(size, kEndBytes + kMostComment);
    const std::string tail = readText(file, size - bytes, bytes);
    std::vector<std::size_t> found;
    for (std::size_t i = tail.find("PK\x05\x06"); i <= tail.size() - kEndBytes;
         i = tail.find("PK\x05\x06", i + 1))
        if (Record(std::string_view(tail).substr(i)).u16(20) == tail.size() - i - kEndBytes)
            found.push_back(i);
    if (found.empty()) refuse(file, "the directory at the end of the zip archive is missing");
    if (found.size() > 1)
        refuse(file,
               fmt::format("the zip archive has two end records, at bytes {} and {}",
                           size - bytes + found[0], size - bytes + found[1]),
               "write the file anew");
    return {size - bytes + found[0], tail.substr(found[0])};
}

/// The first bytes of deflated contents.
class Beginnings {
  public:
    explicit Beginnings(const File& file) {
        if (inflateInit2(&state_, -MAX_WBITS) != Z_OK)
            throw Error(ErrorKind::OutOfMemory, "no memory to unpack " + file.path().string());
    }
    Beginnings(const Beginnings&) = delete;
    Beginnings& operator=(const Beginnings&) = delete;
    ~Beginnings() { inflateEnd(&state_); }

    std::string_view of(std::string_view packed) {
        inflateReset(&state_);
        state_.next_in = reinterpret_cast<const Bytef*>(packed.data());
        state_.avail_in = static_cast<uInt>(packed.size());
        state_.next_out = reinterpret_cast<Bytef*>(content_.data());
        state_.avail_out = static_cast<uInt>(content_.size());
        inflate(&state_, Z_SYNC_FLUSH);
        return {content_.data(), content_.size() - state_.avail_out};
    }

  private:
    z_stream state_{};
    std::array<char, 256> content_{};
};

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
    const std::string locator = readText(file, mark, kEnd64LocatorBytes);
    if (!Record(locator).begins("PK\x06\x07")) return;
    const std::uint64_t at = Record(locator).u64(8);
    if (at > mark - kEnd64Bytes)
        refuse(file, fmt::format("the zip64 directory is said to end at byte {}, which is behind "
                                 "its own mark at {}",
                                 at, mark));
    const std::string text = readText(file, at, kEnd64Bytes);
    const Record record(text);
    if (!record.begins("PK\x06\x06") || record.u64(4) != mark - at - 12)
        refuse(file, fmt::format("no zip64 directory stands at byte {}, where it is said to", at));
    const Directory large{record.u64(48), record.u64(40), record.u64(32), at};
    if ((directory.offset != kInZip64 && directory.offset != large.offset) ||
        (directory.bytes != kInZip64 && directory.bytes != large.bytes) ||
        (directory.members != 0xFFFF && directory.members != large.members))
        refuse(file, "the two end records of the zip archive contradict each other");
    directory = large;
}

Directory findDirectory(const File& file, const EndRecord& end) {
    const Record record(end.bytes);
    Directory directory{record.u32(16), record.u32(12), record.u16(10), end.at};
    readZip64End(file, end, directory);
    const auto zeroOr = [](std::uint16_t value, std::uint16_t other) {
        return value == 0 || value == other;
    };
    if (!zeroOr(record.u16(4), 0xFFFF) || !zeroOr(record.u16(6), 0xFFFF) ||
        record.u16(8) != record.u16(10))
        refuse(file, "the zip archive is one of several parts", "join the parts first");
    if (directory.bytes > directory.end || directory.offset != directory.end - directory.bytes)
        refuse(file,
               fmt::format("the zip directory claims bytes {} + {}, but ends at {}",
                           directory.offset, directory.bytes, directory.end),
               "bytes were added or lost: copy the file again or write it anew");
    if (directory.bytes > kMostDirectory || directory.members > kMostMembers ||
        directory.members > directory.bytes / kCentralBytes)
        refuse(file, fmt::format("the zip directory of {} bytes claims {} members (at most {} are "
                                 "read)",
                                 directory.bytes, directory.members, kMostMembers));
    return directory;
}

/// Sizes and offset of a member where the 32-bit fields say that they stand in the zip64 field.
void readZip64Sizes(std::string_view extra, ZipMember& member, std::uint64_t& local) {
    while (extra.size() >= 4) {
        const Record field(extra);
        const std::size_t bytes = field.u16(2);
        if (bytes > extra.size() - 4) return;
        if (field.u16(0) == 1) {
            std::size_t at = 4;
            for (std::uint64_t* value : {&member.bytes, &member.stored, &local}) {
                if (*value != kInZip64 || at + 8 > 4 + bytes) continue;
                *value = field.u64(at);
                at += 8;
            }
            return;
        }
        extra.remove_prefix(4 + bytes);
    }
}

class DirectoryReader {
  public:
    DirectoryReader(const File& file, const ZipVisitor& visit)
        : file_(file),
          visit_(visit),
          end_(findEndRecord(file)),
          directory_(findDirectory(file, end_)),
          beginnings_(file) {}

    ZipArchive read() {
        const std::string text = readText(file_, directory_.offset, directory_.bytes);
        std::string_view rest = text;
        members_.reserve(directory_.members);
        starts_.reserve(directory_.members);
        for (std::uint64_t i = 0; i < directory_.members; ++i) readEntry(rest, i);
        if (!rest.empty())
            refuse(file_, fmt::format("the zip directory claims {} members, but has {} bytes more",
                                      directory_.members, rest.size()));
        refuseSameNames();
        refuseOverlap();
        return {std::move(members_), end_.bytes.substr(kEndBytes)};
    }

  private:
    void readEntry(std::string_view& rest, std::uint64_t number) {
        const Record record(rest);
        if (rest.size() < kCentralBytes || !record.begins("PK\x01\x02"))
            refuse(file_, fmt::format("entry {} of the zip directory is damaged", number));
        const std::size_t name = record.u16(28), extra = record.u16(30), comment = record.u16(32);
        if (rest.size() - kCentralBytes < name + extra + comment)
            refuse(file_, fmt::format("entry {} of the zip directory is cut short", number));
        ZipMember& member = members_.emplace_back();
        member.name = rest.substr(kCentralBytes, name);
        member.crc = record.u32(16);
        member.stored = record.u32(20);
        member.bytes = record.u32(24);
        std::uint64_t& start = starts_.emplace_back(record.u32(42));
        readZip64Sizes(rest.substr(kCentralBytes + name, extra), member, start);
        checkKind(member, record.u16(8), record.u16(10));
        rest.remove_prefix(kCentralBytes + name + extra + comment);
        place(member, start);
    }

    void checkKind(ZipMember& member, unsigned flags, unsigned method) const {
        if (!isUtf8(member.name)) refuse(file_, "a member has a name that is not UTF-8");
        if ((flags & kEncrypted) != 0) fail(member, "is encrypted", "decrypt it first");
        if (method != 0 && method != Z_DEFLATED)
            fail(member,
                 fmt::format("is packed by method {}, expected 0 (stored) or 8 (deflated)", method),
                 "write the file anew without compression");
        member.deflated = method == Z_DEFLATED;
        if (!member.deflated && member.bytes != member.stored)
            fail(member,
                 fmt::format("is stored in {} bytes, but has {}", member.stored, member.bytes));
        if (member.deflated && member.bytes / kMaxInflation > member.stored)
            fail(member, fmt::format("claims {} bytes, which {} packed bytes cannot hold",
                                     member.bytes, member.stored));
    }

    /// Sizes are those of the directory: what stands before the data may leave them open.
    void place(ZipMember& member, std::uint64_t start) {
        const std::uint64_t end = directory_.offset;
        const std::uint64_t bytes = kLocalBytes + member.name.size();
        if (start > end || end - start < bytes)
            fail(member, fmt::format("is said to begin at byte {} of {}", start, end));
        head_.resize(std::min(end - start, bytes + (visit_ ? kLook : 0)));
        file_.readAt(start, std::as_writable_bytes(std::span(head_)));
        const Record record(head_);
        if (!record.begins("PK\x03\x04"))
            fail(member, fmt::format("is said to begin at byte {}, where no member does", start));
        if (record.u16(26) != member.name.size() ||
            std::string_view(head_).substr(kLocalBytes, member.name.size()) != member.name ||
            (record.u16(8) == Z_DEFLATED) != member.deflated)
            fail(member, "is another one in the directory than at its own place");
        member.offset = start + bytes + record.u16(28);
        if (member.offset > end || member.stored > end - member.offset)
            fail(member, fmt::format("needs bytes {} + {}, but the members end at {}",
                                     member.offset, member.stored, end));
        if (visit_) visit_(member, beginOf(member, bytes + record.u16(28)));
    }

    /// What of the content came along with the member's head; the data begin at `at` in it.
    std::string_view beginOf(const ZipMember& member, std::uint64_t at) {
        if (at >= head_.size()) return {};
        const std::string_view data = std::string_view(head_).substr(at, member.stored);
        return member.deflated ? beginnings_.of(data).substr(0, member.bytes) : data;
    }

    /// Sorted by hash: a file can neither choose names that take long to compare nor ones that
    /// crowd a table.
    void refuseSameNames() const {
        std::vector<std::pair<std::size_t, const std::string*>> names;
        names.reserve(members_.size());
        for (const ZipMember& member : members_)
            names.emplace_back(std::hash<std::string>{}(member.name), &member.name);
        std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
            return a.first != b.first ? a.first < b.first : *a.second < *b.second;
        });
        for (std::size_t i = 1; i < names.size(); ++i)
            if (names[i - 1].first == names[i].first && *names[i - 1].second == *names[i].second)
                refuse(file_, fmt::format("member '{}' occurs twice", printable(*names[i].second)));
    }

    /// Members that share bytes are how zip bombs are made.
    void refuseOverlap() const {
        std::vector<std::size_t> order(members_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return starts_[a] < starts_[b]; });
        for (std::size_t i = 1; i < order.size(); ++i) {
            const ZipMember& before = members_[order[i - 1]];
            if (before.offset + before.stored > starts_[order[i]])
                fail(members_[order[i]],
                     fmt::format("shares bytes with '{}'", printable(before.name)));
        }
    }

    [[noreturn]] void fail(const ZipMember& member, const std::string& text,
                           const char* hint = "the file is damaged: copy it again") const {
        refuse(file_, fmt::format("member '{}' {}", printable(member.name), text), hint);
    }

    const File& file_;
    const ZipVisitor& visit_;
    EndRecord end_;
    Directory directory_;
    Beginnings beginnings_;
    std::string head_;  ///< of the member looked at
    std::vector<ZipMember> members_;
    std::vector<std::uint64_t> starts_;  ///< where each member's own head begins
};

}  // namespace

ZipArchive readZipArchive(const File& file, const ZipVisitor& visit) {
    return DirectoryReader(file, visit).read();
}

std::vector<ZipMember> readZipDirectory(const File& file) { return readZipArchive(file).members; }

}  // namespace core
