// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_source.h"
#include "core/model/model.h"

#include <cstdint>

namespace core {

/// Memory on the backend's device that batches are copied to, kept between batches.
class DeviceBatch {
  public:
    /// The backend outlives this.
    explicit DeviceBatch(Backend& backend) : backend_(backend) {}

    /// Examples [begin, end) of `batch` on the device; valid until the next upload.
    Batch upload(const HostBatch& batch, std::int64_t begin, std::int64_t end);

  private:
    Backend& backend_;
    /// One place for each of HostBatch's tensors.
    Tensor pixels_, labels_, inputIds_, inputMask_, decoderInputIds_, decoderMask_;
};

/// Real tokens of a batch: an image's patches and cls token; a text's inputs and targets without
/// padding.
std::int64_t tokensIn(const HostBatch& batch, const ModelSpec& spec);

/// How many labels of the examples [begin, end) are not ignored (-100).
std::int64_t countLabels(const Tensor& labels, std::int64_t begin, std::int64_t end);

}  // namespace core
