// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_archive.h"

#include "core/base/error.h"
#include "core/base/text.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64LocatorBytes = 20;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kMostComment = 65535;
constexpr std::uint64_t kMostDirectory = std::uint64_t{256} << 20U;
constexpr std::uint64_t kMostMembers = 1'000'000;
/// Deflate shrinks at most by this factor.
constexpr std::uint64_t kMaxInflation = 1032;

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

struct Directory {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
    std::uint64_t members = 0;
};

/// The zip64 end record that stands before the end record at `end`.
std::optional<Directory> findZip64(const File& file, std::uint64_t end) {
    if (end < kEnd64LocatorBytes + kEnd64Bytes) return std::nullopt;
    const std::string locator = readText(file, end - kEnd64LocatorBytes, kEnd64LocatorBytes);
    if (!Record(locator).begins("PK\x06\x07")) return std::nullopt;
    const std::uint64_t at = Record(locator).u64(8);
    if (at > end - kEnd64LocatorBytes - kEnd64Bytes)
        refuse(file, fmt::format("the zip64 directory is said to end at byte {}, which is behind "
                                 "its own mark at {}",
                                 at, end - kEnd64LocatorBytes));
    const std::string record = readText(file, at, kEnd64Bytes);
    if (!Record(record).begins("PK\x06\x06"))
        refuse(file, fmt::format("no zip64 directory stands at byte {}, where it is said to", at));
    return Directory{Record(record).u64(48), Record(record).u64(40), Record(record).u64(32)};
}

Directory findDirectory(const File& file) {
    const std::uint64_t size = file.size();
    if (size < kEndBytes) refuse(file, fmt::format("{} bytes are too few for a zip archive", size));
    const std::uint64_t bytes = std::min<std::uint64_t>(size, kEndBytes + kMostComment);
    const std::string tail = readText(file, size - bytes, bytes);
    std::size_t at = std::string::npos;
    for (std::size_t i = tail.size() - kEndBytes + 1; i-- > 0 && at == std::string::npos;)
        if (std::string_view(tail).substr(i).starts_with("PK\x05\x06") &&
            Record(std::string_view(tail).substr(i)).u16(20) == tail.size() - i - kEndBytes)
            at = i;
    if (at == std::string::npos)
        refuse(file, "the directory at the end of the zip archive is missing");
    const std::uint64_t end = size - bytes + at;
    const Record record(std::string_view(tail).substr(at));
    Directory directory{record.u32(16), record.u32(12), record.u16(10)};
    if (directory.offset == 0xFFFFFFFF || directory.bytes == 0xFFFFFFFF ||
        directory.members == 0xFFFF)
        directory = findZip64(file, end).value_or(directory);
    if (directory.bytes > end || directory.offset > end - directory.bytes)
        refuse(file, fmt::format("the zip directory claims bytes {} + {}, the archive ends at {}",
                                 directory.offset, directory.bytes, end));
    if (directory.bytes > kMostDirectory || directory.members > kMostMembers ||
        directory.members > directory.bytes / kCentralBytes)
        refuse(file, fmt::format("the zip directory of {} bytes claims {} members", directory.bytes,
                                 directory.members));
    return directory;
}

