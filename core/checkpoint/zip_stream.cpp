// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/checkpoint/zip_archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

namespace core {
namespace {

constexpr std::size_t kPacked = 65536;  ///< packed bytes that are read at once

}  // namespace

struct ZipStream::Inflater {
    explicit Inflater(const File& file) {
        if (inflateInit2(&state, -MAX_WBITS) != Z_OK)
            throw Error(ErrorKind::OutOfMemory, "no memory to unpack " + file.path().string());
    }
    Inflater(const Inflater&) = delete;
    Inflater& operator=(const Inflater&) = delete;
    ~Inflater() { inflateEnd(&state); }

    z_stream state{};
    std::unique_ptr<std::byte[]> packed = std::make_unique_for_overwrite<std::byte[]>(kPacked);
    std::uint64_t fetched = 0;  ///< packed bytes read from the file
    std::uint32_t crc = 0;      ///< of the content so far
};

ZipStream::ZipStream(const File& file, const ZipMember& member) : file_(&file), member_(member) {
    if (member.deflated) inflater_ = std::make_unique<Inflater>(file);
}

ZipStream::ZipStream(ZipStream&& other) noexcept = default;
ZipStream& ZipStream::operator=(ZipStream&& other) noexcept = default;
ZipStream::~ZipStream() = default;

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
            const std::size_t next =
                std::min<std::uint64_t>(kPacked, member_.stored - inflater_->fetched);
            const std::span<std::byte> piece(inflater_->packed.get(), next);
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
        inflater_->crc = static_cast<std::uint32_t>(
            crc32_z(inflater_->crc, reinterpret_cast<const Bytef*>(into.data()), made));
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
        if (position_ == member_.bytes && inflater_->crc != member_.crc)
            throw Error(ErrorKind::BadInput,
                        fmt::format("{}: the checksum of member '{}' is {:08x}, expected {:08x}",
                                    file_->path().string(), printable(member_.name), inflater_->crc,
                                    member_.crc),
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
