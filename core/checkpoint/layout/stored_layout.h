// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/checkpoint/layout/tensor_map.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace core {

/// HF tensors laid out under the names and axes of another layout.
struct StoredLayout {
    /// One HF tensor and the stored tensor that it fills or, of a stack, its slice.
    struct Part {
        std::size_t hf = 0;      ///< index of the HF tensor
        std::size_t stored = 0;  ///< index in `tensors`
        TensorMap map;
    };
    std::vector<TensorInfo> tensors;   ///< name, dtype and shape of what is stored
    std::vector<Part> parts;           ///< in the order of `tensors`, stacks by slice
    std::vector<std::string> leftOut;  ///< "NAME (reason)": HF tensors without a place or effect
};

/// The layouts that can be written.
bool canBeStored(std::string_view layout);

/// `hf` in the layout "google-vit", "v-moe" or "t5x"; `heads` shape a ViT's attention kernels.
/// Tensors that only transformers knows and that have no effect are left out, with the reason;
/// names with "/" (unknown ones of such a file) are kept. BadInput, naming the tensor, for any
/// other without a place, for a stack with an expert missing or of another shape or dtype.
StoredLayout layOutStored(std::string_view layout, std::span<const TensorInfo> hf,
                          std::int64_t heads);

}  // namespace core
