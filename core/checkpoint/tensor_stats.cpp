// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/tensor_stats.h"

#include "core/tensor/convert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <vector>

namespace core {
namespace {

constexpr std::int64_t kPiece = std::int64_t{1} << 18;
constexpr std::size_t kLanes = 8;

bool isFinite(float value) {
    return (std::bit_cast<std::uint32_t>(value) & 0x7F800000U) != 0x7F800000U;
}

/// Calls body(values) for each piece of the tensor as f32 until `cancel`.
void forEachPiece(const Checkpoint& checkpoint, const TensorInfo& tensor,
                  const std::atomic<bool>& cancel,
                  const std::function<void(std::span<const float>)>& body) {
    const std::int64_t elements = tensor.shape.elements();
    const std::size_t width = dtypeBytes(tensor.dtype);
    std::vector<std::byte> raw(static_cast<std::size_t>(std::min(kPiece, elements)) * width);
    std::vector<float> values(static_cast<std::size_t>(std::min(kPiece, elements)));
    for (std::int64_t begin = 0; begin < elements && !cancel; begin += kPiece) {
        const auto count = static_cast<std::size_t>(std::min(kPiece, elements - begin));
        const std::span<std::byte> bytes = std::span(raw).first(count * width);
        checkpoint.read(tensor, begin, static_cast<std::int64_t>(count), bytes);
        toFloats(std::span(values).first(count), bytes.data(), tensor.dtype);
        body(std::span<const float>(values).first(count));
    }
}

/// Sums over one piece, in independent lanes so that the loop is vectorised. Squares are taken
/// around `shift`, an element of the tensor, so that a large mean does not eat the deviation.
struct Sums {
    std::array<double, kLanes> sum{};
    std::array<double, kLanes> squares{};
    std::array<float, kLanes> min{};
    std::array<float, kLanes> max{};
    std::array<std::uint32_t, kLanes> finite{};
    std::array<std::uint32_t, kLanes> zeros{};

    void add(std::size_t lane, float value, double shift) {
        const bool good = isFinite(value);
        const double distance = good ? static_cast<double>(value) - shift : 0.0;
        sum[lane] += distance;
        squares[lane] += distance * distance;
        min[lane] = good && value < min[lane] ? value : min[lane];
        max[lane] = good && value > max[lane] ? value : max[lane];
        finite[lane] += good ? 1 : 0;
        zeros[lane] += value == 0.0F ? 1 : 0;
    }
};

Sums sumPiece(std::span<const float> values, double shift) {
    Sums sums;
    sums.min.fill(std::numeric_limits<float>::infinity());
    sums.max.fill(-std::numeric_limits<float>::infinity());
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) sums.add(lane, values[i + lane], shift);
    for (; i < values.size(); ++i) sums.add(i % kLanes, values[i], shift);
    return sums;
}

class Moments {
  public:
    void add(std::span<const float> values) {
        if (finite_ == 0)
            for (const float value : values)
                if (isFinite(value)) {
                    shift_ = static_cast<double>(value);
                    break;
                }
        const Sums sums = sumPiece(values, shift_);
        count_ += values.size();
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            sum_ += sums.sum[lane];
            squares_ += sums.squares[lane];
            min_ = std::min(min_, sums.min[lane]);
            max_ = std::max(max_, sums.max[lane]);
            finite_ += sums.finite[lane];
            zeros_ += sums.zeros[lane];
        }
    }

    TensorStats stats() const {
        TensorStats stats;
        stats.count = count_;
        stats.nonFinite = count_ - finite_;
        stats.zeros = zeros_;
        if (finite_ == 0) return stats;
        const double n = static_cast<double>(finite_);
        const double offset = sum_ / n;
        stats.min = static_cast<double>(min_);
        stats.max = static_cast<double>(max_);
        stats.mean = shift_ + offset;
        stats.std = std::sqrt(std::max(0.0, squares_ / n - offset * offset));
        return stats;
    }

  private:
    std::uint64_t count_ = 0, finite_ = 0, zeros_ = 0;
    double shift_ = 0, sum_ = 0, squares_ = 0;
    float min_ = std::numeric_limits<float>::infinity();
    float max_ = -std::numeric_limits<float>::infinity();
};

void countBins(std::span<const float> values, TensorStats& stats) {
    constexpr int kBins = static_cast<int>(std::tuple_size_v<decltype(stats.histogram)>);
    const double range = stats.max - stats.min;
    const double scale = range > 0 ? kBins / range : 0.0;
    for (const float value : values) {
        if (!isFinite(value)) continue;
        const int bin = static_cast<int>((static_cast<double>(value) - stats.min) * scale);
        ++stats.histogram[static_cast<std::size_t>(std::clamp(bin, 0, kBins - 1))];
    }
}

}  // namespace

TensorStats computeStats(const Checkpoint& checkpoint, const TensorInfo& tensor,
                         const std::atomic<bool>& cancel) {
    Moments moments;
    forEachPiece(checkpoint, tensor, cancel,
                 [&](std::span<const float> values) { moments.add(values); });
    TensorStats stats = moments.stats();
    forEachPiece(checkpoint, tensor, cancel,
                 [&](std::span<const float> values) { countBins(values, stats); });
    return stats;
}

}  // namespace core
