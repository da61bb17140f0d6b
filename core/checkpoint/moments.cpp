// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/moments_internal.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace core {
namespace {

constexpr std::size_t kRun = 4096;  ///< elements that are checked for non-finite ones at once
constexpr std::size_t kLanes = 4;
constexpr std::uint32_t kExponent = 0x7F800000U;
constexpr std::uint32_t kMagnitude = 0x7FFFFFFFU;
constexpr std::int64_t kExactInteger = std::int64_t{1} << 53;

std::uint32_t magnitudeBits(float value) {
    return std::bit_cast<std::uint32_t>(value) & kMagnitude;
}

bool allFinite(std::span<const float> values) {
    std::array<std::uint32_t, kLanes> bad{};
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane)
            bad[lane] |= magnitudeBits(values[i + lane]) >= kExponent ? 1U : 0U;
    for (; i < values.size(); ++i) bad[0] |= magnitudeBits(values[i]) >= kExponent ? 1U : 0U;
    return std::all_of(bad.begin(), bad.end(), [](std::uint32_t flag) { return flag == 0; });
}

/// Sums of finite floats in independent lanes, so that the loop is vectorised. Squares are taken
/// around `shift`, one of the values.
struct Lanes {
    std::array<double, kLanes> sum{}, squares{};
    std::array<float, kLanes> min{}, max{};
    std::array<std::uint32_t, kLanes> zeros{};

    void add(std::size_t lane, float value, double shift) {
        const double distance = static_cast<double>(value) - shift;
        sum[lane] += distance;
        squares[lane] += distance * distance;
        min[lane] = value < min[lane] ? value : min[lane];
        max[lane] = value > max[lane] ? value : max[lane];
        zeros[lane] += value == 0.0F ? 1U : 0U;
    }
};

Moments momentsOfFinite(std::span<const float> values) {
    Moments moments;
    if (values.empty()) return moments;
    const auto shift = static_cast<double>(values.front());
    Lanes lanes;
    lanes.min.fill(values.front());
    lanes.max.fill(values.front());
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) lanes.add(lane, values[i + lane], shift);
    for (; i < values.size(); ++i) lanes.add(i % kLanes, values[i], shift);
    double sum = 0;
    double squares = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
        sum += lanes.sum[lane];
        squares += lanes.squares[lane];
        moments.zeros += lanes.zeros[lane];
        moments.min = std::min(moments.min, static_cast<double>(lanes.min[lane]));
        moments.max = std::max(moments.max, static_cast<double>(lanes.max[lane]));
    }
    const auto n = static_cast<double>(values.size());
    moments.finite = values.size();
    moments.mean = static_cast<long double>(shift) + static_cast<long double>(sum / n);
    moments.squares = static_cast<long double>(std::max(0.0, squares - sum / n * sum));
    return moments;
}

Moments momentsOfRun(std::span<const float> values) {
    if (allFinite(values)) return momentsOfFinite(values);
    std::array<float, kRun> finite{};
    std::size_t count = 0;
    Moments odd;
    for (const float value : values) {
        if (magnitudeBits(value) < kExponent)
            finite[count++] = value;
        else
            ++(std::isnan(value) ? odd.nan : odd.infinite);
    }
    odd.merge(momentsOfFinite(std::span(finite).first(count)));
    return odd;
}

/// F64 and integers of 32 and 64 bits.
template <typename T>
Moments momentsOfScalars(const std::byte* from, std::size_t count) {
    Moments moments;
    long double sum = 0;
    long double squares = 0;
    long double shift = 0;
    for (std::size_t i = 0; i < count; ++i) {
        T stored;
        std::memcpy(&stored, from + i * sizeof(T), sizeof(T));
        const auto value = static_cast<double>(stored);
        if constexpr (std::is_floating_point_v<T>) {
            if (!std::isfinite(stored)) {
                ++(std::isnan(stored) ? moments.nan : moments.infinite);
                continue;
            }
        } else if constexpr (sizeof(T) == 8) {
            moments.rounded = moments.rounded || stored > static_cast<T>(kExactInteger);
            if constexpr (std::is_signed_v<T>)
                moments.rounded = moments.rounded || stored < -kExactInteger;
        }
        if (moments.finite == 0) shift = static_cast<long double>(value);
        ++moments.finite;
        moments.zeros += stored == 0 ? 1 : 0;
        moments.min = std::min(moments.min, value);
        moments.max = std::max(moments.max, value);
        const long double distance = static_cast<long double>(value) - shift;
        sum += distance;
        squares += distance * distance;
    }
    if (moments.finite == 0) return moments;
    const auto n = static_cast<long double>(moments.finite);
    moments.mean = shift + sum / n;
    moments.squares = std::max(0.0L, squares - sum / n * sum);
    return moments;
}

