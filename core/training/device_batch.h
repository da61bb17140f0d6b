// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/model/model.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace core {

/// Memory on the backend's device that batches are copied to, kept between batches. Two places are
/// used in turn, so that a batch is on its way while the one before is computed.
class DeviceBatch {
  public:
    /// The backend outlives this.
    explicit DeviceBatch(Backend& backend) : backend_(backend) {}

    /// Examples [begin, end) of `batch` on the device; valid until the next upload. `batch` stays
    /// as long as what is returned (Batch::onHost).
    Batch upload(const HostBatch& batch, std::int64_t begin, std::int64_t end);

  private:
    struct Place {
        Tensor pixels, labels, inputIds, inputMask, decoderInputIds, decoderMask;
    };

    Backend& backend_;
    std::array<Place, 2> places_;
    std::size_t next_ = 0;
};

/// Real tokens of a batch: an image's patches and cls token; a text's inputs and targets without
/// padding.
std::int64_t tokensIn(const HostBatch& batch, const ModelSpec& spec);

/// How many labels of the examples [begin, end) are not ignored (-100).
std::int64_t countLabels(const Tensor& labels, std::int64_t begin, std::int64_t end);

}  // namespace core
