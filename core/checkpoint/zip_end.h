// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/file.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace core {

/// Bytes of a member's record in the directory and before its content, each without the name.
inline constexpr std::size_t kZipCentralBytes = 46;
inline constexpr std::size_t kZipLocalBytes = 30;
/// In the place of a size or offset that stands among the zip64 fields.
inline constexpr std::uint32_t kInZip64 = 0xFFFFFFFF;

/// Little-endian numbers of a record whose length was checked.
class ZipRecord {
  public:
    explicit ZipRecord(std::string_view bytes) : bytes_(bytes) {}
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

/// Where the end of an archive says that its directory lies; checked against the file's size.
struct ZipEnd {
    std::uint64_t offset = 0;  ///< of the directory
    std::uint64_t bytes = 0;
    std::uint64_t members = 0;
    std::string comment;
};

/// BadInput unless exactly one end record stands at the end of the file, agrees with its zip64
/// counterpart and claims a directory of bearable size that ends where those records begin.
ZipEnd findZipEnd(const File& file);

[[noreturn]] void refuseZip(const File& file, const std::string& text,
                            const char* hint = "the file is damaged or cut short: copy it again");

std::string readZipText(const File& file, std::uint64_t offset, std::uint64_t bytes);

}  // namespace core
