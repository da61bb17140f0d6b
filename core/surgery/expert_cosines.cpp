// SPDX-License-Identifier: Apache-2.0
#include "core/surgery/expert_cosines.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/tensor/convert.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace core {
namespace {

constexpr std::size_t kAtOnce = std::size_t{16} << 20U;  ///< bytes of all experts' pieces together
constexpr std::size_t kRun = 1024;  ///< products that are added in f32 before they are in double
constexpr std::size_t kLanes = 8;

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t begin = 0; begin < a.size(); begin += kRun) {
        const std::size_t end = std::min(a.size(), begin + kRun);
        std::array<float, kLanes> lanes{};
        std::size_t i = begin;
        for (; i + kLanes <= end; i += kLanes)
            for (std::size_t lane = 0; lane < kLanes; ++lane)
                lanes[lane] += a[i + lane] * b[i + lane];
        for (; i < end; ++i) lanes[i % kLanes] += a[i] * b[i];
        for (const float lane : lanes) sum += static_cast<double>(lane);
    }
    return sum;
}

/// Scalar products of E expert vectors with each other and with their references, added up piece by
/// piece. Vectors are 0..E-1 of B, then those of A.
class Products {
  public:
    Products(std::size_t experts, std::size_t before)
        : experts_(experts), before_(before), vectors_(experts + before) {
        for (std::size_t i = 0; i < experts; ++i)
            for (std::size_t j = i; j < experts; ++j) pairs_.push_back({i, j, 0});
        for (std::size_t i = 0; i < experts && before > 0; ++i)
            pairs_.push_back({i, experts + (before == 1 ? 0 : i), 0});
        for (std::size_t j = 0; j < before; ++j) pairs_.push_back({experts + j, experts + j, 0});
    }

    std::vector<float>& vector(std::size_t i) { return vectors_[i]; }

    /// What the vectors hold now.
    void add() {
        parallelFor(static_cast<std::int64_t>(pairs_.size()), 8,
                    [&](std::int64_t begin, std::int64_t end, int) {
                        for (auto p = static_cast<std::size_t>(begin);
                             p < static_cast<std::size_t>(end); ++p)
                            pairs_[p].sum += dot(vectors_[pairs_[p].a], vectors_[pairs_[p].b]);
                    });
    }

    void finish(ExpertCosines& cosines) const {
        std::vector<double> squares(vectors_.size());
        for (const Pair& pair : pairs_)
            if (pair.a == pair.b) squares[pair.a] = pair.sum;
        cosines.pairwise.assign(experts_, std::vector<double>(experts_));
        cosines.toReference.assign(before_ > 0 ? experts_ : 0, 0);
        for (const Pair& pair : pairs_) {
            // sqrt(s s) = s: equal vectors have exactly 1
            const double cosine = pair.sum / std::sqrt(squares[pair.a] * squares[pair.b]);
            const double value = std::isfinite(cosine) ? std::clamp(cosine, -1.0, 1.0)
                                                       : std::numeric_limits<double>::quiet_NaN();
            if (pair.a < experts_ && pair.b < experts_)
                cosines.pairwise[pair.a][pair.b] = cosines.pairwise[pair.b][pair.a] = value;
            else if (pair.a < experts_)
                cosines.toReference[pair.a] = value;
        }
    }

  private:
    struct Pair {
        std::size_t a, b;
        double sum;
    };
    std::size_t experts_, before_;
    std::vector<std::vector<float>> vectors_;
    std::vector<Pair> pairs_;
};

void readInto(std::vector<float>& values, const Checkpoint& checkpoint, const TensorInfo& tensor,
              std::int64_t begin, std::int64_t count, std::vector<std::byte>& raw) {
    raw.resize(static_cast<std::size_t>(count) * dtypeBytes(tensor.dtype));
    values.resize(static_cast<std::size_t>(count));
    checkpoint.read(tensor, begin, count, raw);
    toFloats(values, raw.data(), tensor.dtype);
}

}  // namespace

ExpertCosines cosinesOf(const Checkpoint& a, const Checkpoint& b, const ExpertBlock& block,
                        const std::atomic<bool>& cancel, const CosineProgress& progress) {
    using Reference = ExpertCosines::Reference;
    const std::size_t experts = block.pieces.front().experts.size();
    const std::size_t before = block.pieces.front().before.size();
    CORE_CHECK(experts > 0, "a block with experts");
    ExpertCosines cosines;
    cosines.block = block.block;
    if (before > 0) cosines.reference = before == 1 ? Reference::Dense : Reference::SameMoe;
    Products products(experts, before);
    const auto atOnce = static_cast<std::int64_t>(
        std::max(kRun, kAtOnce / sizeof(float) / (experts + before) / kRun * kRun));
    std::vector<std::byte> raw;
    for (const ExpertBlock::Piece& piece : block.pieces) {
        const std::int64_t elements = piece.experts.front()->shape.elements();
        for (std::int64_t begin = 0; begin < elements; begin += atOnce) {
            const std::int64_t count = std::min(atOnce, elements - begin);
            std::uint64_t bytes = 0;
            for (std::size_t i = 0; i < experts + before; ++i) {
                if (cancel)
                    throw Error(ErrorKind::Stopped, "stopped by request",
                                "nothing was written; give the command again to start over");
                const bool ofB = i < experts;
                const TensorInfo& tensor = ofB ? *piece.experts[i] : *piece.before[i - experts];
                readInto(products.vector(i), ofB ? b : a, tensor, begin, count, raw);
                bytes += raw.size();
            }
            products.add();
            if (progress) progress(bytes);
        }
    }
    products.finish(cosines);
    return cosines;
}

}  // namespace core
