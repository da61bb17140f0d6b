// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/ops/types.h"
#include "core/tensor/tensor.h"
#include "gpu/blas.h"

#include <cuda_runtime.h>

#include <cstdint>
#include <span>

namespace gpu {

/// One linear layer for every range of rows [offsets[e], offsets[e + 1]), with weights [E, out, in]
/// (or [out, in] for one): ranges of one length are one batched product, others a product each.
class LinearProducts {
  public:
    using Tensor = core::Tensor;

    LinearProducts(cudaStream_t stream, Blas& blas, std::span<const std::int64_t> offsets,
                   std::int64_t in, std::int64_t out, core::DType type)
        : stream_(stream), blas_(blas), offsets_(offsets), in_(in), out_(out), type_(type) {}

    /// y = x weight^T + bias. The bias is of the activations' type, or undefined.
    void forward(const Tensor& y, const Tensor& x, const Tensor& weight, const Tensor& bias) const;

    /// before = x weight^T + bias, y = tanh GELU of it, when cuBLASLt does both in one; else does
    /// nothing and returns false.
    bool forwardGeluTanh(const Tensor& y, const Tensor& before, const Tensor& x,
                         const Tensor& weight, const Tensor& bias) const;

    /// dx = dy weight
    void backwardData(const Tensor& dx, const Tensor& dy, const Tensor& weight) const;

    /// dBefore = (dy weight) * slope of the tanh GELU at `before`, when cuBLASLt does both in one;
    /// else does nothing and returns false.
    bool backwardGeluTanh(const Tensor& dBefore, const Tensor& dy, const Tensor& weight,
                          const Tensor& before) const;

    /// dWeight += dy^T x; the ranges without rows leave theirs alone.
    void backwardWeight(const Tensor& dWeight, const Tensor& dy, const Tensor& x) const;

  private:
    /// Consecutive experts with as many rows each.
    struct Range {
        std::int64_t expert;
        std::int64_t experts;
        std::int64_t firstRow;
        std::int64_t rows;
    };
    template <typename Body>
    void forRanges(Body body) const;
    template <typename MakeArgs>
    bool fused(MakeArgs makeArgs) const;
    ProductArgs forwardArgs(const Range& range, const Tensor& y, const Tensor& x,
                            const Tensor& weight, const Tensor& bias) const;
    ProductArgs backwardArgs(const Range& range, const Tensor& dx, const Tensor& dy,
                             const Tensor& weight) const;

    cudaStream_t stream_;
    Blas& blas_;
    std::span<const std::int64_t> offsets_;
    std::int64_t in_;
    std::int64_t out_;
    core::DType type_;
};

/// dBias [E, columns] += the sums over each range's rows of dy [rows, columns]; `deviceOffsets` are
/// the offsets on the device, `partials` of biasPartials() floats.
void addBiasGradients(cudaStream_t stream, float* dBias, float* partials, const core::Tensor& dy,
                      std::span<const std::int64_t> offsets, const std::int64_t* deviceOffsets);
std::size_t biasPartials(std::span<const std::int64_t> offsets, std::int64_t columns);

}  // namespace gpu
