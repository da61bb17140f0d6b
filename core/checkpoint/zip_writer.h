// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// A zip archive of stored members whose places are known before their contents: one after the
/// other, each content at a multiple of 64 bytes. Sizes, places and counts that 32 or 16 bits
/// cannot hold stand in zip64 fields. The bytes depend on nothing else (all times are 1980-01-01).
class ZipLayout {
  public:
    /// Sizes and places from `wide` on go into zip64 fields; less than 2^32 - 1 only in tests.
    explicit ZipLayout(std::uint64_t wide = 0xFFFFFFFF) : wide_(wide) {}

    /// Places a member with `bytes` bytes of content; where the content begins in the archive.
    std::uint64_t add(std::string name, std::uint64_t bytes);
    std::size_t members() const noexcept { return members_.size(); }

    /// What stands before the content of a member, and where. `crc`: CRC-32 of the content.
    std::string head(std::size_t index, std::uint32_t crc) const;
    std::uint64_t headOffset(std::size_t index) const { return members_[index].head; }

    /// What stands behind all members, and where. `comment` has at most 65535 bytes.
    std::string tail(std::span<const std::uint32_t> crcs, std::string_view comment) const;
    std::uint64_t tailOffset() const noexcept { return end_; }

  private:
    struct Member {
        std::string name;
        std::uint64_t bytes = 0;
        std::uint64_t head = 0;     ///< where its own head begins
        std::uint64_t content = 0;  ///< and its content
    };
    std::string entry(const Member& member, std::uint32_t crc) const;

    std::uint64_t wide_;
    std::vector<Member> members_;
    std::uint64_t end_ = 0;
};

}  // namespace core
