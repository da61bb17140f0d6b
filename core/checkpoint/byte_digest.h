// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace core {

/// 128 bits that tell byte strings apart (not against someone who wants them to collide).
struct ByteDigest {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    bool operator==(const ByteDigest&) const = default;
    bool operator<(const ByteDigest& other) const noexcept {
        return high != other.high ? high < other.high : low < other.low;
    }
};

ByteDigest digestOf(std::span<const std::byte> bytes) noexcept;

/// The digest of a sequence of digests, one more at a time.
ByteDigest combine(const ByteDigest& before, const ByteDigest& next) noexcept;

}  // namespace core
