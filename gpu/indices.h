// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/tensor/tensor.h"
#include "gpu/handles.h"

#include <cstddef>
#include <cstdint>

namespace gpu {

enum class IndexKind : std::int64_t { Id, Label };

/// An index that was found out of bounds, as the device writes it down; `found` is 0 without one.
struct BadIndex {
    std::int64_t found = 0;
    std::int64_t index = 0;
    std::int64_t limit = 0;
    IndexKind kind = IndexKind::Id;
};

/// Checks ids and labels on the device without waiting for it: what is found is said when the host
/// waits next. Until then kernels take the nearest index within the bounds.
class IndexChecks {
  public:
    explicit IndexChecks(const Stream& stream);

    /// Every one of `indices` (I64) lies in [0, limit), or is the ignored label where that
    /// `mayBeIgnored`.
    void require(const core::Tensor& indices, std::int64_t limit, bool mayBeIgnored,
                 IndexKind kind);

    /// The first one so far, copied to page-locked memory.
    void copyTo(BadIndex* pinned) const;

    /// CORE_CHECK that it has found none; then it is forgotten.
    void raise(const BadIndex& bad);

  private:
    const Stream& stream_;
    DeviceMemory first_;
};

}  // namespace gpu
