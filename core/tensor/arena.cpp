// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/arena.h"

#include <algorithm>
#include <functional>

namespace core {

std::vector<Tensor> allocateTogether(
    std::span<const Shape> shapes,
    const std::function<std::shared_ptr<Buffer>(std::size_t bytes)>& allocate) {
    std::vector<std::size_t> offsets;
    std::size_t end = 0;
    for (const Shape& shape : shapes) {
        offsets.push_back((end + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment);
        end = offsets.back() + static_cast<std::size_t>(shape.elements()) * sizeof(float);
    }
    const std::shared_ptr<Buffer> buffer = allocate(end);
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < shapes.size(); ++i)
        tensors.emplace_back(buffer, offsets[i], shapes[i], DType::F32);
    return tensors;
}

std::vector<Tensor> joined(std::vector<Tensor> tensors) {
    std::erase_if(tensors, [](const Tensor& tensor) { return !tensor.defined(); });
    std::sort(tensors.begin(), tensors.end(),
              [](const Tensor& a, const Tensor& b) { return std::less<>()(a.raw(), b.raw()); });
    std::vector<Tensor> runs;
    for (std::size_t i = 0; i < tensors.size();) {
        std::size_t last = i;
        while (last + 1 < tensors.size() && tensors[last].isFollowedBy(tensors[last + 1])) ++last;
        runs.push_back(last == i ? tensors[i] : tensors[i].through(tensors[last]));
        i = last + 1;
    }
    return runs;
}

}  // namespace core
