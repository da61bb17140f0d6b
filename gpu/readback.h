// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/host_traffic.h"
#include "gpu/handles.h"
#include "gpu/indices.h"

#include <memory>
#include <vector>

namespace gpu {

/// Values on their way to the host through page-locked memory that is used again and again.
class Readbacks {
  public:
    Readbacks(const Stream& stream, IndexChecks& indices) : stream_(stream), indices_(indices) {}

    /// Copies once the work so far is done. The readback does not outlive this.
    std::unique_ptr<core::Readback> start(const core::Tensor& device);

  private:
    friend class PinnedReadback;
    struct Slot {
        PinnedMemory pinned;  ///< a BadIndex, then the values
        Event copied;
    };
    Slot take(std::size_t bytes);

    const Stream& stream_;
    IndexChecks& indices_;
    std::vector<Slot> spare_;
};

}  // namespace gpu
