// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/tensor_stats.h"
#include "core/tensor/dtype.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace core {

/// How often each bit pattern of an 8- or 16-bit type occurs: one pass over the bytes says
/// everything about them, exactly.
class CodeCounts {
  public:
    explicit CodeCounts(DType dtype);
    /// Whether a tensor of this type and size is better counted than summed.
    static bool suits(DType dtype, std::int64_t elements);

    /// In parallel over contiguous parts.
    void add(const std::byte* from, std::size_t count);
    TensorStats stats() const;

  private:
    DType dtype_;
    std::size_t codes_;
    std::vector<std::uint64_t> counts_;
    std::vector<std::vector<std::uint32_t>> parts_;  ///< one table a thread, reused
};

}  // namespace core
