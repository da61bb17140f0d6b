// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_archive.h"

#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/zip_end.h"

#include <fmt/format.h>
#define ZLIB_CONST  // zlib then reads from const memory
#include <zlib.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace core {
namespace {

/// Deflate shrinks at most by this factor.
constexpr std::uint64_t kMaxInflation = 1032;
/// Bytes read behind a member's name for whoever visits: further fields and a .npy header.
constexpr std::uint64_t kLook = 320;
constexpr unsigned kEncrypted = 0x2041;  ///< flags: encrypted, strongly, masked headers

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

/// Sizes and offset of a member where the 32-bit fields say that they stand in the zip64 field.
void readZip64Sizes(std::string_view extra, ZipMember& member, std::uint64_t& local) {
    while (extra.size() >= 4) {
        const ZipRecord field(extra);
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
        : file_(file), visit_(visit), end_(findZipEnd(file)), beginnings_(file) {}

    ZipArchive read() {
        const std::string text = readZipText(file_, end_.offset, end_.bytes);
        std::string_view rest = text;
        members_.reserve(end_.members);
        starts_.reserve(end_.members);
        for (std::uint64_t i = 0; i < end_.members; ++i) readEntry(rest, i);
        if (!rest.empty())
            refuseZip(file_,
                      fmt::format("the zip directory claims {} members, but has {} bytes more",
                                  end_.members, rest.size()));
        refuseSameNames();
        refuseOverlap();
        return {std::move(members_), std::move(end_.comment)};
    }

  private:
    void readEntry(std::string_view& rest, std::uint64_t number) {
        const ZipRecord record(rest);
        if (rest.size() < kZipCentralBytes || !record.begins("PK\x01\x02"))
            refuseZip(file_, fmt::format("entry {} of the zip directory is damaged", number));
        const std::size_t name = record.u16(28), extra = record.u16(30), comment = record.u16(32);
        if (rest.size() - kZipCentralBytes < name + extra + comment)
            refuseZip(file_, fmt::format("entry {} of the zip directory is cut short", number));
        ZipMember& member = members_.emplace_back();
        member.name = rest.substr(kZipCentralBytes, name);
        member.crc = record.u32(16);
        member.stored = record.u32(20);
        member.bytes = record.u32(24);
        std::uint64_t& start = starts_.emplace_back(record.u32(42));
        readZip64Sizes(rest.substr(kZipCentralBytes + name, extra), member, start);
        checkKind(member, record.u16(8), record.u16(10));
        rest.remove_prefix(kZipCentralBytes + name + extra + comment);
        place(member, start);
    }

    void checkKind(ZipMember& member, unsigned flags, unsigned method) const {
        if (!isUtf8(member.name)) refuseZip(file_, "a member has a name that is not UTF-8");
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
        const std::uint64_t end = end_.offset;
        const std::uint64_t bytes = kZipLocalBytes + member.name.size();
        if (start > end || end - start < bytes)
            fail(member, fmt::format("is said to begin at byte {} of {}", start, end));
        head_.resize(std::min(end - start, bytes + (visit_ ? kLook : 0)));
        file_.readAt(start, std::as_writable_bytes(std::span(head_)));
        const ZipRecord record(head_);
        if (!record.begins("PK\x03\x04"))
            fail(member, fmt::format("is said to begin at byte {}, where no member does", start));
        if (record.u16(26) != member.name.size() ||
            std::string_view(head_).substr(kZipLocalBytes, member.name.size()) != member.name ||
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
                refuseZip(file_,
                          fmt::format("member '{}' occurs twice", printable(*names[i].second)));
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
        refuseZip(file_, fmt::format("member '{}' {}", printable(member.name), text), hint);
    }

    const File& file_;
    const ZipVisitor& visit_;
    ZipEnd end_;
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
