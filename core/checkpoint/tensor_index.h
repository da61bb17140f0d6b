// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/checkpoint.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace core {

/// The tensors of a checkpoint with a hash table over their names.
class TensorIndex {
  public:
    TensorIndex() = default;
    explicit TensorIndex(std::vector<TensorInfo> tensors);

    std::span<const TensorInfo> tensors() const noexcept { return tensors_; }
    const TensorInfo* find(std::string_view name) const noexcept;
    /// Where the tensor of that name stands among tensors(); there must be one.
    std::size_t positionOf(const TensorInfo& tensor) const;
    /// The first name that occurs a second time, or nullptr.
    const TensorInfo* duplicate() const noexcept { return duplicate_; }

  private:
    std::size_t slotOf(std::string_view name) const noexcept;

    std::vector<TensorInfo> tensors_;
    std::vector<std::uint32_t> slots_;  ///< position + 1; 0 = free; the size is a power of two
    const TensorInfo* duplicate_ = nullptr;
};

}  // namespace core
