// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/tensor_index.h"

#include "core/base/error.h"

#include <bit>
#include <functional>
#include <utility>

namespace core {

TensorIndex::TensorIndex(std::vector<TensorInfo> tensors)
    : tensors_(std::move(tensors)), slots_(std::bit_ceil(2 * tensors_.size() + 1)) {
    for (std::size_t i = 0; i < tensors_.size(); ++i) {
        const std::size_t slot = slotOf(tensors_[i].name);
        if (slots_[slot] != 0 && duplicate_ == nullptr) duplicate_ = &tensors_[i];
        slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
}

std::size_t TensorIndex::slotOf(std::string_view name) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    std::size_t slot = std::hash<std::string_view>{}(name)&mask;
    while (slots_[slot] != 0 && tensors_[slots_[slot] - 1].name != name) slot = (slot + 1) & mask;
    return slot;
}

const TensorInfo* TensorIndex::find(std::string_view name) const noexcept {
    if (slots_.empty()) return nullptr;
    const std::uint32_t position = slots_[slotOf(name)];
    return position == 0 ? nullptr : &tensors_[position - 1];
}

std::size_t TensorIndex::positionOf(const TensorInfo& tensor) const {
    const TensorInfo* const own = find(tensor.name);
    CORE_CHECK(own != nullptr, "a tensor of this checkpoint, found " + tensor.name);
    return static_cast<std::size_t>(own - tensors_.data());
}

}  // namespace core
