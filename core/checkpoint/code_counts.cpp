// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/checkpoint/code_counts_internal.h"
#include "core/checkpoint/moments_internal.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace core {
namespace {

constexpr std::int64_t kGrain = std::int64_t{1} << 16;
constexpr std::size_t kWays = 4;  ///< tables in turn: equal neighbours would wait for each other

/// The value of every code, by the one conversion that there is.
std::vector<float> valuesOfCodes(DType dtype, std::size_t codes) {
    std::vector<std::byte> raw(codes * dtypeBytes(dtype));
    for (std::size_t code = 0; code < codes; ++code) {
        const auto bits = static_cast<std::uint16_t>(code);
        std::memcpy(raw.data() + code * dtypeBytes(dtype), &bits, dtypeBytes(dtype));
    }
    std::vector<float> values(codes);
    toFloats(values, raw.data(), dtype);
    return values;
}

template <typename Code>
void countInto(std::vector<std::uint32_t>& table, const std::byte* from, std::size_t count) {
    constexpr std::size_t kCodes = std::size_t{1} << (8 * sizeof(Code));
    constexpr std::size_t kTables = sizeof(Code) == 1 ? kWays : 1;
    for (std::size_t i = 0; i < count; ++i) {
        Code code;
        std::memcpy(&code, from + i * sizeof(Code), sizeof(Code));
        ++table[(i % kTables) * kCodes + code];
    }
}

}  // namespace

CodeCounts::CodeCounts(DType dtype)
    : dtype_(dtype), codes_(std::size_t{1} << (8 * dtypeBytes(dtype))), counts_(codes_) {
    CORE_CHECK(dtypeBytes(dtype) <= 2, "a type of 8 or 16 bits");
}

bool CodeCounts::suits(DType dtype, std::int64_t elements) {
    if (dtypeBytes(dtype) == 1) return elements >= (std::int64_t{1} << 10);
    return dtypeBytes(dtype) == 2 && elements >= (std::int64_t{1} << 18);
}

void CodeCounts::add(const std::byte* from, std::size_t count) {
    const auto n = static_cast<std::int64_t>(count);
    const std::size_t width = dtypeBytes(dtype_);
    parts_.resize(static_cast<std::size_t>(parallelParts(n, kGrain)));
    for (std::vector<std::uint32_t>& part : parts_)
        part.assign(codes_ * (width == 1 ? kWays : 1), 0);
    parallelFor(n, kGrain, [&](std::int64_t begin, std::int64_t end, int part) {
        std::vector<std::uint32_t>& table = parts_[static_cast<std::size_t>(part)];
        const std::byte* first = from + static_cast<std::size_t>(begin) * width;
        if (width == 1)
            countInto<std::uint8_t>(table, first, static_cast<std::size_t>(end - begin));
        else
            countInto<std::uint16_t>(table, first, static_cast<std::size_t>(end - begin));
    });
    for (const std::vector<std::uint32_t>& part : parts_)
        for (std::size_t i = 0; i < part.size(); ++i) counts_[i % codes_] += part[i];
}

TensorStats CodeCounts::stats() const {
    const std::vector<float> values = valuesOfCodes(dtype_, codes_);
    Moments moments;
    long double sum = 0;
    for (std::size_t code = 0; code < codes_; ++code) {
        const std::uint64_t count = counts_[code];
        if (count == 0) continue;
        if (!std::isfinite(values[code])) {
            (std::isnan(values[code]) ? moments.nan : moments.infinite) += count;
            continue;
        }
        const auto value = static_cast<double>(values[code]);
        moments.finite += count;
        moments.zeros += value == 0 ? count : 0;
        moments.min = std::min(moments.min, value);
        moments.max = std::max(moments.max, value);
        sum += static_cast<long double>(count) * static_cast<long double>(value);
    }
    if (moments.finite > 0) moments.mean = sum / static_cast<long double>(moments.finite);
    for (std::size_t code = 0; code < codes_; ++code) {
        if (counts_[code] == 0 || !std::isfinite(values[code])) continue;
        const long double apart = static_cast<long double>(values[code]) - moments.mean;
        moments.squares += static_cast<long double>(counts_[code]) * apart * apart;
    }
    TensorStats stats = moments.stats();
    const BinOf bin(stats);
    for (std::size_t code = 0; code < codes_; ++code)
        if (counts_[code] > 0 && std::isfinite(values[code]))
            stats.histogram[bin(static_cast<double>(values[code]))] += counts_[code];
    return stats;
}

}  // namespace core
