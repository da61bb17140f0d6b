// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// A file inside a zip archive (PKWARE APPNOTE 6.3; zip64 where sizes need it).
struct ZipMember {
    std::string name;
    bool deflated = false;     ///< else stored as it is
    std::uint64_t offset = 0;  ///< of its data in the archive
    std::uint64_t stored = 0;  ///< bytes in the archive
    std::uint64_t bytes = 0;   ///< bytes of the content
    std::uint32_t crc = 0;     ///< CRC-32 of the content
};

struct ZipArchive {
    std::vector<ZipMember> members;  ///< in the order of the archive's directory
    std::string comment;             ///< behind the directory, mostly empty
};

/// Called for each member with the first bytes of its content, as many as came along: some hundred,
/// fewer where the content is shorter, perhaps none.
using ZipVisitor = std::function<void(const ZipMember&, std::string_view begin)>;

/// BadInput, naming the member, unless every member lies before the directory and apart from the
/// others, is stored or deflated (not encrypted), claims no more than its packed bytes can hold,
/// has a name of its own and the same one in the directory and at its place. The archive must be
/// the whole file and its end unambiguous.
ZipArchive readZipArchive(const File& file, const ZipVisitor& visit = {});

/// The members alone.
std::vector<ZipMember> readZipDirectory(const File& file);

/// Bytes [begin, begin + into.size()) of a member's content. A deflated one is inflated from its
/// start; `ZipStream` serves readers that go forward.
void readZipMember(const File& file, const ZipMember& member, std::uint64_t begin,
                   std::span<std::byte> into);

/// A member's content from its first byte on, in bounded memory. The file must outlive it.
class ZipStream {
  public:
    ZipStream(const File& file, const ZipMember& member);
    ZipStream(ZipStream&& other) noexcept;
    ZipStream& operator=(ZipStream&& other) noexcept;
    ZipStream(const ZipStream&) = delete;
    ZipStream& operator=(const ZipStream&) = delete;
    ~ZipStream();

    /// Where the next read begins.
    std::uint64_t position() const noexcept { return position_; }
    /// The next bytes; BadInput when the packed data are damaged or end early. The checksum of a
    /// deflated member is compared once its last byte was read.
    void read(std::span<std::byte> into);
    void skip(std::uint64_t bytes);

  private:
    struct Inflater;
    const File* file_;
    ZipMember member_;
    std::uint64_t position_ = 0;
    std::unique_ptr<Inflater> inflater_;  ///< a stored member has none
};

}  // namespace core
