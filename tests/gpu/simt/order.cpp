// SPDX-License-Identifier: Apache-2.0
#include "tests/gpu/simt/order.h"

#include "tests/gpu/simt/runtime.h"

#include <cstdlib>
#include <random>

namespace simt {
namespace {

std::uint64_t firstSeed() {
    if (const char* set = std::getenv("UPCYCLER_SIMT_SEED"); set != nullptr)
        return std::strtoull(set, nullptr, 10);
    return std::random_device{}();
}

std::uint64_t& seedInUse() {
    static std::uint64_t value = firstSeed();
    return value;
}

std::uint64_t& state() {
    static std::uint64_t value = seedInUse();
    return value;
}

}  // namespace

std::uint64_t seed() { return seedInUse(); }

void setSeed(std::uint64_t value) { state() = seedInUse() = value; }

/// SplitMix64 (Steele, Lea & Flood 2014), its upper half scaled.
std::size_t randomBelow(std::size_t bound) {
    std::uint64_t z = (state() += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    z ^= z >> 31U;
    return ((z >> 32U) * bound) >> 32U;
}

}  // namespace simt
