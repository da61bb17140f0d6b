// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"

#include <cstdint>
#include <optional>
#include <string>

namespace core {

/// A batch on the host. Images: `pixels` F32 [B, C, H, W] normalised, `labels` I64 [B]. Text: the
/// others; -100 in `labels` does not count, masks are 1 for real tokens.
struct HostBatch {
    Tensor pixels;
    Tensor labels;             ///< I64 [B]; text: I64 [B, T]
    Tensor inputIds{};         ///< I64 [B, S]
    Tensor inputMask{};        ///< U8 [B, S]
    Tensor decoderInputIds{};  ///< I64 [B, T]: labels shifted right
    Tensor decoderMask{};      ///< U8 [B, T]
};

/// Where in the data a run is: everything that decides the next batch besides the seed.
struct DataPosition {
    std::uint64_t epoch = 0;
    std::uint64_t example = 0;  ///< examples of this epoch already given
    std::string cursor{};  ///< a stream's own word for the place, or empty; means nothing to others
    bool operator==(const DataPosition&) const = default;
};

/// What a trainer draws its batches from.
class BatchSource {
  public:
    virtual ~BatchSource() = default;
    BatchSource() = default;
    BatchSource(const BatchSource&) = delete;
    BatchSource& operator=(const BatchSource&) = delete;
    /// Blocks until the next batch is ready; nullopt at the end of an ordered pass, never in
    /// training. Rethrows a reading thread's Error, then and ever after.
    virtual std::optional<HostBatch> next() = 0;
    /// Position after the batches given so far: what a checkpoint stores.
    virtual DataPosition position() const = 0;
};

}  // namespace core
