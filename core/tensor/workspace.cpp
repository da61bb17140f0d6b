// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/workspace.h"

#include <algorithm>

namespace core {
namespace {

constexpr std::size_t kAlign = 64;
constexpr std::size_t kLeastChunk = std::size_t{1} << 20;
/// A new chunk's share of what is there: few enough chunks in the step that grows, and little more
/// than it needs.
constexpr std::size_t kGrowth = 8;

std::size_t aligned(std::size_t bytes) { return (bytes + kAlign - 1) / kAlign * kAlign; }

}  // namespace

Workspace::Workspace(Allocator allocator) : allocator_(std::move(allocator)) {}

Tensor Workspace::allocate(Shape shape, DType dtype) {
    const std::size_t bytes =
        aligned(static_cast<std::size_t>(shape.elements()) * dtypeBytes(dtype));
    while (current_ < chunks_.size() &&
           chunks_[current_].used + bytes > chunks_[current_].buffer->bytes()) {
        ++current_;
        if (current_ < chunks_.size()) chunks_[current_].used = 0;
    }
    if (current_ == chunks_.size())
        chunks_.push_back(
            {allocator_(std::max({bytes, kLeastChunk, capacityBytes() / kGrowth})), 0});
    Chunk& chunk = chunks_[current_];
    Tensor tensor(chunk.buffer, chunk.used, std::move(shape), dtype);
    chunk.used += bytes;
    peak_ = std::max(peak_, liveBytes());
    return tensor;
}

void Workspace::reserve(std::size_t bytes) {
    if (chunks_.empty() && bytes > 0) chunks_.push_back({allocator_(aligned(bytes)), 0});
}

void Workspace::reset() {
    if (chunks_.size() > 1) {
        chunks_.clear();
        chunks_.push_back({allocator_(std::max(peak_, kLeastChunk)), 0});
    }
    for (Chunk& chunk : chunks_) chunk.used = 0;
    current_ = 0;
}

std::size_t Workspace::capacityBytes() const noexcept {
    std::size_t bytes = 0;
    for (const Chunk& chunk : chunks_) bytes += chunk.buffer->bytes();
    return bytes;
}

std::size_t Workspace::liveBytes() const noexcept {
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < chunks_.size() && i <= current_; ++i) bytes += chunks_[i].used;
    return bytes;
}

Workspace::Scope::Scope(Workspace& workspace)
    : workspace_(workspace),
      chunk_(workspace.current_),
      used_(chunk_ < workspace.chunks_.size() ? workspace.chunks_[chunk_].used : 0) {}

Workspace::Scope::~Scope() {
    for (std::size_t i = chunk_ + 1; i < workspace_.chunks_.size(); ++i)
        workspace_.chunks_[i].used = 0;
    if (chunk_ < workspace_.chunks_.size()) workspace_.chunks_[chunk_].used = used_;
    workspace_.current_ = chunk_;
}

}  // namespace core
