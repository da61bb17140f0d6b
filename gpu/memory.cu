// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/elements.h"
#include "gpu/tensors.h"

namespace gpu {
namespace {

template <typename T>
struct FillRule {
    T* y;
    T value;

    template <int N>
    __device__ void run(std::int64_t i) const {
        Pack<T, N> pack;
        for (int k = 0; k < N; ++k) pack.at[k] = value;
        storePack(y + i, pack);
    }
};

template <typename To, typename From>
struct ConvertRule {
    To* y;
    const From* x;

    template <int N>
    __device__ void run(std::int64_t i) const {
        const Pack<From, N> from = loadPack<N>(x + i);
        Pack<To, N> into;
        for (int k = 0; k < N; ++k) into.at[k] = fromFloat<To>(toFloat(from.at[k]));
        storePack(y + i, into);
    }
};

template <typename T>
void fillWith(cudaStream_t stream, const core::Tensor& y, T value) {
    T* const into = data<T>(y);
    forElements<T>(stream, y.elements(), {into}, FillRule<T>{into, value});
}

template <typename To, typename From>
void convert(cudaStream_t stream, const core::Tensor& y, const core::Tensor& x) {
    To* const into = data<To>(y);
    const From* const from = data<From>(x);
    forElements<__nv_bfloat16>(stream, x.elements(), {into, from},
                               ConvertRule<To, From>{into, from});
}

}  // namespace

void CudaBackend::fill(Out y, float value) {
    if (y.dtype() == core::DType::I32)
        fillWith(stream(), y, static_cast<std::int32_t>(value));
    else if (y.dtype() == core::DType::BF16)
        fillWith(stream(), y, __float2bfloat16(value));
    else
        fillWith(stream(), y, value);
}

void CudaBackend::copy(Out y, const Tensor& x) {
    if (y.dtype() == core::DType::BF16 && x.dtype() == core::DType::F32)
        convert<__nv_bfloat16, float>(stream(), y, x);
    else if (y.dtype() == core::DType::F32 && x.dtype() == core::DType::BF16)
        convert<float, __nv_bfloat16>(stream(), y, x);
    else if (x.elements() > 0 && y.raw() != x.raw())
        check(cudaMemcpyAsync(y.raw(), x.raw(), x.bytes(), cudaMemcpyDeviceToDevice, stream()),
              "copying on the device");
}

}  // namespace gpu
