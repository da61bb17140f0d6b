// SPDX-License-Identifier: Apache-2.0
#include "gpu/cuda_backend.h"
#include "gpu/elements.h"
#include "gpu/tensors.h"

namespace gpu {
namespace {

struct Sum {
    __device__ float operator()(float a, float b) const { return a + b; }
};

struct Product {
    __device__ float operator()(float a, float b) const { return a * b; }
};

/// y + factor * x
struct ScaledSum {
    float factor;
    __device__ float operator()(float y, float x) const { return y + x * factor; }
};

struct Scaled {
    float factor;
    __device__ float operator()(float y, float) const { return y * factor; }
};

template <typename T, typename Op>
struct PairRule {
    T* y;
    const T* a;
    const T* b;
    Op op;

    template <int N>
    __device__ void run(std::int64_t i) const {
        const Pack<T, N> left = loadPack<N>(a + i);
        const Pack<T, N> right = loadPack<N>(b + i);
        Pack<T, N> into;
        for (int k = 0; k < N; ++k)
            into.at[k] = fromFloat<T>(op(toFloat(left.at[k]), toFloat(right.at[k])));
        storePack(y + i, into);
    }
};

/// y = op(a, b), elementwise.
template <typename Op>
void pairwise(cudaStream_t stream, const core::Tensor& y, const core::Tensor& a,
              const core::Tensor& b, Op op) {
    forType(y.dtype(), [&](auto tag) {
        using T = typename decltype(tag)::Type;
        const PairRule<T, Op> rule{data<T>(y), data<T>(a), data<T>(b), op};
        forElements<T>(stream, y.elements(), {rule.y, rule.a, rule.b}, rule);
    });
}

}  // namespace

void CudaBackend::add(Out y, const Tensor& a, const Tensor& b) {
    pairwise(stream(), y, a, b, Sum{});
}

void CudaBackend::multiply(Out y, const Tensor& a, const Tensor& b) {
    pairwise(stream(), y, a, b, Product{});
}

void CudaBackend::accumulate(InOut y, const Tensor& x, float factor) {
    pairwise(stream(), y, y, x, ScaledSum{factor});
}

void CudaBackend::scale(InOut y, float factor) { pairwise(stream(), y, y, y, Scaled{factor}); }

}  // namespace gpu
