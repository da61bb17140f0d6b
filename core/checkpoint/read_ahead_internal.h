// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <future>
#include <span>
#include <vector>

namespace core {

/// A tensor's bytes in order, piece by piece: while one piece is worked on, a thread reads the
/// next.
class ReadAhead {
  public:
    static constexpr std::int64_t kPiece = std::int64_t{1} << 21;  ///< elements

    /// `keep`: the whole tensor stays in memory for `kept`.
    ReadAhead(const Checkpoint& checkpoint, const TensorInfo& tensor, bool keep);
    ReadAhead(const ReadAhead&) = delete;
    ReadAhead& operator=(const ReadAhead&) = delete;
    /// Waits for the piece that is being read.
    ~ReadAhead() = default;

    /// The next piece, until the one after that is asked for; empty at the end. Throws what the
    /// reading threw.
    std::span<const std::byte> next();
    /// With `keep`, after the last piece: all of it.
    std::span<const std::byte> kept() const { return store_; }

  private:
    std::span<std::byte> place(std::int64_t begin);

    const Checkpoint& checkpoint_;
    const TensorInfo& tensor_;
    bool keep_;
    std::int64_t begin_ = 0;  ///< first element that is not asked for yet
    std::vector<std::byte> store_;
    std::span<std::byte> coming_;
    std::future<void> reading_;
};

}  // namespace core
