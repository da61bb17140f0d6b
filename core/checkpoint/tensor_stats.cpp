// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/tensor_stats.h"

#include "core/base/parallel.h"
#include "core/checkpoint/code_counts_internal.h"
#include "core/checkpoint/moments_internal.h"
#include "core/checkpoint/read_ahead_internal.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace core {
namespace {

constexpr std::size_t kBlock = std::size_t{1} << 16;  ///< elements that are summed as one
constexpr std::uint64_t kKept = 64ULL << 20U;         ///< bytes of a tensor that is read once
static_assert(ReadAhead::kPiece % static_cast<std::int64_t>(kBlock) == 0);

using Bins = std::array<std::uint64_t, 64>;

/// Calls body(block, first byte, elements) for every block of a piece, on all threads.
template <typename Body>
void forEachBlock(std::span<const std::byte> piece, std::size_t width, Body body) {
    const std::size_t elements = piece.size() / width;
    const std::size_t blocks = (elements + kBlock - 1) / kBlock;
    parallelFor(
        static_cast<std::int64_t>(blocks), 1, [&](std::int64_t begin, std::int64_t end, int) {
            for (auto b = static_cast<std::size_t>(begin); b < static_cast<std::size_t>(end); ++b)
                body(b, piece.data() + b * kBlock * width, std::min(kBlock, elements - b * kBlock));
        });
}

/// The pass over one tensor: its digest, and its moments block by block or its counts.
class FirstPass {
  public:
    explicit FirstPass(const TensorInfo& tensor) : dtype_(tensor.dtype) {
        if (CodeCounts::suits(dtype_, tensor.shape.elements())) counts_.emplace(dtype_);
    }
    bool counts() const { return counts_.has_value(); }

    void add(std::span<const std::byte> piece) {
        struct Part {
            Moments moments;
            ByteDigest digest;
        };
        const std::size_t width = dtypeBytes(dtype_);
        std::vector<Part> parts((piece.size() / width + kBlock - 1) / kBlock);
        forEachBlock(piece, width, [&](std::size_t b, const std::byte* from, std::size_t count) {
            parts[b].digest = digestOf({from, count * width});
            if (!counts_) parts[b].moments = momentsOf(from, count, dtype_);
        });
        if (counts_) counts_->add(piece.data(), piece.size() / width);
        for (const Part& part : parts) {
            moments_.merge(part.moments);
            digest_ = combine(digest_, part.digest);
        }
    }

    TensorStats stats() const {
        TensorStats stats = counts_ ? counts_->stats() : moments_.stats();
        stats.digest = digest_;
        return stats;
    }

  private:
    DType dtype_;
    std::optional<CodeCounts> counts_;
    Moments moments_;
    ByteDigest digest_;
};

void addBins(std::span<const std::byte> piece, DType dtype, TensorStats& stats) {
    const std::size_t width = dtypeBytes(dtype);
    std::vector<Bins> parts((piece.size() / width + kBlock - 1) / kBlock);
    forEachBlock(piece, width, [&](std::size_t b, const std::byte* from, std::size_t count) {
        countBins(from, count, dtype, stats, parts[b]);
    });
    for (const Bins& part : parts)
        for (std::size_t i = 0; i < part.size(); ++i) stats.histogram[i] += part[i];
}

/// Calls body(piece) for the pieces of a tensor until `cancel`.
template <typename Body>
void forEachPiece(ReadAhead& reader, const std::atomic<bool>& cancel, Body body) {
    for (std::span<const std::byte> piece = cancel ? std::span<const std::byte>() : reader.next();
         !piece.empty(); piece = cancel ? std::span<const std::byte>() : reader.next())
        body(piece);
}

}  // namespace

TensorStats computeStats(const Checkpoint& checkpoint, const TensorInfo& tensor,
                         const std::atomic<bool>& cancel, const StatsProgress& progress) {
    if (cancel) return {};
    FirstPass pass(tensor);
    const bool keep = !pass.counts() && tensor.bytes <= kKept;
    ReadAhead reader(checkpoint, tensor, keep);
    std::uint64_t done = 0;
    forEachPiece(reader, cancel, [&](std::span<const std::byte> piece) {
        pass.add(piece);
        done += keep || pass.counts() ? piece.size() : piece.size() / 2;
        if (progress) progress(done);
    });
    TensorStats stats = pass.stats();
    if (cancel || pass.counts()) return stats;
    if (keep) {
        addBins(reader.kept(), tensor.dtype, stats);
        return stats;
    }
    ReadAhead again(checkpoint, tensor, false);
    std::uint64_t binned = 0;
    forEachPiece(again, cancel, [&](std::span<const std::byte> piece) {
        addBins(piece, tensor.dtype, stats);
        binned += piece.size();
        if (progress) progress(done + binned / 2);
    });
    return binned == tensor.bytes ? stats : TensorStats();
}

}  // namespace core