/// Calls body(span of at most kRun floats) over elements that f32 holds exactly.
template <typename Body>
void forEachRun(const std::byte* from, std::size_t count, DType dtype, Body body) {
    const std::size_t width = dtypeBytes(dtype);
    std::array<float, kRun> values;  // NOLINT(*-member-init): filled piece by piece
    for (std::size_t begin = 0; begin < count; begin += kRun) {
        const std::span<float> run = std::span(values).first(std::min(kRun, count - begin));
        toFloats(run, from + begin * width, dtype);
        body(std::span<const float>(run));
    }
}

/// Where each value belongs first (vectorised), then the counting, in tables in turn: equal
/// neighbours would wait for each other.
void countFinite(std::span<const float> values, const BinOf& bin,
                 std::array<std::uint64_t, 64>& bins) {
    std::array<int, kRun> places;  // NOLINT(*-member-init): filled by the next line
    for (std::size_t i = 0; i < values.size(); ++i)
        places[i] = bin.place(static_cast<double>(values[i]));
    std::array<std::array<std::uint32_t, BinOf::kBins + 1>, kLanes> tables{};
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane)
            ++tables[lane][static_cast<std::size_t>(places[i + lane])];
    for (; i < values.size(); ++i) ++tables[0][static_cast<std::size_t>(places[i])];
    for (const auto& table : tables)
        for (std::size_t b = 0; b < table.size(); ++b)
            bins[std::min(b, bins.size() - 1)] += table[b];
}

template <typename T>
void countScalars(const std::byte* from, std::size_t count, const BinOf& bin,
                  std::array<std::uint64_t, 64>& bins) {
    for (std::size_t i = 0; i < count; ++i) {
        T stored;
        std::memcpy(&stored, from + i * sizeof(T), sizeof(T));
        const auto value = static_cast<double>(stored);
        if (std::isfinite(value)) ++bins[bin(value)];
    }
}

}  // namespace

void Moments::merge(const Moments& next) {
    nan += next.nan;
    infinite += next.infinite;
    if (next.finite == 0) return;
    const auto before = static_cast<long double>(finite);
    const auto more = static_cast<long double>(next.finite);
    const long double apart = next.mean - mean;
    finite += next.finite;
    zeros += next.zeros;
    mean += apart * more / (before + more);
    squares += next.squares + apart * apart * before * more / (before + more);
    min = std::min(min, next.min);
    max = std::max(max, next.max);
    rounded = rounded || next.rounded;
}

TensorStats Moments::stats() const {
    TensorStats stats;
    stats.count = finite + nan + infinite;
    stats.nan = nan;
    stats.infinite = infinite;
    stats.zeros = zeros;
    stats.rounded = rounded;
    if (finite == 0) return stats;
    stats.min = min;
    stats.max = max;
    stats.mean = static_cast<double>(mean);
    stats.std = static_cast<double>(std::sqrt(squares / static_cast<long double>(finite)));
    return stats;
}

Moments momentsOf(const std::byte* from, std::size_t count, DType dtype) {
    switch (dtype) {
        case DType::F64:
            return momentsOfScalars<double>(from, count);
        case DType::I64:
            return momentsOfScalars<std::int64_t>(from, count);
        case DType::U64:
            return momentsOfScalars<std::uint64_t>(from, count);
        case DType::I32:
            return momentsOfScalars<std::int32_t>(from, count);
        case DType::U32:
            return momentsOfScalars<std::uint32_t>(from, count);
        default:
            break;
    }
    Moments moments;
    forEachRun(from, count, dtype,
               [&](std::span<const float> run) { moments.merge(momentsOfRun(run)); });
    return moments;
}

BinOf::BinOf(const TensorStats& stats) : low_(stats.min * 0.5) {
    const double halfRange = stats.max * 0.5 - low_;
    if (halfRange > 0) scale_ = static_cast<double>(stats.histogram.size()) / halfRange;
    if (!std::isfinite(scale_)) scale_ = 0;
}

void countBins(const std::byte* from, std::size_t count, DType dtype, const TensorStats& stats,
               std::array<std::uint64_t, 64>& bins) {
    const BinOf bin(stats);
    switch (dtype) {
        case DType::F64:
            return countScalars<double>(from, count, bin, bins);
        case DType::I64:
            return countScalars<std::int64_t>(from, count, bin, bins);
        case DType::U64:
            return countScalars<std::uint64_t>(from, count, bin, bins);
        case DType::I32:
            return countScalars<std::int32_t>(from, count, bin, bins);
        case DType::U32:
            return countScalars<std::uint32_t>(from, count, bin, bins);
        default:
            break;
    }
    forEachRun(from, count, dtype, [&](std::span<const float> run) {
        std::array<float, kRun> kept;  // NOLINT(*-member-init): filled where it is used
        if (!allFinite(run)) {
            std::size_t finite = 0;
            for (const float value : run)
                if (magnitudeBits(value) < kExponent) kept[finite++] = value;
            run = std::span<const float>(kept).first(finite);
        }
        countFinite(run, bin, bins);
    });
}

}  // namespace core
