// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"
#include "core/tensor/tensor.h"
#include "gpu/device/activation.cuh"

#include <cuda_bf16.h>

#include <cstdint>

namespace gpu {

template <typename T>
struct DTypeOf {
    static constexpr core::DType value = core::DTypeOf<T>::value;
};
template <>
struct DTypeOf<__nv_bfloat16> {
    static constexpr core::DType value = core::DType::BF16;
};

/// The elements of a tensor that lies on the device and holds T; null of an undefined one.
template <typename T>
T* dataOrNull(const core::Tensor& tensor) {
    if (!tensor.defined()) return nullptr;
    CORE_CHECK(!tensor.onHost() && tensor.dtype() == DTypeOf<T>::value,
               "a device tensor of " + std::string(core::dtypeName(DTypeOf<T>::value)) +
                   ", found " + tensor.describe());
    return reinterpret_cast<T*>(tensor.raw());
}

template <typename T>
T* data(const core::Tensor& tensor) {
    CORE_CHECK(tensor.defined(), "a defined tensor");
    return dataOrNull<T>(tensor);
}

template <typename T>
struct Tag {
    using Type = T;
};

/// body(Tag<float>{}) or body(Tag<__nv_bfloat16>{}), by the type of activations.
template <typename Body>
void forType(core::DType type, Body body) {
    if (type == core::DType::BF16)
        body(Tag<__nv_bfloat16>{});
    else if (type == core::DType::F32)
        body(Tag<float>{});
    else
        CORE_CHECK(false, "F32 or BF16, found " + std::string(core::dtypeName(type)));
}

/// body(Tag<GeluErf>{}) or its like, by the kind.
template <typename Body>
void forActivation(core::Activation kind, Body body) {
    switch (kind) {
        case core::Activation::GeluErf:
            body(Tag<GeluErf>{});
            return;
        case core::Activation::GeluTanh:
            body(Tag<GeluTanh>{});
            return;
        case core::Activation::Relu:
            body(Tag<Relu>{});
            return;
        case core::Activation::Silu:
            body(Tag<Silu>{});
            return;
    }
}

}  // namespace gpu
