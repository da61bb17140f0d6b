// SPDX-License-Identifier: Apache-2.0
#include "core/tensor/tensor.h"

#include "core/base/text.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace core {
namespace {

constexpr std::align_val_t kAlignment{64};

class HostBuffer final : public Buffer {
  public:
    HostBuffer(std::byte* data, std::size_t bytes) : Buffer(data, bytes, true) {}
    HostBuffer(const HostBuffer&) = delete;
    HostBuffer& operator=(const HostBuffer&) = delete;
    ~HostBuffer() override { ::operator delete(data(), kAlignment); }
};

}  // namespace

std::shared_ptr<Buffer> allocateHost(std::size_t bytes) {
    void* memory = ::operator new(std::max<std::size_t>(bytes, 1), kAlignment, std::nothrow);
    if (memory == nullptr)
        throw Error(ErrorKind::OutOfMemory,
                    "no memory for a block of " + formatBytes(static_cast<double>(bytes)),
                    "use a smaller batch or model");
    return std::make_shared<HostBuffer>(static_cast<std::byte*>(memory), bytes);
}

Tensor::Tensor(std::shared_ptr<Buffer> buffer, std::size_t offset, Shape shape, DType dtype)
    : buffer_(std::move(buffer)), offset_(offset), shape_(std::move(shape)), dtype_(dtype) {
    CORE_CHECK(buffer_ != nullptr && offset_ + bytes() <= buffer_->bytes(),
               describe() + " exceeds its buffer");
}

Tensor Tensor::host(Shape shape, DType dtype) {
    const auto bytes = static_cast<std::size_t>(shape.elements()) * dtypeBytes(dtype);
    return {allocateHost(bytes), 0, std::move(shape), dtype};
}

Tensor Tensor::zeros(Shape shape, DType dtype) {
    Tensor t = host(std::move(shape), dtype);
    std::memset(t.raw(), 0, t.bytes());
    return t;
}

Tensor Tensor::view(Shape shape) const {
    CORE_CHECK(shape.elements() == elements(), describe() + " viewed as " + toString(shape));
    return {buffer_, offset_, std::move(shape), dtype_};
}

Tensor Tensor::rows(std::int64_t begin, std::int64_t end) const {
    CORE_CHECK(shape_.rank() > 0 && begin >= 0 && begin <= end && end <= shape_[0],
               "rows of " + describe());
    std::vector<std::int64_t> sizes(shape_.sizes().begin(), shape_.sizes().end());
    const std::int64_t row = shape_[0] == 0 ? 0 : elements() / shape_[0];
    sizes[0] = end - begin;
    return {buffer_, offset_ + static_cast<std::size_t>(begin * row) * dtypeBytes(dtype_),
            Shape(std::move(sizes)), dtype_};
}

bool Tensor::isFollowedBy(const Tensor& next) const noexcept {
    if (buffer_ == nullptr || buffer_ != next.buffer_ || dtype_ != next.dtype_) return false;
    const std::size_t end = offset_ + bytes();
    return next.offset_ >= end && next.offset_ - end < kTensorAlignment;
}

Tensor Tensor::through(const Tensor& last) const {
    CORE_CHECK(buffer_ == last.buffer_ && dtype_ == last.dtype_ && last.offset_ >= offset_,
               last.describe() + " behind " + describe());
    const std::size_t bytes = last.offset_ + last.bytes() - offset_;
    return {buffer_, offset_, {static_cast<std::int64_t>(bytes / dtypeBytes(dtype_))}, dtype_};
}

std::string Tensor::describe() const {
    return defined() ? std::string(dtypeName(dtype_)) + " " + toString(shape_) : "undefined";
}

}  // namespace core
