// SPDX-License-Identifier: Apache-2.0
#include "core/base/random.h"

#include <cmath>
#include <numbers>

namespace core {
namespace {

constexpr std::uint32_t kMultiplierA = 0xD2511F53U;
constexpr std::uint32_t kMultiplierB = 0xCD9E8D57U;
constexpr std::uint32_t kWeylA = 0x9E3779B9U;
constexpr std::uint32_t kWeylB = 0xBB67AE85U;

std::uint32_t high(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32U); }
std::uint32_t low(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

}  // namespace

std::uint64_t hashName(std::uint64_t seed, std::string_view name) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
    hash ^= seed + 0x9E3779B97F4A7C15ULL + (hash << 6U) + (hash >> 2U);
    hash = (hash ^ (hash >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    hash = (hash ^ (hash >> 27U)) * 0x94D049BB133111EBULL;
    return hash ^ (hash >> 31U);
}

std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counterLow,
                                    std::uint64_t counterHigh) noexcept {
    std::array<std::uint32_t, 4> c{low(counterLow), high(counterLow), low(counterHigh),
                                   high(counterHigh)};
    std::uint32_t keyA = low(key);
    std::uint32_t keyB = high(key);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{kMultiplierA} * c[0];
        const std::uint64_t b = std::uint64_t{kMultiplierB} * c[2];
        c = {high(b) ^ c[1] ^ keyA, low(b), high(a) ^ c[3] ^ keyB, low(a)};
        keyA += kWeylA;
        keyB += kWeylB;
    }
    return c;
}

std::uint32_t CounterRandom::word(std::uint64_t index) const noexcept {
    return philox(key_, index >> 2U, stream_)[index & 3U];
}

float CounterRandom::uniform(std::uint64_t index) const noexcept {
    return static_cast<float>(word(index) >> 8U) * 0x1.0p-24F;
}

CounterRandom::NormalPair CounterRandom::normalPair(std::uint64_t index) const noexcept {
    const auto words = philox(key_, index, stream_ ^ 0x8000000000000000ULL);
    const std::uint32_t first = words[0];
    const std::uint32_t second = words[1];
    const double u = (static_cast<double>(first) + 1.0) * 0x1.0p-32;
    const double angle = 2.0 * std::numbers::pi * (static_cast<double>(second) * 0x1.0p-32);
    const double radius = std::sqrt(-2.0 * std::log(u));
    return {static_cast<float>(radius * std::cos(angle)),
            static_cast<float>(radius * std::sin(angle))};
}

float CounterRandom::normal(std::uint64_t index) const noexcept {
    const NormalPair pair = normalPair(index >> 1U);
    return (index & 1U) == 0 ? pair.even : pair.odd;
}

void CounterRandom::normals(std::uint64_t begin, std::span<float> into) const noexcept {
    std::size_t i = 0;
    if ((begin & 1U) != 0 && !into.empty()) into[i++] = normal(begin);
    for (; i + 2 <= into.size(); i += 2) {
        const NormalPair pair = normalPair((begin + i) >> 1U);
        into[i] = pair.even;
        into[i + 1] = pair.odd;
    }
    if (i < into.size()) into[i] = normal(begin + i);
}

std::uint64_t CounterRandom::below(std::uint64_t index, std::uint64_t bound) const noexcept {
    const auto words = philox(key_, index, stream_ ^ 0x4000000000000000ULL);
    const std::uint64_t value = (std::uint64_t{words[0]} << 32U) | words[1];
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(value) * bound) >> 64U);
}

}  // namespace core
