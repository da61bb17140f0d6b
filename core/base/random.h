// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace core {

/// 64-bit FNV-1a of `name`, mixed with `seed`: the stream number of everything that is random and
/// has a name.
std::uint64_t hashName(std::uint64_t seed, std::string_view name) noexcept;

/// Philox-4x32-10 (Salmon et al., SC 2011): four uniform words for a (key, counter) pair. The same
/// on every device, in any order, on any number of threads.
std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t counterLow,
                                    std::uint64_t counterHigh) noexcept;

/// Random numbers addressed by index: value i depends on (key, i) alone.
class CounterRandom {
  public:
    explicit CounterRandom(std::uint64_t key, std::uint64_t stream = 0) noexcept
        : key_(key), stream_(stream) {}

    std::uint32_t word(std::uint64_t index) const noexcept;
    /// Uniform in [0, 1) with 24 bits.
    float uniform(std::uint64_t index) const noexcept;
    /// Standard normal (Box-Muller on two words of the same counter).
    float normal(std::uint64_t index) const noexcept;
    /// into[i] = normal(begin + i): the same numbers in half the time.
    void normals(std::uint64_t begin, std::span<float> into) const noexcept;
    /// Uniform in [0, bound), bound > 0, without modulo bias beyond 2^-32.
    std::uint64_t below(std::uint64_t index, std::uint64_t bound) const noexcept;

  private:
    struct NormalPair {
        float even, odd;
    };
    NormalPair normalPair(std::uint64_t index) const noexcept;

    std::uint64_t key_;
    std::uint64_t stream_;
};

}  // namespace core
