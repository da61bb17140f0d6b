// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/byte_digest.h"

#include <array>
#include <cstring>

namespace core {
namespace {

__extension__ using Wide = unsigned __int128;

// Odd constants with half of their bits set (fractions of the golden ratio and of square roots).
constexpr std::uint64_t kA = 0x9E3779B97F4A7C15ULL;
constexpr std::uint64_t kB = 0xBF58476D1CE4E5B9ULL;
constexpr std::uint64_t kC = 0x94D049BB133111EBULL;
constexpr std::uint64_t kD = 0xD6E8FEB86659FD93ULL;
constexpr std::size_t kStep = 32;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

struct State {
    std::uint64_t first = kC;
    std::uint64_t second = kD;

    void add(const std::byte* bytes) noexcept {
        std::array<std::uint64_t, 4> words;  // NOLINT(*-member-init): filled by the next line
        std::memcpy(words.data(), bytes, kStep);
        first = fold(words[0] ^ kA ^ first, words[1] ^ kB ^ (first >> 32U));
        second = fold(words[2] ^ kB ^ second, words[3] ^ kA ^ (second >> 32U));
    }
};

}  // namespace

ByteDigest digestOf(std::span<const std::byte> bytes) noexcept {
    State state;
    std::size_t at = 0;
    for (; at + kStep <= bytes.size(); at += kStep) state.add(bytes.data() + at);
    std::array<std::byte, kStep> last{};
    if (at < bytes.size()) {
        std::memcpy(last.data(), bytes.data() + at, bytes.size() - at);
        state.add(last.data());
    }
    const auto length = static_cast<std::uint64_t>(bytes.size());
    return combine({state.first, state.second}, {length, ~length});
}

ByteDigest combine(const ByteDigest& before, const ByteDigest& next) noexcept {
    const std::uint64_t high = fold(before.high ^ next.low ^ kA, before.low ^ kC);
    const std::uint64_t low = fold(before.low ^ next.high ^ kB, before.high ^ next.low ^ kD);
    return {high ^ next.high, low ^ high};
}

}  // namespace core