/// Sizes and offset of a member where the 32-bit fields say that they stand in the zip64 field.
void readZip64(std::string_view extra, ZipMember& member, std::uint64_t& local) {
    while (extra.size() >= 4) {
        const Record field(extra);
        const std::size_t bytes = field.u16(2);
        if (bytes > extra.size() - 4) return;
        if (field.u16(0) == 1) {
            std::size_t at = 4;
            for (std::uint64_t* value : {&member.bytes, &member.stored, &local}) {
                if (*value != 0xFFFFFFFF || at + 8 > 4 + bytes) continue;
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
    explicit DirectoryReader(const File& file)
        : file_(file), directory_(findDirectory(file)), size_(file.size()) {}

    std::vector<ZipMember> read() {
        const std::string text = readText(file_, directory_.offset, directory_.bytes);
        std::string_view rest = text;
        std::vector<ZipMember> members;
        std::unordered_set<std::string> names;
        members.reserve(directory_.members);
        for (std::uint64_t i = 0; i < directory_.members; ++i) {
            members.push_back(readEntry(rest, i));
            if (!names.insert(members.back().name).second)
                refuse(file_,
                       fmt::format("member '{}' occurs twice", printable(members.back().name)));
        }
        refuseOverlap(members);
        return members;
    }

  private:
    ZipMember readEntry(std::string_view& rest, std::uint64_t number) const {
        const Record record(rest);
        if (rest.size() < kCentralBytes || !record.begins("PK\x01\x02"))
            refuse(file_, fmt::format("entry {} of the zip directory is damaged", number));
        const std::size_t name = record.u16(28), extra = record.u16(30), comment = record.u16(32);
        if (rest.size() - kCentralBytes < name + extra + comment)
            refuse(file_, fmt::format("entry {} of the zip directory is cut short", number));
        ZipMember member;
        member.name = rest.substr(kCentralBytes, name);
        member.crc = record.u32(16);
        member.stored = record.u32(20);
        member.bytes = record.u32(24);
        std::uint64_t local = record.u32(42);
        readZip64(rest.substr(kCentralBytes + name, extra), member, local);
        checkKind(member, record.u16(8), record.u16(10));
        rest.remove_prefix(kCentralBytes + name + extra + comment);
        place(member, local);
        return member;
    }

    void checkKind(ZipMember& member, unsigned flags, unsigned method) const {
        if (!isUtf8(member.name)) refuse(file_, "a member has a name that is not UTF-8");
        if ((flags & 1U) != 0) fail(member, "is encrypted", "decrypt it first");
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

    void place(ZipMember& member, std::uint64_t local) const {
        if (local > size_ || size_ - local < kLocalBytes)
            fail(member, fmt::format("is said to begin at byte {} of {}", local, size_));
        const std::string head = readText(file_, local, kLocalBytes);
        if (!Record(head).begins("PK\x03\x04"))
            fail(member, fmt::format("is said to begin at byte {}, where no member does", local));
        member.offset =
            local + kLocalBytes + Record(head).u16(26) + std::uint64_t{Record(head).u16(28)};
        if (member.offset > size_ || member.stored > size_ - member.offset)
            fail(member, fmt::format("needs bytes {} + {}, but the file ends at {}", member.offset,
                                     member.stored, size_));
    }

    /// Members that share bytes are how zip bombs are made.
    void refuseOverlap(const std::vector<ZipMember>& members) const {
        std::vector<const ZipMember*> ordered;
        ordered.reserve(members.size());
        for (const ZipMember& member : members)
            if (member.stored > 0) ordered.push_back(&member);
        std::sort(ordered.begin(), ordered.end(),
                  [](const ZipMember* a, const ZipMember* b) { return a->offset < b->offset; });
        for (std::size_t i = 1; i < ordered.size(); ++i)
            if (ordered[i - 1]->offset + ordered[i - 1]->stored > ordered[i]->offset)
                fail(*ordered[i],
                     fmt::format("shares bytes with '{}'", printable(ordered[i - 1]->name)));
    }

    [[noreturn]] void fail(const ZipMember& member, const std::string& text,
                           const char* hint = "the file is damaged: copy it again") const {
        refuse(file_, fmt::format("member '{}' {}", printable(member.name), text), hint);
    }

    const File& file_;
    Directory directory_;
    std::uint64_t size_;
};

}  // namespace

std::vector<ZipMember> readZipDirectory(const File& file) { return DirectoryReader(file).read(); }

struct ZipStream::Inflater {
    z_stream state{};
    std::array<std::byte, 65536> packed{};
    std::uint64_t fetched = 0;  ///< packed bytes read from the file
    ~Inflater() { inflateEnd(&state); }
};

ZipStream::ZipStream(const File& file, const ZipMember& member) : file_(&file), member_(member) {
    if (!member.deflated) return;
    inflater_ = new Inflater;
    if (inflateInit2(&inflater_->state, -MAX_WBITS) == Z_OK) return;
    delete std::exchange(inflater_, nullptr);
    throw Error(ErrorKind::OutOfMemory, "no memory to unpack " + file.path().string());
}

ZipStream::ZipStream(ZipStream&& other) noexcept
    : file_(other.file_),
      member_(std::move(other.member_)),
      position_(other.position_),
      inflater_(std::exchange(other.inflater_, nullptr)) {}

ZipStream& ZipStream::operator=(ZipStream&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(member_, other.member_);
    std::swap(position_, other.position_);
    std::swap(inflater_, other.inflater_);
    return *this;
}

ZipStream::~ZipStream() { delete inflater_; }

void ZipStream::read(std::span<std::byte> into) {
    CORE_CHECK(into.size() <= member_.bytes - position_, "bytes inside member " + member_.name);
    if (inflater_ == nullptr) {
        file_->readAt(member_.offset + position_, into);
        position_ += into.size();
        return;
    }
    z_stream& state = inflater_->state;
    while (!into.empty()) {
        if (state.avail_in == 0) {
            const std::size_t next = std::min<std::uint64_t>(inflater_->packed.size(),
                                                             member_.stored - inflater_->fetched);
            const std::span<std::byte> piece = std::span(inflater_->packed).first(next);
            file_->readAt(member_.offset + inflater_->fetched, piece);
            inflater_->fetched += next;
            state.next_in = reinterpret_cast<Bytef*>(piece.data());
            state.avail_in = static_cast<uInt>(next);
        }
        const std::size_t asked = std::min<std::size_t>(into.size(), std::size_t{1} << 30U);
        state.next_out = reinterpret_cast<Bytef*>(into.data());
        state.avail_out = static_cast<uInt>(asked);
        const int result = inflate(&state, Z_NO_FLUSH);
        const std::size_t made = asked - state.avail_out;
        into = into.subspan(made);
        position_ += made;
        const bool starved =
            made == 0 && state.avail_in == 0 && inflater_->fetched == member_.stored;
        if ((result != Z_OK && result != Z_BUF_ERROR && result != Z_STREAM_END) ||
            (!into.empty() && (result == Z_STREAM_END || starved)))
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: the packed data of member '{}' are damaged behind byte {}",
                                    file_->path().string(), printable(member_.name), position_),
                        "copy or download the file again");
    }
}

void ZipStream::skip(std::uint64_t bytes) {
    CORE_CHECK(bytes <= member_.bytes - position_, "bytes inside member " + member_.name);
    if (inflater_ == nullptr) {
        position_ += bytes;
        return;
    }
    std::array<std::byte, 65536> unused{};
    while (bytes > 0) {
        const std::size_t next = std::min<std::uint64_t>(bytes, unused.size());
        read(std::span(unused).first(next));
        bytes -= next;
    }
}

void readZipMember(const File& file, const ZipMember& member, std::uint64_t begin,
                   std::span<std::byte> into) {
    ZipStream stream(file, member);
    stream.skip(begin);
    stream.read(into);
}

}  // namespace core
