// SPDX-License-Identifier: Apache-2.0
#include "core/ops/memory.h"

#include "core/ops/check_internal.h"
#include "core/tensor/convert.h"

namespace core::ops {

void fill(Backend& backend, Out y, float value) {
    require("fill",
            y.defined() &&
                (y.dtype() == DType::F32 || y.dtype() == DType::BF16 || y.dtype() == DType::I32),
            "y is " + y.describe() + ", expected F32, BF16 or I32");
    backend.fill(y, value);
}

void copy(Backend& backend, Out y, const Tensor& x) {
    if (y.defined() && x.defined() && y.dtype() != x.dtype()) {
        requireReal("copy", "x", x);
        requireReal("copy", "y", y);
        require("copy", y.shape() == x.shape(),
                "y is " + y.describe() + ", expected the shape of " + x.describe());
    } else {
        requireLike("copy", "y", y, x);
    }
    backend.copy(y, x);
}

Tensor toDevice(Backend& backend, const Tensor& host) {
    if (!host.defined()) return {};
    Tensor device(backend.allocate(host.bytes()), 0, host.shape(), host.dtype());
    backend.upload(device, host);
    return device;
}

Tensor readable(Backend& backend, const Tensor& tensor) {
    if (!tensor.defined() || tensor.onHost()) return tensor;
    Tensor host = Tensor::host(tensor.shape(), tensor.dtype());
    backend.download(host, tensor);
    return host;
}

double hostNumber(Backend& backend, const Tensor& scalar) {
    requireTensor("hostNumber", "scalar", scalar, DType::F64, {1});
    return *readable(backend, scalar).data<double>();
}

Tensor hostFloats(Backend& backend, const Tensor& tensor) {
    requireReal("hostFloats", "tensor", tensor);
    Tensor host = Tensor::host(tensor.shape(), tensor.dtype());
    backend.download(host, tensor);
    if (host.dtype() == DType::F32) return host;
    Tensor floats = Tensor::host(tensor.shape());
    toFloats(floats.span<float>(), host.raw(), host.dtype());
    return floats;
}

}  // namespace core::ops
