// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/data/batch_loader.h"
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
    Tensor pixels_;
    Tensor labels_;
};

/// How many labels in [begin, end) are not ignored (-100).
std::int64_t countLabels(const Tensor& labels, std::int64_t begin, std::int64_t end);

}  // namespace core
