// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/base/error.h"
#include "core/tensor/bfloat16.h"
#include "core/tensor/buffer.h"
#include "core/tensor/dtype.h"
#include "core/tensor/shape.h"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace core {

template <typename T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
    static constexpr DType value = DType::F32;
};
template <>
struct DTypeOf<double> {
    static constexpr DType value = DType::F64;
};
template <>
struct DTypeOf<BFloat16> {
    static constexpr DType value = DType::BF16;
};
template <>
struct DTypeOf<std::int64_t> {
    static constexpr DType value = DType::I64;
};
template <>
struct DTypeOf<std::int32_t> {
    static constexpr DType value = DType::I32;
};
template <>
struct DTypeOf<std::uint8_t> {
    static constexpr DType value = DType::U8;
};

/// Bytes at whose multiples tensors begin that share a buffer.
constexpr std::size_t kTensorAlignment = 64;

/// A cheap handle: shared buffer + byte offset + shape + dtype, contiguous and row-major. Copying
/// copies the handle, not the elements; constness is the handle's, not the elements'. A
/// default-made tensor is `!defined()`.
class Tensor {
  public:
    Tensor() = default;
    Tensor(std::shared_ptr<Buffer> buffer, std::size_t offset, Shape shape, DType dtype);

    /// Uninitialised host memory.
    static Tensor host(Shape shape, DType dtype = DType::F32);
    static Tensor zeros(Shape shape, DType dtype = DType::F32);
    template <typename T>
    static Tensor of(const Shape& shape, std::span<const T> values);

    bool defined() const noexcept { return buffer_ != nullptr; }
    const Shape& shape() const noexcept { return shape_; }
    std::int64_t size(int axis) const { return shape_[axis]; }
    std::int64_t elements() const noexcept { return shape_.elements(); }
    std::size_t bytes() const noexcept {
        return static_cast<std::size_t>(elements()) * dtypeBytes(dtype_);
    }
    DType dtype() const noexcept { return dtype_; }
    bool onHost() const noexcept { return buffer_ != nullptr && buffer_->onHost(); }
    std::byte* raw() const noexcept { return buffer_->data() + offset_; }
    std::span<std::byte> rawSpan() const noexcept { return {raw(), bytes()}; }

    /// The elements; T must be the dtype's type and the tensor must lie on the host.
    template <typename T>
    T* data() const {
        CORE_CHECK(
            defined() && onHost() && dtype_ == DTypeOf<T>::value,
            "a host " + std::string(dtypeName(DTypeOf<T>::value)) + " tensor, found " + describe());
        return reinterpret_cast<T*>(raw());
    }
    template <typename T>
    std::span<T> span() const {
        return {data<T>(), static_cast<std::size_t>(elements())};
    }

    /// The same elements under another shape of the same size.
    Tensor view(Shape shape) const;
    /// Rows [begin, end) of the outermost axis.
    Tensor rows(std::int64_t begin, std::int64_t end) const;

    /// Whether `next` has the same type and begins in the same buffer where this one ends, up to
    /// kTensorAlignment.
    bool isFollowedBy(const Tensor& next) const noexcept;
    /// [n] from the first element to the end of `last`, which lies behind in the same buffer; what
    /// fills up between tensors is part of it.
    Tensor through(const Tensor& last) const;

    /// "F32 [8, 96]" or "undefined".
    std::string describe() const;

  private:
    std::shared_ptr<Buffer> buffer_;
    std::size_t offset_ = 0;
    Shape shape_;
    DType dtype_ = DType::F32;
};

template <typename T>
Tensor Tensor::of(const Shape& shape, std::span<const T> values) {
    Tensor t = host(shape, DTypeOf<T>::value);
    CORE_CHECK(static_cast<std::size_t>(t.elements()) == values.size(),
               "as many values as elements of " + t.describe());
    std::copy(values.begin(), values.end(), t.data<T>());
    return t;
}

}  // namespace core
